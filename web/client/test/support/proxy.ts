import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** A TCP proxy that cuts, holds and drops: what real networks do to a line. */
export class Proxy {
  port = 0;
  /** Whether new connections are refused. */
  refusing = false;
  readonly #server: Server;
  readonly #pairs = new Set<[client: Socket, server: Socket]>();
  #heldUp = false;
  #heldDown = false;
  #release: NodeJS.Timeout | undefined;
  #target: () => string;

  constructor(target: () => string) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  #accept(client: Socket): void {
    if (this.refusing) return void client.destroy();
    const [host, port] = this.#target().split(":") as [string, string];
    const server = connect(Number(port), host);
    const pair: [Socket, Socket] = [client, server];
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => this.#end(pair));
    }
    client.on("data", (data) => server.write(data));
    server.on("data", (data) => client.write(data));
    this.#apply(pair);
  }

  #end(pair: [Socket, Socket]): void {
    this.#pairs.delete(pair);
    for (const socket of pair) socket.destroy();
  }

  #apply([client, server]: [Socket, Socket]): void {
    // A socket that is not read: bytes stay in the network, as on a line that has gone dead.
    if (this.#heldUp) client.pause();
    else client.resume();
    if (this.#heldDown) server.pause();
    else server.resume();
  }

  /** Holds what is under way in a direction, without closing anything, for so long or until the next call; or lets go of it. */
  hold(up: boolean, down: boolean, ms = 0): void {
    clearTimeout(this.#release);
    if (ms) this.#release = setTimeout(() => this.hold(false, false), ms);
    this.#heldUp = up;
    this.#heldDown = down;
    for (const pair of this.#pairs) this.#apply(pair);
  }

  /** Cuts every connection. */
  cut(): void {
    for (const pair of [...this.#pairs]) {
      pair[0].resetAndDestroy();
      this.#end(pair);
    }
  }

  get connections(): number {
    return this.#pairs.size;
  }

  stop(): void {
    clearTimeout(this.#release);
    this.cut();
    this.#server.close();
  }
}
