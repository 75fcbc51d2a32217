import { Emitter } from "../events.js";
import type { At, Entry, Member, RoleEntry, RoomSettings, Standing } from "../wire.js";
import type { Follower, RoomContext } from "./context.js";

/** What is set in a room, and who may do what. */
export interface SettingsState {
  revision: number;
  settings: RoomSettings;
  owner: string | null;
  roles: RoleEntry[];
}

/** A room's settings and roles. `current` is kept up to date from the first {@link read} on. */
export class Settings extends Emitter<{ change: SettingsState }> implements Follower {
  readonly #room: RoomContext;
  #current: SettingsState | null = null;
  #reading: Promise<SettingsState> | null = null;

  constructor(room: RoomContext) {
    super();
    this.#room = room;
  }

  /** As last read and followed since; null before the first {@link read}. */
  get current(): SettingsState | null {
    return this.#current;
  }

  /** Reads them, now or at a place in history. */
  async read(at: At = "head"): Promise<SettingsState> {
    const answer = await this.#room.ask({ type: "read_settings", room: this.#room.name, at });
    const state: SettingsState = { revision: answer.revision, settings: answer.settings, owner: answer.owner ?? null, roles: answer.roles };
    if (at === "head") {
      this.#current = state;
      this.emit("change", state);
    }
    return state;
  }

  /** Changes some of them; an empty text, an empty list or 0 takes a setting away. Takes an editor, for `public`, `project` and `ttl_s` a host. */
  change(settings: Partial<RoomSettings>): Promise<number> {
    return this.#room.command({ settings });
  }

  /** Gives a member a role, the public one, or a ban. Takes a host. */
  setRole(member: Member, standing: Standing): Promise<number> {
    return this.#room.command({ set_role: { member, standing } });
  }

  /** @internal */
  fold({ command }: Entry): void {
    if ("settings" in command || "set_role" in command) this.reset();
  }

  /** @internal */
  reset(): void {
    if (!this.#current || this.#reading) return;
    const reading = (this.#reading = this.read());
    const done = () => void (this.#reading = null);
    reading.then(done, done);
  }
}
