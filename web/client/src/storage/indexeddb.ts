import { env } from "../env.js";
import { keyOf, type Draft, type RecordKey, type RoomRecord, type Storage } from "./storage.js";

// The part of IndexedDB that is used: this package's core is compiled without the DOM's types.
interface Request<T> {
  result: T;
  error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}
interface OpenRequest extends Request<Database> {
  onupgradeneeded: (() => void) | null;
  onblocked: (() => void) | null;
}
interface Database {
  createObjectStore(name: string): unknown;
  objectStoreNames: { contains(name: string): boolean };
  transaction(stores: string[], mode: "readonly" | "readwrite"): Transaction;
  close(): void;
  onversionchange: (() => void) | null;
  onclose: (() => void) | null;
}
interface Transaction {
  objectStore(name: string): ObjectStore;
  error: unknown;
  oncomplete: (() => void) | null;
  onabort: (() => void) | null;
  onerror: (() => void) | null;
}
interface ObjectStore {
  put(value: unknown, key: string): Request<unknown>;
  get(key: string): Request<unknown>;
  getAll(): Request<unknown[]>;
  delete(key: string): Request<unknown>;
}
interface Factory {
  open(name: string, version: number): OpenRequest;
}

const NAME = "motet";
const VERSION = 1;
const RECORDS = "records";
const DRAFTS = "drafts";

/** Keeps records in IndexedDB: they outlive the page. One database for all servers, rooms and accounts of an origin. */
export class IndexedDbStorage implements Storage {
  readonly durable = true;
  readonly #name: string;
  #database: Promise<Database> | null = null;

  constructor(name: string = NAME) {
    this.#name = name;
  }

  put(record: RoomRecord): Promise<void> {
    return this.#write([RECORDS], (stores) => void stores[0]!.put(record, keyOf(record)));
  }

  remove(key: RecordKey): Promise<void> {
    return this.#write([RECORDS], (stores) => void stores[0]!.delete(keyOf(key)));
  }

  async get(key: RecordKey): Promise<RoomRecord | null> {
    return ((await this.#read(RECORDS, (store) => store.get(keyOf(key)))) as RoomRecord | undefined) ?? null;
  }

  async list(server: string): Promise<RoomRecord[]> {
    const records = (await this.#read(RECORDS, (store) => store.getAll())) as RoomRecord[];
    return records.filter((record) => record.server === server);
  }

  keepDraft(draft: Draft, instead: RecordKey | null): Promise<void> {
    return this.#write([DRAFTS, RECORDS], ([drafts, records]) => {
      drafts!.put(draft, draft.id);
      if (instead) records!.delete(keyOf(instead));
    });
  }

  async drafts(server: string): Promise<Draft[]> {
    const drafts = (await this.#read(DRAFTS, (store) => store.getAll())) as Draft[];
    return drafts.filter((draft) => draft.server === server);
  }

  dropDraft(id: string): Promise<void> {
    return this.#write([DRAFTS], (stores) => void stores[0]!.delete(id));
  }

  #open(): Promise<Database> {
    return (this.#database ??= new Promise<Database>((resolve, reject) => {
      const request = (env.indexedDB as Factory).open(this.#name, VERSION);
      request.onupgradeneeded = () => {
        for (const store of [RECORDS, DRAFTS]) if (!request.result.objectStoreNames.contains(store)) request.result.createObjectStore(store);
      };
      request.onerror = () => reject(asError(request.error));
      request.onblocked = () => reject(new Error("another page holds an older form of the database open"));
      request.onsuccess = () => {
        const database = request.result;
        // Another version of this page wants another form of the database, or the browser has taken it away.
        database.onversionchange = () => {
          this.#database = null;
          database.close();
        };
        database.onclose = () => (this.#database = null);
        resolve(database);
      };
    }).catch((error: unknown) => {
      // Tried anew at the next use.
      this.#database = null;
      throw error;
    }));
  }

  async #transaction(stores: string[], mode: "readonly" | "readwrite"): Promise<Transaction> {
    const database = await this.#open();
    try {
      return database.transaction(stores, mode);
    } catch {
      // The connection was closed meanwhile.
      this.#database = null;
      return (await this.#open()).transaction(stores, mode);
    }
  }

  async #write(names: string[], write: (stores: ObjectStore[]) => void): Promise<void> {
    const transaction = await this.#transaction(names, "readwrite");
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = transaction.onerror = () => reject(asError(transaction.error));
      write(names.map((name) => transaction.objectStore(name)));
    });
  }

  async #read(name: string, read: (store: ObjectStore) => Request<unknown>): Promise<unknown> {
    const transaction = await this.#transaction([name], "readonly");
    return new Promise((resolve, reject) => {
      const request = read(transaction.objectStore(name));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(asError(request.error));
    });
  }
}

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error ?? "the database failed")));
