import { later } from "../env.js";
import { MotetError } from "../errors.js";
import type { Machine } from "../ot/machine.js";
import type { Draft, RecordKey, Storage } from "../storage/storage.js";

/** A storage that has not answered for so long is taken as failed; sending goes on without it. */
const STORAGE_MS = 3_000;

interface Owner {
  key(): RecordKey;
  about(): { account: string | null; log: string | null };
  machine(): Machine | null;
  /** Something was written (or could not be): what it covers may be sent. */
  written(): void;
}

/**
 * Writes what is not acknowledged down before it is sent. One write is under way at a time; what changes meanwhile is in the next one.
 */
export class WriteAhead {
  /** Gives the binding's undo history. */
  history: (() => unknown) | null = null;
  /** Whether the storage outlives the page and the last write came about. */
  kept: boolean;
  error: MotetError | null = null;

  readonly #storage: Storage | null;
  readonly #owner: Owner;
  #version = 0;
  #written = 0;
  #coveredSeq = 0;
  #running: Promise<void> | null = null;
  #stored = false;

  constructor(storage: Storage | null, owner: Owner) {
    this.#storage = storage;
    this.#owner = owner;
    this.kept = storage?.durable ?? false;
  }

  /** Whether the submit with this seq is written down, so that it may be sent. */
  covers(seq: number): boolean {
    return !this.#storage || this.#coveredSeq === seq;
  }

  /** What is not acknowledged is another now. */
  changed(): void {
    this.#version++;
    if (!this.#storage) return this.#owner.written();
    // Nothing to write, nothing stored: nothing to do.
    if (!this.#stored && !this.#owner.machine()?.queue.length && !this.history) return;
    this.#running ??= this.#run();
  }

  /** What is not acknowledged came from the storage: it is written down already. */
  courier(machine: Machine): void {
    this.#stored = true;
    this.#coveredSeq = machine.outstanding ? machine.seq : 0;
  }

  /** The outstanding submit has another content under the same seq: what was written does not cover it any more. */
  uncover(): void {
    this.#coveredSeq = 0;
  }

  /** Resolves when everything that is here now is written. */
  async flush(): Promise<void> {
    if (!this.#storage || !this.#owner.machine()) return;
    this.#version++;
    await (this.#running ??= this.#run());
  }

  /** Keeps a draft, and removes what it was made of. */
  async draft(draft: Draft): Promise<void> {
    try {
      await this.#storage?.keepDraft(draft, this.#owner.key());
      this.#stored = false;
    } catch (error) {
      this.#failed(error);
    }
  }

  async #run(): Promise<void> {
    while (this.#written !== this.#version) {
      const version = this.#version;
      const machine = this.#owner.machine();
      const seq = machine?.outstanding ? machine.seq : 0;
      try {
        // That something could be removed does not say that something can be kept.
        if (await within(this.#write(machine))) {
          this.kept = this.#storage!.durable;
          this.error = null;
        }
      } catch (error) {
        this.#failed(error);
      }
      this.#written = version;
      this.#coveredSeq = seq;
      this.#owner.written();
    }
    this.#running = null;
  }

  /** Returns whether a record was written. */
  async #write(machine: Machine | null): Promise<boolean> {
    const storage = this.#storage!;
    const history = this.history?.() ?? null;
    if (!machine || (!machine.queue.length && history === null)) {
      if (this.#stored) await storage.remove(this.#owner.key());
      this.#stored = false;
      return false;
    }
    this.#stored = true;
    await storage.put({ ...this.#owner.key(), ...this.#owner.about(), ...machine.record(), history, at: Date.now() });
    return true;
  }

  #failed(error: unknown): void {
    this.kept = false;
    this.error = new MotetError("not_kept", `what is typed could not be written down on this device: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function within<T>(promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = later(STORAGE_MS, () => reject(new Error("the storage does not answer")));
    promise.then(resolve, reject).finally(stop);
  });
}
