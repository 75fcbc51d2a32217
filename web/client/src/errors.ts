import type { WireError } from "./wire.js";

/**
 * A refusal of the server's, or a failure on the way to it.
 *
 * `code` is one of those of the protocol (`room_not_found`, `forbidden`, …), or one of this package's own: `connection_lost`,
 * `destroyed`, `not_loaded`, `too_many_commands`, `http_failed`.
 */
export class MotetError extends Error {
  override readonly name = "MotetError";
  /** Stable, for programs. */
  readonly code: string;
  /** The same may succeed after so many milliseconds; null if it will not. */
  readonly retryAfterMs: number | null;

  constructor(code: string, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** @internal */
  static from(error: WireError): MotetError {
    return new MotetError(error.code, error.message, error.retry_after_ms ?? null);
  }
}
