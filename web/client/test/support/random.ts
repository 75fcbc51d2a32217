/** A small generator of random numbers (mulberry32), so that a seed brings a failure back. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 up to 1, without it. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  string(alphabet: readonly string[], pieces: number): string {
    let string = "";
    for (let i = 0; i < pieces; i++) string += this.pick(alphabet);
    return string;
  }
}

/** How many random sessions to run: a few by default, all of them with MOTET_LONG=1. */
export function SESSIONS(short: number, long: number): number {
  return process.env["MOTET_LONG"] ? long : short;
}
