import type { Other } from "../room/people.js";

/** A colour for a person: `light` on light backgrounds (white text on it), `dark` on dark ones (dark text on it). */
export interface PersonColor {
  name: string;
  light: string;
  dark: string;
}

/** Ten colours of one lightness, far apart in hue; as labels and carets they reach WCAG AA. */
export const PERSON_COLORS: readonly PersonColor[] = [
  { name: "rose", light: "#b43856", dark: "#fe93a4" },
  { name: "orange", light: "#af4803", dark: "#fe9a6c" },
  { name: "gold", light: "#8b640f", dark: "#e6ac3d" },
  { name: "lime", light: "#5b7809", dark: "#a3c75d" },
  { name: "green", light: "#048149", dark: "#63d18f" },
  { name: "teal", light: "#087c77", dark: "#21d1ca" },
  { name: "sky", light: "#03769d", dark: "#43c7fd" },
  { name: "blue", light: "#3566c7", dark: "#91b7fe" },
  { name: "violet", light: "#7553bd", dark: "#bda7ff" },
  { name: "pink", light: "#a83c81", dark: "#f691cc" },
];

const hue = (rgb: number): number => {
  const [r, g, b] = [(rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255];
  return (Math.atan2(Math.sqrt(3) * (g - b), 2 * r - g - b) * 180) / Math.PI;
};

/** Which of {@link PERSON_COLORS} a person has: the nearest in hue to the colour that it tells, else one that follows from who it is. */
export function personColor({ participant, author, presence }: Pick<Other, "participant" | "author" | "presence">): number {
  const told = presence?.color;
  if (told != null) {
    const distances = PERSON_COLORS.map(({ light }) => Math.abs(((hue(told) - hue(parseInt(light.slice(1), 16)) + 540) % 360) - 180));
    return distances.indexOf(Math.min(...distances));
  }
  let hash = 2166136261;
  for (const character of author.account ?? participant) hash = Math.imul(hash ^ character.codePointAt(0)!, 16777619);
  return (hash >>> 0) % PERSON_COLORS.length;
}
