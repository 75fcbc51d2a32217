/** Listeners of named events. A listener that throws does not keep the others from hearing. */
export class Emitter<Events extends { [name in keyof Events]: unknown }> {
  #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** Calls `listener` at each event of this name. Returns a function that ends it. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    let set = this.#listeners.get(name);
    if (!set) this.#listeners.set(name, (set = new Set()));
    // Wrapped, so that one function can listen twice and each is ended by its own.
    const own = (event: Events[Name]) => listener(event);
    set.add(own as (event: never) => void);
    return () => void set.delete(own as (event: never) => void);
  }

  /** Calls `listener` at the next event of this name only. */
  once<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const end = this.on(name, (event) => {
      end();
      listener(event);
    });
    return end;
  }

  /** @internal */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as (event: Events[Name]) => void)(event);
      } catch (error) {
        // Reported as an uncaught error of the page, where it belongs: it is the listener's, not the connection's.
        void Promise.reject(error);
      }
    }
  }

  /** @internal Ends all listeners. */
  silence(): void {
    this.#listeners.clear();
  }
}
