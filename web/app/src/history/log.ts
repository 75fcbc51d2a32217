import { signal } from "@preact/signals";
import type { Author, Entry, ParticipantId, Version, WireOperation } from "@motet/client";
import { api } from "../live/api";
import type { OpenRoom } from "../live/room";

/** What the history shows of an entry. The operations themselves are not kept: a long log would fill the memory. */
export interface Step { revision: number; participant: ParticipantId; time: number; inserted: number; deleted: number; edit: boolean; what: string; listed: boolean }

/** So many entries are loaded by themselves, the newest first; older ones when asked for. */
const AT_FIRST = 20_000;
const PAGE = 1000;

/** The log of a room, from the newest backwards. */
export class RoomLog {
  readonly steps = signal<readonly Step[]>([]);
  readonly versions = signal<Version[]>([]);
  readonly loading = signal(false);
  /** The first revision that is loaded. */
  readonly from = signal(Infinity);
  readonly authors = new Map<ParticipantId, Author>();
  #texts = new Map<number, Promise<string>>();
  #started = false;

  constructor(readonly room: OpenRoom) {}

  start(): void {
    if (this.#started) return;
    this.#started = true;
    const { room } = this.room;
    room.on("entry", (entry) => this.#add([entry]));
    void this.#authors();
    void this.loadVersions();
    void this.older(AT_FIRST);
  }

  author = (participant: ParticipantId) => this.room.author(participant, this.authors.get(participant));

  async #authors(): Promise<void> {
    const { participants } = await api<{ participants: { participant: string; author: Author }[] }>(`rooms/${this.room.id}/participants`).catch(() => ({ participants: [] }));
    for (const { participant, author } of participants) if (!this.authors.has(participant)) this.authors.set(participant, author);
    this.steps.value = [...this.steps.value];
  }

  async loadVersions(): Promise<void> { this.versions.value = await this.room.room.versions.list().catch(() => this.versions.value); }

  /** Loads entries before those that are there. */
  async older(most: number): Promise<void> {
    if (this.loading.value) return;
    this.loading.value = true;
    try {
      const { history } = this.room.room;
      let end = Math.min(this.from.value, this.room.room.revision + 1);
      const least = Math.max(1, end - most);
      while (end > least) {
        const begin = Math.max(least, end - PAGE);
        const entries: Entry[] = [];
        for (let next = begin; next < end;) {
          const page = (await history.log(next, end - next)).entries;
          if (!page.length) break;
          entries.push(...page.filter(({ revision }) => revision < end));
          next = page.at(-1)!.revision + 1;
        }
        end = begin;
        this.from.value = begin;
        this.#add(entries);
      }
    } finally {
      this.loading.value = false;
    }
  }

  #add(entries: Entry[]): void {
    const known = new Map(this.steps.value.map((step) => [step.revision, step]));
    for (const entry of entries) {
      if ("introduce" in entry.command) this.authors.set(entry.participant, entry.command.introduce);
      if ("name_version" in entry.command || "remove_version" in entry.command) void this.loadVersions();
      known.set(entry.revision, stepOf(entry));
    }
    this.steps.value = [...known.values()].sort((a, b) => a.revision - b.revision);
  }

  /** The text of a revision; the last ones that were asked for are kept. */
  text(revision: number): Promise<string> {
    let text = this.#texts.get(revision);
    if (!text) {
      text = revision === 0 ? Promise.resolve("") : this.room.room.history.textAt({ revision }).then((answer) => answer.text);
      text.catch(() => this.#texts.delete(revision));
      this.#texts.set(revision, text);
      if (this.#texts.size > 40) this.#texts.delete(this.#texts.keys().next().value!);
    }
    return text;
  }

  async operation(revision: number): Promise<WireOperation | null> {
    const { entries } = await this.room.room.history.log(revision, 1);
    const command = entries[0]?.command;
    return command && "edit" in command ? command.edit : null;
  }
}

function stepOf({ revision, participant, time_ms: time, command }: Entry): Step {
  let inserted = 0, deleted = 0, what = "", listed = true;
  if ("edit" in command) for (const part of command.edit) { if (typeof part === "string") inserted += part.length; else if (part < 0) deleted -= part; }
  else if ("settings" in command) what = "changed the settings";
  else if ("name_version" in command) what = `named a version “${command.name_version.name}”`;
  else if ("remove_version" in command) what = `removed the name “${command.remove_version.name}”`;
  else if ("set_role" in command) what = "changed a role";
  else {
    listed = false;
    what = "chat" in command ? "wrote in the chat" : "comment" in command ? "commented" : "came";
  }
  return { revision, participant, time, inserted, deleted, edit: "edit" in command, what, listed };
}

/** Steps of one author without a longer pause between them. */
export interface Sitting { first: number; last: number; participant: ParticipantId; time: number; inserted: number; deleted: number; what: string }

const PAUSE_MS = 120_000;

/** The newest first. */
export function sittings(steps: readonly Step[]): Sitting[] {
  const all: Sitting[] = [];
  let end = 0;
  for (const step of steps) {
    if (!step.listed) continue;
    const last = all.at(-1);
    if (step.edit && last && !last.what && last.participant === step.participant && step.time - end < PAUSE_MS) {
      last.last = step.revision; last.time = step.time; last.inserted += step.inserted; last.deleted += step.deleted;
    } else all.push({ first: step.revision, last: step.revision, participant: step.participant, time: step.time, inserted: step.inserted, deleted: step.deleted, what: step.what });
    end = step.time;
  }
  return all.reverse();
}
