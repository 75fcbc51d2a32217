import type { ChangeSet, Text } from "@codemirror/state";

import type { ConnectionStatus } from "../connection.js";
import type { MotetError } from "../errors.js";
import type { Draft, RoomRecord } from "../storage/storage.js";
import type { Entry, ParticipantId, Role, RoomSettings, SignalKind } from "../wire.js";

/** How to open a room. */
export interface RoomOptions {
  /** Makes the room if there is none. `true`, or the settings of a new room. */
  create?: boolean | Partial<RoomSettings>;
  /** Whether to hear of the others' presence. Default true. */
  presence?: boolean;
  /** @internal What to go on from: a courier's record, and the text at its revision. */
  record?: { record: RoomRecord; text: Text };
}

/** Whether what was typed here is in the log. */
export interface SaveState {
  /**
   * `saved`: the server has acknowledged everything, durably. `saving`: something is on its way. `offline`: there is no connection;
   * what was typed waits. `refused`: the server did not take an edit; it is kept as a draft (see {@link Room.clearRefused}).
   */
  state: "saved" | "saving" | "offline" | "refused";
  /** Edits and other commands that are not acknowledged. */
  waiting: number;
  /** Whether what waits is written down on this device, so that it outlives this page. */
  kept: boolean;
  /** Why, where the state is `refused`, or something could not be written down. */
  error: MotetError | null;
}

/** A change of a room's text. */
export interface ChangeEvent {
  /** The change, in UTF-16 positions of the text before it. */
  changes: ChangeSet;
  /** Whether it was made here, by {@link Room.edit}. */
  local: boolean;
  /** What was given to {@link Room.edit} as `source`; null for a remote change. */
  source: unknown;
  /** Whether it is no edit of anyone's, but the difference to a text that was loaded anew. */
  reset: boolean;
}

/** The undo history of an earlier page, and what was changed since on the text that it counts on. */
export interface RestoredHistory {
  history: unknown;
  text: Text;
  changes: ChangeSet[];
}

/** The events of a room. */
export interface RoomEvents {
  status: ConnectionStatus;
  /** The text is here for the first time. */
  loaded: void;
  /** Whether everything of the server's is here. */
  synced: boolean;
  unsyncedChanges: number;
  save: SaveState;
  change: ChangeEvent;
  /** Someone came, left, moved, or is another now. */
  presence: void;
  role: { role: Role; reason: string };
  /** An entry of the log, one's own among them. Edits come without positions of this package's: as wire operations. */
  entry: Entry;
  signal: { from: ParticipantId; kind: SignalKind; payload: string };
  /** The room is deleted at that time (ms since 1970), unless something happens in it. */
  expiring: number;
  /** Edits could not be saved, and are kept as a draft. */
  draft: Draft;
  /** Something failed, and the room goes on. */
  error: MotetError;
  /** For good: the room was deleted, or may not be entered. {@link Room.connect} tries again. */
  closed: MotetError;
}
