import type { Motet, MotetOptions } from "./motet.js";

/** Placeholder until the next commit. */
export class Courier {
  constructor(_motet: Motet, _options: MotetOptions) {}
  hold(): void {}
  start(): void {}
  end(): void {}
  async deliver(): Promise<number> {
    return 0;
  }
}
