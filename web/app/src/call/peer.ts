import { signal } from "@preact/signals";
import type { ParticipantId, SignalKind } from "@motet/client";

/** The line to one other in a call: WebRTC's "perfect negotiation", in which one of the two gives way when both offer at once. */
export class Peer {
  readonly stream = signal<MediaStream>(new MediaStream());
  readonly state = signal<RTCPeerConnectionState>("new");
  readonly #connection: RTCPeerConnection;
  #offering = false;
  #ignoring = false;
  #ended = false;
  #tasks: Promise<void> = Promise.resolve();

  constructor(
    readonly participant: ParticipantId,
    readonly polite: boolean,
    iceServers: RTCIceServer[],
    tracks: MediaStreamTrack[],
    local: MediaStream,
    readonly send: (kind: SignalKind, payload: string) => void,
  ) {
    const connection = (this.#connection = new RTCPeerConnection({ iceServers }));
    // One line for each kind from the beginning, so that a camera that is switched on later needs no new offer.
    for (const kind of ["audio", "video"] as const) connection.addTransceiver(tracks.find((track) => track.kind === kind) ?? kind, { direction: "sendrecv", streams: [local] });
    connection.onnegotiationneeded = () => void this.#offer();
    connection.onicecandidate = ({ candidate }) => { if (candidate) send("candidate", JSON.stringify(candidate)); };
    connection.ontrack = ({ track }) => {
      const add = () => { if (!this.stream.value.getTracks().includes(track)) this.stream.value = new MediaStream([...this.stream.value.getTracks(), track]); };
      add();
      track.onunmute = add;
    };
    connection.onconnectionstatechange = () => {
      this.state.value = connection.connectionState;
      if (connection.connectionState === "failed") connection.restartIce();
    };
  }

  async #offer(): Promise<void> {
    try {
      this.#offering = true;
      await this.#connection.setLocalDescription();
      if (!this.#ended) this.send("offer", JSON.stringify(this.#connection.localDescription));
    } catch (error) {
      if (!this.#ended) console.warn("an offer failed", error);
    } finally {
      this.#offering = false;
    }
  }

  /** Takes what the other sent, one after the other. */
  take(kind: SignalKind, payload: string): void {
    this.#tasks = this.#tasks.then(() => this.#take(kind, payload)).catch((error) => { if (!this.#ended && !this.#ignoring) console.warn("a signal failed", error); });
  }

  async #take(kind: SignalKind, payload: string): Promise<void> {
    const connection = this.#connection;
    if (this.#ended) return;
    if (kind === "candidate") return connection.addIceCandidate(JSON.parse(payload) as RTCIceCandidateInit);
    const description = JSON.parse(payload) as RTCSessionDescriptionInit;
    const collision = description.type === "offer" && (this.#offering || connection.signalingState !== "stable");
    this.#ignoring = !this.polite && collision;
    if (this.#ignoring) return;
    await connection.setRemoteDescription(description);
    if (description.type !== "offer") return;
    await connection.setLocalDescription();
    this.send("answer", JSON.stringify(connection.localDescription));
  }

  /** Sends another track of its kind, or none. */
  replace(kind: "audio" | "video", track: MediaStreamTrack | null): void {
    const sender = this.#connection.getTransceivers().find((one) => one.receiver.track.kind === kind)?.sender;
    void sender?.replaceTrack(track);
  }

  end(): void {
    this.#ended = true;
    this.#connection.close();
  }
}
