/** A card of the margin: where it would stand, how high it is, and whether it keeps that place while the others give way. */
export interface Placed { top: number; height: number; fixed: boolean }

/** Tops of cards, sorted by where they would stand, so that none overlaps another. The fixed one stays at its line. */
export function stacked(cards: readonly Placed[], gap: number): number[] {
  const tops = cards.map(({ top }) => top);
  const anchor = Math.max(0, cards.findIndex(({ fixed }) => fixed));
  for (let i = anchor + 1; i < cards.length; i++) tops[i] = Math.max(tops[i]!, tops[i - 1]! + cards[i - 1]!.height + gap);
  for (let i = anchor - 1; i >= 0; i--) tops[i] = Math.min(tops[i]!, tops[i + 1]! - cards[i]!.height - gap);
  return tops;
}
