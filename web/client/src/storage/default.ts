import { MemoryStorage, type Storage } from "./storage.js";

/** The storage of this place. */
export function defaultStorage(): Storage {
  return new MemoryStorage();
}
