/** What is said of a text in the line below it. */

/** The line ends of a text: those it has, or the ones it would get. */
export function lineEnds(text: string): "LF" | "CRLF" | "CR" | "mixed" {
  let lf = false, crlf = false, cr = false;
  for (let i = text.indexOf("\r"); i !== -1; i = text.indexOf("\r", i + 1)) {
    if (text[i + 1] === "\n") crlf = true; else cr = true;
    if (crlf && cr) break;
  }
  for (let i = text.indexOf("\n"); i !== -1; i = text.indexOf("\n", i + 1)) if (text[i - 1] !== "\r") { lf = true; break; }
  const kinds = [lf && "LF", crlf && "CRLF", cr && "CR"].filter(Boolean);
  return kinds.length > 1 ? "mixed" : ((kinds[0] as "LF" | undefined) ?? "LF");
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });

/** Words as the language of the text has them; above 200,000 characters, runs between spaces, which is quicker. */
export function words(text: string): number {
  let n = 0;
  if (text.length > 200_000) { for (const _ of text.matchAll(/\S+/gu)) n++; return n; }
  for (const { isWordLike } of segmenter.segment(text)) if (isWordLike) n++;
  return n;
}
