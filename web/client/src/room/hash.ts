import type { Text } from "@codemirror/state";

import { env, later } from "../env.js";
import { crc32 } from "../text/crc32.js";

/** Text that is hashed in one go, UTF-16 units: a few milliseconds. */
const SLICE = 262_144;

/** Whether a text has this hash. Computed in slices, so that a large text does not keep the page from painting. */
export async function checkHash(text: Text, { crc32: wanted, bytes }: { crc32: number; bytes: number }, goOn: () => boolean): Promise<boolean> {
  const encoder = new env.TextEncoder();
  let crc = 0;
  let length = 0;
  let from = 0;
  while (from < text.length) {
    let to = Math.min(text.length, from + SLICE);
    let slice = text.sliceString(from, to, "\n");
    const last = slice.charCodeAt(slice.length - 1);
    if (last >= 0xd800 && last < 0xdc00 && to < text.length) slice = text.sliceString(from, ++to, "\n");
    const encoded = encoder.encode(slice);
    crc = crc32(encoded, crc);
    length += encoded.length;
    from = to;
    if (from < text.length) await new Promise<void>((resolve) => later(0, resolve));
    if (!goOn()) return true;
  }
  return crc === wanted && length === bytes;
}
