import { env, type Fetch } from "./env.js";
import { MotetError } from "./errors.js";
import type { Author, Limits, Durability, Member, ParticipantId, Person, Role, RoleEntry, RoomInfo, Standing, WireOperation } from "./wire.js";

/** The answer to signing in: the tokens, and when they end (ms since 1970). */
export interface SignedIn {
  account: string;
  access_token: string;
  access_expires_ms: number;
  refresh_token: string;
  refresh_expires_ms: number;
}

/** Who a token is for. */
export interface Me {
  account: string | null;
  name: string;
  admin: boolean;
  grant: { target: Target; role: Role; link: string } | null;
  expires_ms: number | null;
}

/** What a link leads to. */
export type Target = { room: string } | { project: string };

/** Where an account is signed in. */
export interface AccountSession {
  id: string;
  client: string;
  created_ms: number;
  used_ms: number;
  expires_ms: number;
  current: boolean;
}

/** An account, as admins see it. */
export interface AccountInfo {
  name: string;
  admin: boolean;
  created_ms: number;
  sessions: number;
}

/** A link that gives a role. */
export interface Link {
  id: string;
  role: Role;
  label: string;
  created_by: string | null;
  created_ms: number;
  expires_ms: number | null;
}

/** A part of a text by one entry; places count scalar values of the text at the blamed revision. */
export interface WireBlameRange {
  start: number;
  end: number;
  revision: number;
  participant: ParticipantId;
  author: Author;
  time_ms: number;
}

/** How much was done. */
export interface Work {
  edits: number;
  others: number;
  inserted: number;
  deleted: number;
}

/** Who is in a room, and who was. */
export interface Participant {
  participant: ParticipantId;
  author: Author;
  present: boolean;
  role: Role | null;
}

/** A project: rooms that belong together. */
export interface Project {
  project: string;
  title: string;
  owner: string | null;
  created_ms: number;
  members: { member: Member; role: Role }[];
  role: Role;
}

/** A place in history over HTTP: a revision, a time (`2026-07-01T12:00:00Z`), `version:NAME`, or `head`. */
export type HttpAt = number | string;

type Query = Record<string, string | number | boolean | undefined>;

const at = encodeURIComponent;

function withQuery(path: string, query: Query): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  return pairs.length ? `${path}?${pairs.map(([key, value]) => `${key}=${at(String(value))}`).join("&")}` : path;
}

/** What the socket does not offer: accounts, links, members, differences, blame, restoring, projects. */
export class Http {
  /** The server's address, without a slash at the end. */
  readonly base: string;
  readonly #token: () => Promise<string | null>;
  readonly #session: string;
  readonly #fetch: Fetch | null;

  /** @internal */
  constructor(server: string, session: string, token: () => Promise<string | null>, fetch?: Fetch) {
    this.base = server.replace(/^ws/i, "http").replace(/\/ws$/, "");
    this.#token = token;
    this.#session = session;
    this.#fetch = fetch ?? null;
  }

  /**
   * Sends a request below the server's address; the body is JSON. Answers that are JSON come parsed, others as text. Errors of the
   * server's are thrown as `MotetError`, with the protocol's codes.
   */
  async request<Answer = unknown>(method: string, path: string, body?: unknown, options: { token?: string | null; headers?: Record<string, string> } = {}): Promise<Answer> {
    const call = this.#fetch ?? env.fetch;
    if (!call) throw new MotetError("no_fetch", "there is no fetch here; give one as an option");
    const token = options.token === undefined ? await this.#token() : options.token;
    const headers = {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      "motet-session": this.#session,
      ...options.headers,
    };
    const response = await call(`${this.base}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    const json = /\bjson\b/.test(response.headers.get("content-type") ?? "") && text ? (JSON.parse(text) as unknown) : null;
    if (response.ok) return (json ?? text) as Answer;
    const problem = (json ?? {}) as { code?: string; detail?: string; title?: string; retry_after_ms?: number };
    throw new MotetError(problem.code ?? "http_failed", problem.detail ?? problem.title ?? `the server answered ${response.status}`, problem.retry_after_ms ?? null);
  }

  /** Accounts: signing in and out. None of these needs the client's own token, but those that say so. */
  readonly auth = {
    /** Makes an account and signs in. */
    register: (name: string, password: string) => this.request<SignedIn>("POST", "/api/auth/register", { name, password }, { token: null }),
    /** Signs in. After too many attempts: `too_many_attempts`, with a time to wait. */
    login: (name: string, password: string) => this.request<SignedIn>("POST", "/api/auth/login", { name, password }, { token: null }),
    /** Gets the next tokens. A refresh token is good once: keep the answer before going on. */
    refresh: (refresh_token: string) => this.request<SignedIn>("POST", "/api/auth/refresh", { refresh_token }, { token: null }),
    /** Ends the session of a refresh token, its open connections too. */
    logout: async (refresh_token: string) => void (await this.request("POST", "/api/auth/logout", { refresh_token }, { token: null })),
    /** Follows a link: a token that lets in with its role. Who is signed in stays who they are. */
    redeem: (link: string, name = "") => this.request<{ token: string; target: Target; role: Role; expires_ms: number }>("POST", "/api/auth/redeem", { link, name }),
    /** Who the client's own token is for. */
    me: () => this.request<Me>("GET", "/api/auth/me"),
    /** Other sessions of the account end. */
    changePassword: async (old: string, password: string) => void (await this.request("POST", "/api/auth/password", { old, new: password })),
    /** Removes the account that is signed in; its name is not given away again. */
    deleteAccount: async (password: string) => void (await this.request("POST", "/api/auth/delete", { password })),
    /** Where the account is signed in, the session used last first. */
    sessions: () => this.request<AccountSession[]>("GET", "/api/auth/sessions"),
    /** Signs out elsewhere; without an id everywhere. */
    endSession: async (id?: string) => void (await this.request("DELETE", `/api/auth/sessions${id === undefined ? "" : `/${at(id)}`}`)),
    /** Stands for the token once, within 30 seconds. */
    ticket: () => this.request<{ ticket: string; expires_ms: number }>("POST", "/api/auth/ticket"),
  };

  /** Accounts of the server, for admins. */
  readonly accounts = {
    /** A page of them, by name. */
    list: (page: { after?: string; limit?: number } = {}) => this.request<AccountInfo[]>("GET", withQuery("/api/auth/accounts", page)),
    /** Makes an account, also where registration is closed. */
    create: (name: string, password: string, admin = false) => this.request<AccountInfo>("POST", "/api/auth/accounts", { name, password, admin }),
    /** Removes an account and ends its sessions. */
    remove: async (name: string) => void (await this.request("DELETE", `/api/auth/accounts/${at(name)}`)),
  };

  /** Links that give a role, to a room or a project. For hosts. */
  readonly links = {
    /** Those that are still good, in the order in which they were made. */
    list: async (target: Target) => (await this.request<{ links: Link[] }>("GET", `${path(target)}/links`)).links,
    /** The secret is told this once; put it behind the `#` of an address. */
    create: (target: Target, link: { role: Role; label?: string; expires_ms?: number | null }) => this.request<{ link: Link; secret: string }>("POST", `${path(target)}/links`, link),
    /** Takes a link back: who followed it is out. */
    revoke: async (target: Target, link: string) => void (await this.request("DELETE", `${path(target)}/links/${at(link)}`)),
  };

  /** Who may do what in a room. */
  roles(room: string): Promise<{ owner: string | null; public: string; role: Role | null; roles: RoleEntry[] }> {
    return this.request("GET", `${path({ room })}/roles`);
  }

  /** Decides what a member may do, at once, also on open connections. Takes a host. */
  setRole(room: string, member: Member, standing: Standing): Promise<{ revision: number }> {
    return this.request("PUT", `${path({ room })}/roles`, { member, standing });
  }

  /** Who is in a room, and who was; those who are there first. */
  async participants(room: string): Promise<Participant[]> {
    return (await this.request<{ participants: Participant[] }>("GET", `${path({ room })}/participants`)).participants;
  }

  /** What differs between two places in history: an operation that makes the later text of the earlier one. */
  diff(room: string, from: HttpAt, to: HttpAt = "head"): Promise<{ from: number; to: number; operation: WireOperation }> {
    return this.request("GET", withQuery(`${path({ room })}/diff`, { from, to }));
  }

  /** The same as a unified diff, for people and for `patch`. */
  unifiedDiff(room: string, from: HttpAt, to: HttpAt = "head"): Promise<string> {
    return this.request("GET", withQuery(`${path({ room })}/diff`, { from, to, format: "unified" }));
  }

  /** Who wrote each part of a text. Places count scalar values; {@link scalarRanges} converts them. */
  blame(room: string, when: HttpAt = "head"): Promise<{ revision: number; ranges: WireBlameRange[] }> {
    return this.request("GET", withQuery(`${path({ room })}/blame`, { at: when }));
  }

  /** Puts the text back as it was at some place in history; what came since stays in the log. */
  restore(room: string, when: HttpAt): Promise<{ revision: number }> {
    return this.request("POST", `${path({ room })}/restore`, { at: String(when) });
  }

  /** Who did how much in a room. */
  statistics(room: string): Promise<{ revision: number; first_ms: number | null; last_ms: number | null; active_ms: number; present_max: number; present: number } & Work & { people?: ({ author: Author; last_ms: number } & Work)[] }> {
    return this.request("GET", `${path({ room })}/statistics`);
  }

  /** Who came and went, the newest first. */
  async activity(room: string): Promise<unknown[]> {
    return (await this.request<{ events: unknown[] }>("GET", `${path({ room })}/activity`)).events;
  }

  /** A room's whole log as JSON Lines, to be imported elsewhere. */
  exportRoom(room: string): Promise<string> {
    return this.request("GET", `${path({ room })}/export`);
  }

  /** The server itself. */
  server(): Promise<{ version: string; protocol: number; durability: Durability; store: string; uptime_s: number; limits: Limits; connections: number }> {
    return this.request("GET", "/api/server");
  }

  /** Projects. */
  readonly projects = {
    /** A page of the projects that one may see, by name. */
    list: async (page: { after?: string; limit?: number } = {}) => this.request<{ projects: Project[]; next?: string | null }>("GET", withQuery("/api/projects", page)),
    /** Makes a project; without a name it is called by a UUID. */
    create: (project?: string, title = "") => this.request<Project>("POST", "/api/projects", { ...(project ? { project } : {}), title }),
    /** A project with its members. */
    show: (project: string) => this.request<Project>("GET", path({ project })),
    /** Gives it another title. */
    rename: (project: string, title: string) => this.request<Project>("PATCH", path({ project }), { title }),
    /** Removes the project; its rooms stay. */
    remove: async (project: string) => void (await this.request("DELETE", path({ project }))),
    /** Gives a member a role in all of a project's rooms; null takes it away. */
    setMember: (project: string, member: Member, role: Role | null) => this.request<Project>("PUT", `${path({ project })}/members`, { member, role }),
    /** The project's files by path. */
    tree: (project: string) => this.request<{ files: { path: string; room: RoomInfo }[]; more: boolean }>("GET", `${path({ project })}/tree`),
    /** Who is in which of the files now. */
    people: (project: string) => this.request<{ files: { path: string; room: string; present: number; people: Person[] }[] }>("GET", `${path({ project })}/people`),
  };
}

const path = (target: Target) => ("room" in target ? `/api/rooms/${at(target.room)}` : `/api/projects/${at(target.project)}`);
