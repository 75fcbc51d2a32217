import { Emitter } from "../events.js";
import { toScalar, fromScalar } from "../text/counts.js";
import { textOf } from "../text/text.js";
import type { At, ChatMessage, Entry, Member, Quote } from "../wire.js";
import type { Follower, RoomContext } from "./context.js";

/** Something to say. */
export interface NewMessage {
  text: string;
  /** The message that is answered. */
  thread?: number;
  /** A part of the room's text, in its UTF-16 positions. */
  quote?: { start: number; end: number };
}

/** The chat of a room, or one thread of it (see {@link Chat.thread}). `messages` is kept up to date from the first {@link load} on. */
export class Chat extends Emitter<{ change: ChatMessage[]; message: ChatMessage }> implements Follower {
  readonly #room: RoomContext;
  /** The message whose thread this is; null for the messages in no thread. */
  readonly #thread: number | null;
  readonly #threads = new Map<number, Chat>();
  #messages: ChatMessage[] | null = null;
  #more = true;
  #loading: Promise<ChatMessage[]> | null = null;
  /** Entries that came while the first page was on its way. */
  #early: Entry[] = [];

  /** @internal Use {@link Room.chat}. */
  constructor(room: RoomContext, thread: number | null = null) {
    super();
    this.#room = room;
    this.#thread = thread;
  }

  /** The answers to a message: a chat of its own, with the same methods. Messages tell by `replies` how many there are. */
  thread(message: number): Chat {
    if (this.#thread !== null) return this;
    let thread = this.#threads.get(message);
    if (!thread) this.#threads.set(message, (thread = new Chat(this.#room, message)));
    return thread;
  }

  /** What is loaded, the oldest first, without what is said in threads; empty before the first {@link load}. */
  get messages(): readonly ChatMessage[] {
    return this.#messages ?? [];
  }

  /** Whether there are older messages that are not loaded. */
  get more(): boolean {
    return this.#more;
  }

  /** Loads the newest messages, from then on kept up to date. */
  load(limit = 100): Promise<ChatMessage[]> {
    return (this.#loading ??= this.page({ limit }).then(
      ({ messages, more }) => {
        this.#messages = messages;
        this.#more = more;
        this.#loading = null;
        for (const entry of this.#early.splice(0)) this.#apply(entry);
        this.emit("change", messages);
        return messages;
      },
      (error: unknown) => {
        this.#loading = null;
        throw error;
      },
    ));
  }

  /** Loads the page before what is loaded. */
  async loadOlder(limit = 100): Promise<void> {
    const oldest = this.#messages?.[0];
    if (!oldest) return void (await this.load(limit));
    const { messages, more } = await this.page({ before: oldest.message, limit });
    if (this.#messages?.[0] !== oldest) return;
    this.#messages = [...messages, ...this.#messages];
    this.#more = more;
    this.emit("change", this.#messages);
  }

  /** A page, the oldest first, without keeping it. */
  async page(which: { before?: number; at?: At; limit?: number } = {}): Promise<{ messages: ChatMessage[]; more: boolean }> {
    const thread = this.#thread === null ? {} : { thread: this.#thread };
    const { messages, more } = await this.#room.ask({ type: "read_chat", room: this.#room.name, ...thread, ...which, limit: which.limit ?? 100 });
    return { messages: messages.reverse(), more };
  }

  /** Says something; resolves with the message's number. The server finds `@mentions` by itself. */
  say(message: string | NewMessage): Promise<number> {
    const { text, thread, quote } = typeof message === "string" ? ({ text: message } as NewMessage) : message;
    return this.#room.command({ chat: { say: { text, thread: thread ?? this.#thread, quote: quote ? this.#quote(quote) : null } } });
  }

  /** Puts another text in place of one's own message. */
  rewrite(message: number, text: string): Promise<number> {
    return this.#room.command({ chat: { rewrite: { message, text } } });
  }

  /** Takes a message away. A host takes away anyone's. */
  delete(message: number): Promise<number> {
    return this.#room.command({ chat: { delete: { message } } });
  }

  /** Gives an emoji, or takes it back. */
  react(message: number, emoji: string, on = true): Promise<number> {
    return this.#room.command({ chat: { react: { message, emoji, on } } });
  }

  /** Everything up to a message was read by the account; resolves with how many are unread. Guests are refused (`unauthorized`). */
  async markRead(message: number): Promise<number> {
    return (await this.#room.ask({ type: "mark_read", room: this.#room.name, message })).unread;
  }

  /** The text that a message quotes, and where it stood, in UTF-16 positions of the text at that revision. */
  async quoted(quote: Quote): Promise<{ text: string; start: number; end: number }> {
    const { text } = await this.#room.ask({ type: "read_text", room: this.#room.name, at: { revision: quote.revision } });
    const whole = textOf(text);
    const [start, end] = [fromScalar(whole, quote.start), fromScalar(whole, quote.end)];
    return { text: text.slice(start, end), start, end };
  }

  #quote({ start, end }: { start: number; end: number }): Quote {
    const machine = this.#room.machine!;
    // A quote names a revision, so it is of the server's text; what is only here cannot be quoted yet.
    const back = (position: number) => {
      for (const pending of [...machine.queue].reverse()) {
        if (pending.kind === "edit") position = pending.changes.invertedDesc.mapPos(position, 1);
      }
      return toScalar(machine.base, position);
    };
    return { revision: machine.revision, start: back(start), end: back(end) };
  }

  /** @internal */
  fold(entry: Entry): void {
    if (!("chat" in entry.command)) return;
    for (const thread of this.#threads.values()) thread.fold(entry);
    if (this.#loading) this.#early.push(entry);
    else if (this.#messages) this.#apply(entry);
    const said = "say" in entry.command.chat ? this.#said(entry) : null;
    // Each new message is told of once by the room's chat, whichever thread it is in, and by the thread's own.
    if (said && (this.#thread === null || said.thread === this.#thread)) this.emit("message", said);
  }

  /** @internal */
  reset(): void {
    for (const thread of this.#threads.values()) thread.reset();
    if (this.#messages) void this.load(Math.max(100, Math.min(1000, this.#messages.length))).catch(() => {});
  }

  #said(entry: Entry): ChatMessage | null {
    if (!("chat" in entry.command) || !("say" in entry.command.chat)) return null;
    const { text, thread, quote, mentions } = entry.command.chat.say;
    return {
      message: entry.revision,
      participant: entry.participant,
      author: this.#room.author(entry.participant),
      time_ms: entry.time_ms,
      text,
      thread: thread ?? null,
      quote: quote ?? null,
      mentions: mentions ?? [],
      rewritten_ms: null,
      deleted: null,
      replies: 0,
      reactions: [],
    };
  }

  #apply(entry: Entry): void {
    const messages = this.#messages!;
    const last = messages[messages.length - 1];
    const { chat } = entry.command as Extract<Entry["command"], { chat: unknown }>;
    if ("say" in chat) {
      if (last && last.message >= entry.revision) return; // The page that was loaded has it.
      const said = this.#said(entry)!;
      if ((said.thread ?? null) !== this.#thread) {
        if (this.#thread !== null || !messages.some(({ message }) => message === said.thread)) return;
        this.#messages = messages.map((message) => (message.message === said.thread ? { ...message, replies: message.replies + 1 } : message));
      } else {
        this.#messages = [...messages, said];
        // What is said here comes back without the mentions that the server found.
        if (entry.participant === this.#room.participant && said.text.includes("@")) void this.#refresh(entry.revision);
      }
    } else {
      const change =
        "rewrite" in chat
          ? (message: ChatMessage) => ({ ...message, text: chat.rewrite.text, mentions: (chat.rewrite.mentions ?? []) as Member[], rewritten_ms: entry.time_ms })
          : "delete" in chat
            ? (message: ChatMessage) => ({ ...message, text: "", mentions: [], quote: null, reactions: [], deleted: { by: entry.participant, time_ms: entry.time_ms } })
            : (message: ChatMessage) => ({ ...message, reactions: reacted(message, chat.react.emoji, entry.participant, chat.react.on) });
      const number = "rewrite" in chat ? chat.rewrite.message : "delete" in chat ? chat.delete.message : chat.react.message;
      this.#messages = messages.map((message) => (message.message === number && !message.deleted ? change(message) : message));
    }
    this.emit("change", this.#messages);
  }

  async #refresh(number: number): Promise<void> {
    try {
      const [fresh] = (await this.page({ before: number + 1, limit: 1 })).messages;
      if (fresh?.message !== number || !this.#messages) return;
      const { mentions } = fresh;
      this.#messages = this.#messages.map((message) => (message.message === number ? { ...message, mentions } : message));
      this.emit("change", this.#messages);
    } catch {
      // The message stands without its mentions until the next load.
    }
  }
}

function reacted(message: ChatMessage, emoji: string, participant: string, on: boolean): ChatMessage["reactions"] {
  const without = message.reactions
    .map((reaction) => (reaction.emoji === emoji ? { emoji, participants: reaction.participants.filter((other) => other !== participant) } : reaction))
    .filter((reaction) => reaction.participants.length || (on && reaction.emoji === emoji));
  if (!on) return without;
  const there = without.find((reaction) => reaction.emoji === emoji);
  if (!there) return [...without, { emoji, participants: [participant] }];
  return without.map((reaction) => (reaction === there ? { emoji, participants: [...there.participants, participant] } : reaction));
}
