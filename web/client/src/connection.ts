import { env, later, type WebSocketConstructor, type WebSocketLike } from "./env.js";
import { MotetError } from "./errors.js";
import type { ClientMessage, ServerMessage, WelcomeMessage } from "./wire.js";

/** Where a connection stands. `connecting` covers the handshake: `connected` means that the server has greeted. */
export type ConnectionStatus = "connecting" | "connected" | "disconnected";

/** Times of a connection, in ms. */
export interface ConnectionTimes {
  /** For the socket and the greeting to come about. */
  handshakeMs: number;
  /** Nothing heard for so long: the client asks. Also asked when the browser says that it is online again. */
  quietMs: number;
  /** No answer to that for so long: the line is dead, and a new one is made. */
  deadMs: number;
  /** First and longest wait before another attempt; they double, and each is cut by a random part of up to a half. */
  retryMs: number;
  retryMaxMs: number;
}

export const CONNECTION_TIMES: ConnectionTimes = { handshakeMs: 15_000, quietMs: 10_000, deadMs: 10_000, retryMs: 500, retryMaxMs: 30_000 };

/** A deadline for an answer right after the network came back, or while an edit waits. */
const URGENT_MS = 4_000;

/** What a connection needs of its owner. */
export interface ConnectionHost {
  readonly url: string;
  readonly WebSocket: WebSocketConstructor;
  /** Makes the greeting; asked anew before each. */
  hello(): Promise<ClientMessage & { type: "hello" }>;
  status(status: ConnectionStatus, error: MotetError | null): void;
  welcome(message: WelcomeMessage): void;
  message(message: ServerMessage): void;
}

/** The client cannot get in, and trying the same again would not help. */
const FATAL = new Set(["unauthorized", "unsupported_protocol", "bad_argument", "hello_required", "forbidden", "account_disabled"]);

/**
 * One WebSocket at a time, made anew when it is lost. A dead line is noticed by silence, not by `onclose` alone; the listeners of an old
 * socket are dropped with it, so that nothing of it is heard later.
 */
export class Connection {
  status: ConnectionStatus = "disconnected";
  /** When the next attempt is made (ms since 1970); null while none is planned. */
  retryAt: number | null = null;
  /** Why the last connection ended. */
  error: MotetError | null = null;

  readonly #host: ConnectionHost;
  readonly #times: ConnectionTimes;
  #socket: WebSocketLike | null = null;
  #wanted = false;
  #attempts = 0;
  #askedAgain = false;
  #heard = 0;
  #stopTimer: () => void = () => {};
  #stopWatch: () => void = () => {};
  #stopRetry: () => void = () => {};
  #generation = 0;
  readonly #online = () => this.wake();

  constructor(host: ConnectionHost, times: Partial<ConnectionTimes>) {
    this.#host = host;
    this.#times = { ...CONNECTION_TIMES, ...times };
  }

  /** Connects, now and whenever the connection is lost, until {@link close}. */
  open(): void {
    if (this.#wanted) {
      if (!this.#socket) this.#attempt();
      return;
    }
    this.#wanted = true;
    this.#attempts = 0;
    this.#askedAgain = false;
    env.addEventListener?.("online", this.#online);
    this.#attempt();
  }

  /** Ends the connection and does not come again. */
  close(): void {
    this.#wanted = false;
    this.#stopRetry();
    this.retryAt = null;
    env.removeEventListener?.("online", this.#online);
    this.#drop();
    this.#set("disconnected", null);
  }

  /** Sends a message if there is a connection. */
  send(message: ClientMessage): boolean {
    if (this.status !== "connected" || this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Makes sure within some seconds that the line is alive: for when an answer is waited for. */
  probe(): void {
    if (this.status === "connected") this.#ask(URGENT_MS);
  }

  /** The network is back, or the page is looked at again: what is there is asked whether it lives, and what is not is tried at once. */
  wake(): void {
    if (this.status === "connected") return this.#ask(URGENT_MS);
    if (!this.#wanted) return;
    this.#attempts = 0;
    this.#attempt();
  }

  #set(status: ConnectionStatus, error: MotetError | null): void {
    if (error) this.error = error;
    if (status === "connected") this.error = null;
    if (status === this.status && !error) return;
    this.status = status;
    this.#host.status(status, error);
  }

  #drop(): void {
    this.#generation++;
    this.#stopTimer();
    this.#stopWatch();
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // `ws` throws an error that no one listens for.
    socket.onerror = () => {};
    try {
      socket.close();
    } catch {
      // It was not open yet; then there is nothing to close.
    }
  }

  #attempt(): void {
    this.#drop();
    this.#stopRetry();
    this.retryAt = null;
    this.#set("connecting", null);
    const generation = this.#generation;
    const current = () => generation === this.#generation;
    this.#stopTimer = later(this.#times.handshakeMs, () => this.#lost(new MotetError("connection_lost", "the server does not answer")));
    let socket: WebSocketLike;
    try {
      socket = new this.#host.WebSocket(this.#host.url) as WebSocketLike;
    } catch (error) {
      this.#lost(new MotetError("connection_lost", `no socket to ${this.#host.url}: ${String(error)}`));
      return;
    }
    this.#socket = socket;
    socket.onopen = () => {
      this.#host.hello().then(
        (hello) => current() && socket.send(JSON.stringify(hello)),
        (error: unknown) => {
          if (!current()) return;
          // A refusal (of a token that was signed out, say) is final; trouble on the way to the token is not.
          const known = error instanceof MotetError ? error : new MotetError("connection_lost", `no token: ${String(error)}`);
          if (FATAL.has(known.code)) this.#refused(known);
          else this.#lost(known);
        },
      );
    };
    socket.onmessage = ({ data }) => {
      if (!current()) return;
      this.#heard = Date.now();
      if (typeof data !== "string") return this.#lost(new MotetError("bad_message", "the server answered in another form than JSON"));
      this.#take(JSON.parse(data) as ServerMessage);
    };
    socket.onclose = socket.onerror = () => {
      if (current()) this.#lost(new MotetError("connection_lost", "the connection was lost"));
    };
  }

  #take(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#stopTimer();
        this.#attempts = 0;
        this.#askedAgain = false;
        this.#watch();
        // Who hears that there is a connection finds everything in place that the greeting tells.
        this.status = "connected";
        this.error = null;
        this.#host.welcome(message);
        this.#host.status("connected", null);
        return;
      case "ping":
        this.#socket?.send(JSON.stringify({ type: "pong", nonce: message.nonce }));
        return;
      case "pong":
        return;
      case "bye": {
        const error = MotetError.from(message.error);
        // A token may have run out on the way: it is asked for once more.
        if (error.code === "unauthorized" && !this.#askedAgain) {
          this.#askedAgain = true;
          this.#lost(error, 0);
        } else if (FATAL.has(error.code)) this.#refused(error);
        else this.#lost(error, error.retryAfterMs);
        return;
      }
      default:
        this.#host.message(message);
    }
  }

  #refused(error: MotetError): void {
    this.#wanted = false;
    this.#stopRetry();
    env.removeEventListener?.("online", this.#online);
    this.#drop();
    this.#set("disconnected", error);
  }

  #lost(error: MotetError, wait: number | null = null): void {
    this.#drop();
    if (!this.#wanted) return this.#set("disconnected", error);
    const longest = Math.min(this.#times.retryMaxMs, this.#times.retryMs * 2 ** Math.min(this.#attempts, 16));
    this.#attempts++;
    const ms = Math.max(wait ?? 0, wait === 0 ? 0 : longest * (0.5 + Math.random() / 2));
    this.retryAt = Date.now() + ms;
    this.#stopRetry();
    this.#stopRetry = later(ms, () => this.#attempt());
    this.#set("disconnected", error);
  }

  #watch(): void {
    this.#stopWatch();
    this.#heard = Date.now();
    const look = () => {
      const quiet = Date.now() - this.#heard;
      if (quiet >= this.#times.quietMs) this.#ask(this.#times.deadMs);
      else this.#stopWatch = later(this.#times.quietMs - quiet, look);
    };
    this.#stopWatch = later(this.#times.quietMs, look);
  }

  /** Pings; if nothing at all is heard within `ms`, the line is dead. */
  #ask(ms: number): void {
    this.#stopWatch();
    const asked = Date.now();
    this.send({ type: "ping", nonce: asked % 1_000_000_000 });
    this.#stopWatch = later(ms, () => {
      if (this.#heard >= asked) this.#watch();
      else this.#lost(new MotetError("connection_lost", "the server has fallen silent"));
    });
  }
}
