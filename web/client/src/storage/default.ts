import { env } from "../env.js";
import { IndexedDbStorage } from "./indexeddb.js";
import { MemoryStorage, type Storage } from "./storage.js";

let shared: Storage | null = null;

/** The storage of this place, one for all clients in it: IndexedDB where there is one, else memory. */
export function defaultStorage(): Storage {
  return (shared ??= env.indexedDB ? new IndexedDbStorage() : new MemoryStorage());
}
