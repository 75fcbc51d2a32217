import { computed, effect, signal } from "@preact/signals";
import type { CallState, ChatMessage, Comment, ConnectionStatus, Draft, Motet, MotetError, Other, ParticipantId, PresenceStatus, Role, Room, RoomSettings, SaveState, SettingsState } from "@motet/client";
import { COLORS, hueOf, rgbOf, type Hue } from "../people";
import { announce } from "../ui/announce";
import { account } from "./account";
import { color, name } from "./identity";
import { connect } from "./motet";
import { roomToken } from "./grant";

/** A person who has the room open. */
export interface Human {
  participant: ParticipantId;
  name: string;
  account: string | null;
  role: Role;
  hue: Hue;
  status: PresenceStatus;
  /** Whether they write a chat message. */
  typing: boolean;
  following: ParticipantId | null;
  call: CallState | null;
  /** When they last moved or typed, ms since 1970. */
  activeMs: number;
  joinedMs: number;
}

const NO_SETTINGS: RoomSettings = { title: "", language: "", description: "", tags: [], public: "server_default", path: "", ttl_s: 0 };

/** A room that the page shows: the client's room as signals. */
export class OpenRoom {
  readonly status = signal<ConnectionStatus>("connecting");
  readonly save = signal<SaveState>({ state: "saved", waiting: 0, kept: false, error: null });
  readonly ready = signal(false);
  readonly role = signal<Role | null>(null);
  readonly revision = signal(0);
  readonly closed = signal<MotetError | null>(null);
  readonly drafts = signal<Draft[]>([]);
  readonly others = signal<Human[]>([]);
  readonly present = signal(0);
  readonly state = signal<SettingsState | null>(null);
  readonly settings = computed(() => this.state.value?.settings ?? NO_SETTINGS);
  readonly messages = signal<readonly ChatMessage[]>([]);
  readonly comments = signal<Comment[]>([]);
  readonly expires = signal<number | null>(null);
  readonly participant = signal<ParticipantId | null>(null);
  /** Whom this page follows. */
  readonly following = signal<ParticipantId | null>(null);
  readonly canEdit = computed(() => this.ready.value && this.role.value !== "viewer" && this.role.value !== null && !this.closed.value);
  readonly isHost = computed(() => this.role.value === "host");
  readonly self = computed(() => ({ name: account.value ?? name.value, hue: (COLORS.find(([hue]) => hue === color.value) ?? COLORS[0])[0] }));
  readonly motet: Motet;
  readonly room: Room;

  constructor(readonly id: string) {
    this.motet = connect(() => roomToken(id));
    this.room = this.motet.room(id, { create: true });
    this.#listen();
    effect(() => this.room.setPresence({ color: rgbOf(color.value), following: this.following.value }));
    effect(() => this.motet.setName(name.value));
    this.#watchActivity();
  }

  #listen(): void {
    const { room, motet } = this;
    const look = () => { this.status.value = room.status; this.save.value = room.save; };
    motet.on("status", look);
    motet.on("welcome", () => { this.participant.value = motet.participant; void this.loadDrafts(); });
    motet.on("error", (error) => { if (error.code === "unauthorized" && motet.retryAt === null) this.closed.value = error; });
    motet.on("draft", () => void this.loadDrafts());
    room.on("status", () => { look(); if (room.status === "connected") this.closed.value = null; });
    room.on("save", look);
    room.on("synced", look);
    room.on("loaded", () => { this.ready.value = true; this.revision.value = room.revision; });
    room.on("synced", (synced) => { if (synced) { this.role.value = room.role; this.revision.value = room.revision; } });
    room.on("entry", () => { this.revision.value = room.revision; this.expires.value = null; });
    room.on("unsyncedChanges", () => { this.revision.value = Math.max(0, room.revision); });
    room.on("role", ({ role, reason }) => { this.role.value = role; announce(`Your role is ${role} now. ${reason}`, true); });
    room.on("closed", (error) => { this.closed.value = error; });
    room.on("expiring", (ms) => { this.expires.value = ms; });
    room.on("presence", () => this.#people());
    room.settings.on("change", (state) => { this.state.value = state; });
    room.chat.on("change", () => { this.messages.value = room.chat.messages; });
    room.comments.on("change", () => { this.comments.value = room.comments.all; });
    room.on("change", () => { if (this.comments.value.length) this.comments.value = room.comments.all; });
    room.whenLoaded.then(() => {
      this.role.value = room.role;
      void room.settings.read().catch(() => {});
      void room.chat.load().catch(() => {});
    }, () => {});
  }

  #people(): void {
    const before = new Map(this.others.value.map((human) => [human.participant, human]));
    this.others.value = this.room.others.map(human);
    this.present.value = this.room.present;
    if (this.ready.value && before.size + this.others.value.length < 12) {
      for (const { participant, name } of this.others.value) if (!before.has(participant)) announce(`${name} is here.`);
      for (const [participant, { name }] of before) if (!this.others.value.some((other) => other.participant === participant)) announce(`${name} left.`);
    }
  }

  /** One who does nothing for five minutes is idle, one who looks at another tab is away. */
  #watchActivity(): void {
    let timer: ReturnType<typeof setTimeout>;
    let told: PresenceStatus = "active";
    const tell = (status: PresenceStatus) => { if (status !== told) { told = status; this.room.setPresence({ status }); } };
    const active = () => {
      tell(document.hidden ? "away" : "active");
      clearTimeout(timer);
      timer = setTimeout(() => tell("idle"), 300_000);
    };
    for (const event of ["keydown", "pointerdown", "pointermove", "focus"] as const) addEventListener(event, active, { passive: true });
    document.addEventListener("visibilitychange", active);
    active();
  }

  async loadDrafts(): Promise<void> {
    this.drafts.value = (await this.motet.drafts().catch(() => [])).filter((draft) => draft.room === this.id);
  }

  async dropDraft(id: string): Promise<void> {
    await this.motet.dropDraft(id);
    this.room.clearRefused();
    await this.loadDrafts();
  }

  retryAt = () => this.motet.retryAt;
  connectNow = () => this.motet.connect();
  change = (settings: Partial<RoomSettings>) => this.room.settings.change(settings);

  /** Someone's colour and name, here or not. */
  author(participant: ParticipantId, known?: { name: string; account?: string | null }): { name: string; hue: Hue; here: boolean } {
    if (participant === this.participant.value || (known?.account && known.account === account.value)) return { ...this.self.value, here: true };
    const here = this.others.value.find((other) => other.participant === participant || (known?.account && other.account === known.account));
    const name = here?.name || known?.name || known?.account || this.room.author(participant).name || "Guest";
    return { name, hue: here?.hue ?? hueOf(null, known?.account ? hash(known.account) : participant || hash(name)), here: here !== undefined };
  }

  isOwn(participant: ParticipantId, author?: { account?: string | null }): boolean {
    return participant === this.participant.value || (!!author?.account && author.account === account.value);
  }
}

const hash = (words: string) => [...words].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)!) & 0xffffff, 7).toString(16).padStart(6, "0");

export function human(other: Other): Human {
  const { presence } = other;
  return {
    participant: other.participant,
    name: other.author.name || other.author.account || "Guest",
    account: other.author.account ?? null,
    role: other.role,
    hue: hueOf(presence?.color, other.author.account ? hash(other.author.account) : other.participant),
    status: presence?.status ?? "active",
    typing: presence?.typing ?? false,
    following: presence?.following ?? null,
    call: presence?.call ?? null,
    activeMs: other.activeMs,
    joinedMs: other.joinedMs,
  };
}
