import type { WireOperation } from "@motet/client";

/** Places on the wire count Unicode scalars, strings count UTF-16 units: the index `n` scalars after `index`. */
export function advance(text: string, index: number, n: number): number {
  while (n-- > 0) {
    const unit = text.charCodeAt(index);
    index += unit >= 0xd800 && unit < 0xdc00 ? 2 : 1;
  }
  return index;
}

/** Positions in scalars, ascending, as UTF-16 positions. */
export function toUnits(text: string, positions: readonly number[]): number[] {
  let at = 0, scalar = 0;
  return positions.map((position) => { at = Math.min(text.length, advance(text, at, position - scalar)); scalar = position; return at; });
}

export interface Touched { inserted: { from: number; to: number }[]; deleted: { at: number; text: string }[] }

/** What an edit put into the text `after`, and what it took out of `before`, by places of `after` in UTF-16 units. */
export function touched(operation: WireOperation, before: string): Touched {
  const inserted: Touched["inserted"] = [], deleted: Touched["deleted"] = [];
  let from = 0, at = 0;
  for (const part of operation) {
    if (typeof part === "string") { inserted.push({ from: at, to: at + part.length }); at += part.length; continue; }
    const next = advance(before, from, Math.abs(part));
    if (part < 0) deleted.push({ at, text: before.slice(from, next) }); else at += next - from;
    from = next;
  }
  return { inserted, deleted };
}

/** Line ends as an editor shows them, with the places moved along. */
export function shownWith(text: string, places: readonly number[]): { text: string; places: number[] } {
  if (!text.includes("\r")) return { text, places: [...places] };
  const moved = places.map((place) => { let gone = 0; for (let i = text.indexOf("\r\n"); i !== -1 && i < place; i = text.indexOf("\r\n", i + 2)) gone++; return place - gone; });
  return { text: text.replace(/\r\n?/g, "\n"), places: moved };
}
