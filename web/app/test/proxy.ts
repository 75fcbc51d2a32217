import { connect, createServer, type Server as TcpServer, type Socket } from "node:net";

/** A TCP proxy in front of a server: it passes bytes on, holds them back (the line is dead, no socket closes), cuts connections, or refuses them. */
export class Proxy {
  mode: "pass" | "hold" | "refuse" = "pass";
  port = 0;
  readonly #sockets = new Set<Socket>();
  #held: (() => void)[] = [];
  #server: TcpServer | null = null;

  constructor(readonly to: () => number) {}

  get url() { return `http://127.0.0.1:${this.port}`; }

  async start(): Promise<this> {
    this.#server = createServer((client) => {
      if (this.mode === "refuse") { client.resetAndDestroy(); return; }
      const server = connect(this.to(), "127.0.0.1");
      for (const socket of [client, server]) { this.#sockets.add(socket); socket.on("close", () => this.#sockets.delete(socket)); }
      const pass = (from: Socket, to: Socket) => {
        from.on("data", (data) => { if (this.mode === "hold") this.#held.push(() => { if (!to.destroyed) to.write(data); }); else to.write(data); });
        from.on("error", () => to.destroy());
        from.on("close", () => { if (this.mode !== "hold") to.destroy(); });
      };
      pass(client, server);
      pass(server, client);
    });
    await new Promise<void>((done) => this.#server!.listen(0, "127.0.0.1", done));
    this.port = (this.#server!.address() as { port: number }).port;
    return this;
  }

  /** From now on nothing passes, and no one is told. */
  hold(): void { this.mode = "hold"; }

  /** Passes on again; what was held goes first, or is lost with `drop`. */
  release({ drop = false } = {}): void {
    this.mode = "pass";
    const held = this.#held;
    this.#held = [];
    if (!drop) for (const go of held) go();
  }

  /** Cuts all connections, and refuses new ones until {@link release}. */
  cut(): void {
    this.mode = "refuse";
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#held = [];
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((done) => this.#server!.close(done));
  }
}
