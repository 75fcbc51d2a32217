import { MotetError } from "./errors.js";
import type { AnswerMessage, ClientMessage, Question } from "./wire.js";

/** The answers to each kind of question. */
interface Answers {
  create_room: "created";
  delete_room: "deleted";
  list_rooms: "rooms";
  show_room: "room";
  read_text: "text";
  read_log: "log";
  hash_text: "hash";
  authenticate: "authenticated";
  read_settings: "settings";
  read_versions: "versions";
  read_chat: "chat";
  read_comments: "comments";
  mark_read: "marked";
  turn_credentials: "turn";
  complete: "completions";
  summarize: "summary";
}

/** The answer to a question of this type. */
export type AnswerTo<Q extends Question["type"]> = Extract<AnswerMessage, { type: Answers[Q] }>;

interface Asked {
  question: Question;
  /** Pieces of an answer that comes in several. */
  pieces: AnswerMessage[];
  sent: boolean;
  resolve(answer: AnswerMessage): void;
  reject(error: MotetError): void;
}

/** Questions that change something without being repeatable: they are not asked again after a lost connection. */
const ONCE = new Set<Question["type"]>(["create_room", "delete_room", "authenticate"]);

/** Questions that wait for their answers. What only reads is asked again after a lost connection. */
export class Asks {
  #next = 1;
  #asked = new Map<number, Asked>();
  readonly #send: (message: ClientMessage) => boolean;

  constructor(send: (message: ClientMessage) => boolean) {
    this.#send = send;
  }

  /** A number that no question has. */
  number(): number {
    return this.#next++;
  }

  /** Asks as soon as there is a connection. */
  ask<Q extends Question>(question: Q): Promise<AnswerTo<Q["type"]>> {
    return new Promise((resolve, reject) => {
      const request = this.number();
      const asked: Asked = { question, pieces: [], sent: false, resolve: resolve as (answer: AnswerMessage) => void, reject };
      this.#asked.set(request, asked);
      asked.sent = this.#send({ ...question, request } as ClientMessage);
    });
  }

  /** Takes an answer. */
  answer(message: AnswerMessage): void {
    const asked = this.#asked.get(message.request);
    if (!asked) return;
    if ((message.type === "text" || message.type === "comments") && !message.last) {
      asked.pieces.push(message);
      return;
    }
    this.#asked.delete(message.request);
    asked.resolve(joined(asked.pieces, message));
  }

  /** Takes an error about a question. Returns whether there was such a question. */
  refused(request: number, error: MotetError): boolean {
    const asked = this.#asked.get(request);
    this.#asked.delete(request);
    asked?.reject(error);
    return asked !== undefined;
  }

  /** The connection is lost: what cannot be asked again fails. */
  lost(error: MotetError): void {
    for (const [request, asked] of this.#asked) {
      asked.pieces = [];
      if (asked.sent && ONCE.has(asked.question.type)) this.refused(request, error);
      asked.sent = false;
    }
  }

  /** There is a connection: asks what waits. */
  connected(): void {
    for (const [request, asked] of this.#asked) asked.sent = this.#send({ ...asked.question, request } as ClientMessage);
  }

  /** Nothing will be answered any more. */
  end(error: MotetError): void {
    for (const request of [...this.#asked.keys()]) this.refused(request, error);
  }
}

function joined(pieces: AnswerMessage[], last: AnswerMessage): AnswerMessage {
  if (!pieces.length) return last;
  if (last.type === "text") return { ...last, text: [...pieces, last].map((piece) => (piece as typeof last).text).join("") };
  if (last.type === "comments") return { ...last, comments: [...pieces, last].flatMap((piece) => (piece as typeof last).comments) };
  return last;
}
