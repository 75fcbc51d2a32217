/** Longest that remote changes wait while an input method composes, ms. */
const COMPOSING_MS = 5_000;
/** Shortest and longest time between two receivings, ms. */
const LEAST_MS = 16;
const MOST_MS = 250;

/**
 * Receives what waits once a frame; after a dear receiving (a language mode parses up to 20 ms in each transaction) less often, so that
 * typing stays smooth. At once where the page is hidden, since there are no frames then; held while an input method composes.
 */
export class Pacer {
  readonly #receive: () => void;
  readonly #composing: () => boolean;
  readonly #composingMs: number;
  #frame: number | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #notBefore = 0;
  #composingSince = 0;

  /**
   * @param composing Whether an input method composes.
   * @param composingMs How long changes are held for that at most.
   */
  constructor(receive: () => void, composing: () => boolean, composingMs = COMPOSING_MS) {
    this.#receive = receive;
    this.#composing = composing;
    this.#composingMs = composingMs;
  }

  /** Something waits. */
  waiting(): void {
    if (this.#frame !== null || this.#timer !== null) return;
    if (document.hidden) {
      this.#timer = setTimeout(() => ((this.#timer = null), this.#run()), 0);
      return;
    }
    const wait = this.#notBefore - performance.now();
    if (wait > LEAST_MS) this.#timer = setTimeout(() => ((this.#timer = null), this.waiting()), wait);
    else {
      this.#frame = requestAnimationFrame(() => ((this.#frame = null), this.#stopTimer(), this.#run()));
      // A page that is hidden before the frame comes gets none.
      this.#timer = setTimeout(() => ((this.#timer = null), this.#stopFrame(), this.#run()), 1_000);
    }
  }

  /** The composition is over, or what waits is needed now. */
  now(): void {
    this.#stopFrame();
    this.#stopTimer();
    this.#composingSince = 0;
    this.#receive();
  }

  stop(): void {
    this.#stopFrame();
    this.#stopTimer();
  }

  #run(): void {
    const start = performance.now();
    if (this.#composing()) {
      this.#composingSince ||= start;
      if (start - this.#composingSince < this.#composingMs) {
        this.#notBefore = start + 100;
        return this.waiting();
      }
    }
    this.#composingSince = 0;
    this.#receive();
    const end = performance.now();
    this.#notBefore = end + Math.min(MOST_MS, Math.max(LEAST_MS, 2 * (end - start)));
  }

  #stopFrame(): void {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
