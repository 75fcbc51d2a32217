import type { ChangeDesc, Text } from "@codemirror/state";

import { mapSelection } from "../ot/places.js";
import { fromScalar, scalarLength } from "../text/counts.js";
import type { Author, CallState, ParticipantId, Person, PresenceMessage, PresenceStatus, Role, Selection, WirePresence } from "../wire.js";

/** What a participant tells of itself, with places in UTF-16 units of the room's text. */
export interface Presence {
  /** Carets and selections, at most 64. */
  selections: Selection[];
  /** The first and the last visible place. */
  viewport: Selection | null;
  status: PresenceStatus;
  /** Whether a chat message is being written. */
  typing: boolean;
  /** Colour of the caret, 0xRRGGBB. */
  color: number | null;
  /** The participant whose viewport is followed. */
  following: ParticipantId | null;
  call: CallState | null;
}

/** Another participant of a room. */
export interface Other {
  participant: ParticipantId;
  author: Author;
  role: Role;
  /** Since when it has the room open, ms since 1970. */
  joinedMs: number;
  /** What it tells; null if it has told nothing yet. */
  presence: Presence | null;
  /** When its selections were last heard to have moved, or it edited (ms since 1970); 0 if never. */
  activeMs: number;
}

export const NO_PRESENCE: Presence = {
  selections: [],
  viewport: null,
  status: "active",
  typing: false,
  color: null,
  following: null,
  call: null,
};

interface Known {
  person: Person;
  /** Places count on the server's text. */
  presence: Presence | null;
  activeMs: number;
}

/** The people of a room: a fold over `presence` messages and the edits between them. */
export class People {
  /** Connections that have the room open; in a crowded room more than are known by name. */
  present = 0;
  readonly #known = new Map<ParticipantId, Known>();
  /** The last edits of the server's text, newest last, so that a message about a slightly older revision can be placed. */
  readonly #recent: { revision: number; author: ParticipantId; changes: ChangeDesc }[] = [];

  /** Forgets everyone: another connection tells everything anew. */
  clear(): void {
    this.#known.clear();
    this.#recent.length = 0;
    this.present = 0;
  }

  hear(message: PresenceMessage, base: Text, revision: number): void {
    if (message.whole) this.#known.clear();
    this.present = message.present;
    for (const participant of message.left) this.#known.delete(participant);
    for (const person of message.people) {
      const before = this.#known.get(person.participant);
      this.#known.set(person.participant, { person, presence: before?.presence ?? null, activeMs: before?.activeMs ?? 0 });
    }
    for (const { participant, presence } of message.presence) {
      const known = this.#known.get(participant);
      if (!known) continue;
      const next = this.#placed(presence, participant, base, message.revision, revision);
      if (JSON.stringify(next.selections) !== JSON.stringify(known.presence?.selections)) known.activeMs = Date.now();
      known.presence = next;
    }
  }

  #placed(wire: WirePresence, owner: ParticipantId, base: Text, told: number, revision: number): Presence {
    const length = scalarLength(base);
    // A message about an older revision has its places converted as if nothing had changed, and moved over what came after.
    const since = told < revision ? this.#recent.filter((edit) => edit.revision > told) : [];
    const place = (position: number) => fromScalar(base, Math.min(position, length));
    const selection = ({ anchor, head }: Selection): Selection => {
      let placed: Selection = { anchor: place(anchor), head: place(head) };
      for (const { changes, author } of since) placed = mapSelection(changes, placed, author === owner);
      return placed;
    };
    return {
      ...NO_PRESENCE,
      selections: (wire.selections ?? []).map(selection),
      viewport: wire.viewport ? selection(wire.viewport) : null,
      status: wire.status ?? "active",
      typing: wire.typing ?? false,
      color: wire.color ?? null,
      following: wire.following ?? null,
      call: wire.call ?? null,
    };
  }

  /** Takes in an edit of the server's text. */
  moveOver(revision: number, author: ParticipantId, changes: ChangeDesc): void {
    this.#recent.push({ revision, author, changes });
    if (this.#recent.length > 64) this.#recent.shift();
    const writer = this.#known.get(author);
    if (writer) writer.activeMs = Date.now();
    for (const [participant, known] of this.#known) {
      if (!known.presence) continue;
      const map = (selection: Selection) => mapSelection(changes, selection, participant === author);
      known.presence = {
        ...known.presence,
        selections: known.presence.selections.map(map),
        viewport: known.presence.viewport && map(known.presence.viewport),
      };
    }
  }

  /** Everyone but oneself, by the time they came, with places mapped by `toText`. */
  others(self: ParticipantId | null, toText: (selection: Selection) => Selection): Other[] {
    const others: Other[] = [];
    for (const [participant, { person, presence, activeMs }] of this.#known) {
      if (participant === self) continue;
      others.push({
        participant,
        author: person.author,
        role: person.role,
        joinedMs: person.joined_ms,
        activeMs,
        presence: presence && {
          ...presence,
          selections: presence.selections.map(toText),
          viewport: presence.viewport && toText(presence.viewport),
        },
      });
    }
    return others.sort((a, b) => a.joinedMs - b.joinedMs || (a.participant < b.participant ? -1 : 1));
  }

  /** Who a participant is, if it is here. */
  person(participant: ParticipantId): Person | null {
    return this.#known.get(participant)?.person ?? null;
  }
}
