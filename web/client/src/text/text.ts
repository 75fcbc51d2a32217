/**
 * Texts as this package holds them: CodeMirror's `Text`, split at `"\n"` only, so that every other character, `"\r"` among them, is
 * one of the text's own.
 *
 * @module
 */
import { Text } from "@codemirror/state";

/** A `Text` of a string. */
export function textOf(string: string): Text {
  return string ? Text.of(string.split("\n")) : Text.empty;
}

/** The string of a `Text`. */
export function stringOf(text: Text): string {
  return text.sliceString(0, text.length, "\n");
}

const LONE = /\p{Surrogate}/u;

/** Puts U+FFFD in place of each half of a surrogate pair that stands alone: such halves cannot be sent. */
export function wellFormed(string: string): string {
  return LONE.test(string) ? string.toWellFormed() : string;
}

/** {@link wellFormed} for a `Text`; the same object if nothing had to be replaced. */
export function wellFormedText(text: Text): Text {
  for (let lines = text.iterLines(); !lines.next().done; ) {
    if (LONE.test(lines.value)) return textOf(stringOf(text).toWellFormed());
  }
  return text;
}

/** Whether a position stands between the two halves of a surrogate pair. */
export function splitsPair(text: Text, position: number): boolean {
  if (position <= 0 || position >= text.length) return false;
  const around = text.sliceString(position - 1, position + 1, "\n");
  const high = around.charCodeAt(0);
  const low = around.charCodeAt(1);
  return high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000;
}

/** The bytes that a string takes in UTF-8. Halves of pairs count three. */
export function utf8Length(string: string): number {
  let bytes = string.length;
  for (let i = 0; i < string.length; i++) {
    const unit = string.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xd800 && unit < 0xdc00 && i + 1 < string.length) {
      bytes += 2; // A pair: two units, four bytes.
      i++;
    } else bytes += 2;
  }
  return bytes;
}

/** How many UTF-16 units of a string fit in so many bytes of UTF-8, without splitting a pair. */
export function unitsWithin(string: string, bytesMax: number): number {
  let bytes = 0;
  for (let i = 0; i < string.length; ) {
    const unit = string.charCodeAt(i);
    const pair = unit >= 0xd800 && unit < 0xdc00 && i + 1 < string.length;
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : pair ? 4 : 3;
    if (bytes > bytesMax) return i;
    i += pair ? 2 : 1;
  }
  return string.length;
}
