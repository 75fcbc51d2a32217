/** Ten colours of one lightness: [name, light, dark]. Presence carries the light one; what others send is mapped to the nearest. */
export const COLORS = [
  ["rose", 0xb43856], ["orange", 0xaf4803], ["gold", 0x8b640f], ["lime", 0x5b7809], ["green", 0x048149],
  ["teal", 0x087c77], ["sky", 0x03769d], ["blue", 0x3566c7], ["violet", 0x7553bd], ["pink", 0xa83c81],
] as const;

export type Hue = (typeof COLORS)[number][0];

export const rgbOf = (hue: string): number => COLORS.find(([name]) => name === hue)?.[1] ?? COLORS[0][1];

/** The colour of ours that is nearest to any other, by hue: what is drawn is always legible. */
export function hueOf(color: number | null | undefined, participant: string): Hue {
  if (color === null || color === undefined) return COLORS[Number.parseInt(participant.slice(0, 6) || "0", 16) % COLORS.length]![0];
  const channels = (rgb: number) => [rgb >> 16, (rgb >> 8) & 255, rgb & 255] as const;
  const [r, g, b] = channels(color);
  let best: Hue = COLORS[0][0], least = Infinity;
  for (const [hue, rgb] of COLORS) {
    const [x, y, z] = channels(rgb);
    const far = 2 * (r - x) ** 2 + 4 * (g - y) ** 2 + 3 * (b - z) ** 2;
    if (far < least) { least = far; best = hue; }
  }
  return best;
}

export const cssOf = (hue: string) => `var(--${hue})`;

/** One or two letters that stand for a name: of its first and last word, whole characters. */
export function initials(name: string): string {
  const words = name.trim().split(/[\s._-]+/u).filter(Boolean);
  const first = (word: string | undefined) => (word ? [...new Intl.Segmenter().segment(word)][0]?.segment ?? "" : "");
  const letters = first(words[0]) + (words.length > 1 ? first(words.at(-1)) : "");
  return letters.toLocaleUpperCase() || "?";
}

const QUALITIES = ["Brisk", "Calm", "Clear", "Deft", "Keen", "Light", "Quiet", "Warm", "Wry", "Bright"];
const BIRDS = ["Finch", "Heron", "Lark", "Linnet", "Plover", "Robin", "Siskin", "Swift", "Tern", "Wren"];
const one = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;

/** A name for a guest who has not chosen one. */
export const someName = () => `${one(QUALITIES)} ${one(BIRDS)}`;
export const someHue = (): Hue => one(COLORS)[0];
