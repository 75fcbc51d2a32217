import { effect, signal } from "@preact/signals";
import type { ParticipantId } from "@motet/client";
import type { OpenRoom } from "../live/room";
import { announce } from "../ui/announce";
import { toast } from "../ui/toast";
import { Peer } from "./peer";
import { calling } from "./state";

/** Each sends to each: more people than this are too much for most lines. */
export const PEOPLE_MAX = 6;

/** One's own part in the room's call. */
export class Call {
  readonly peers = signal<ReadonlyMap<ParticipantId, Peer>>(new Map());
  readonly audio = signal(false);
  readonly video = signal(false);
  readonly screen = signal(false);
  readonly local = signal(new MediaStream());
  #ends: (() => void)[] = [];
  #iceServers: RTCIceServer[] = [];
  #over = false;

  constructor(readonly room: OpenRoom) {}

  /** Asks for the microphone, then calls all who are in the call. Without one, one can listen. */
  async join(): Promise<boolean> {
    const { room } = this;
    if (!navigator.mediaDevices) {
      toast("Calls need HTTPS: browsers give microphone and camera only to secure pages.");
      return false;
    }
    if (room.others.value.filter((human) => human.call).length >= PEOPLE_MAX) {
      toast(`There are ${PEOPLE_MAX} people in the call already, which is as many as fit.`);
      return false;
    }
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      this.#set(stream.getAudioTracks()[0] ?? null, "audio");
    } catch {
      toast("The browser gives no microphone. You can listen.");
    }
    // A server without a relay says so; calls then work where the browsers reach each other.
    this.#iceServers = await room.motet.turn().then(({ iceServers }) => iceServers, () => []);
    if (this.#over) return false;
    this.#ends = [
      room.room.on("signal", ({ from, kind, payload }) => {
        if (kind === "hangup") this.#drop(from);
        else this.#peer(from)?.take(kind, payload);
      }),
      effect(() => {
        const there = new Set(room.others.value.filter((human) => human.call).map((human) => human.participant));
        for (const participant of there) this.#peer(participant);
        for (const participant of this.peers.peek().keys()) if (!there.has(participant)) this.#drop(participant);
      }),
      effect(() => room.room.setPresence({ call: { audio: this.audio.value, video: this.video.value, screen: this.screen.value } })),
    ];
    announce("You are in the call.", true);
    return true;
  }

  #peer(participant: ParticipantId): Peer | undefined {
    const known = this.peers.peek().get(participant);
    if (known || this.#over || this.peers.peek().size >= PEOPLE_MAX) return known;
    const polite = (this.room.participant.peek() ?? "") < participant;
    const peer = new Peer(participant, polite, this.#iceServers, this.local.peek().getTracks(), this.local.peek(), (kind, payload) => this.room.room.signal(participant, kind, payload));
    this.peers.value = new Map(this.peers.peek()).set(participant, peer);
    return peer;
  }

  #drop(participant: ParticipantId): void {
    const peer = this.peers.peek().get(participant);
    if (!peer) return;
    peer.end();
    const left = new Map(this.peers.peek());
    left.delete(participant);
    this.peers.value = left;
  }

  #set(track: MediaStreamTrack | null, kind: "audio" | "video"): void {
    const others = this.local.peek().getTracks().filter((one) => one.kind !== kind || (one.stop(), false));
    this.local.value = new MediaStream(track ? [...others, track] : others);
    for (const peer of this.peers.peek().values()) peer.replace(kind, track);
    if (kind === "audio") this.audio.value = track !== null;
  }

  mute(): void {
    const track = this.local.value.getAudioTracks()[0];
    if (!track) { toast("There is no microphone."); return; }
    track.enabled = !track.enabled;
    this.audio.value = track.enabled;
  }

  async camera(deviceId?: string): Promise<void> {
    if (this.video.value && !deviceId) { this.#set(null, "video"); this.video.value = false; return; }
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360, ...(deviceId && { deviceId }) } });
      this.#set(stream.getVideoTracks()[0] ?? null, "video");
      this.video.value = true;
      this.screen.value = false;
    } catch { toast("The browser gives no camera."); }
  }

  async microphone(deviceId: string): Promise<void> {
    try { this.#set((await navigator.mediaDevices.getUserMedia({ audio: { deviceId } })).getAudioTracks()[0] ?? null, "audio"); } catch { toast("The browser does not give this microphone."); }
  }

  async share(): Promise<void> {
    if (this.screen.value) { this.#set(null, "video"); this.screen.value = false; return; }
    try {
      const track = (await navigator.mediaDevices.getDisplayMedia({ video: true })).getVideoTracks()[0]!;
      this.#set(track, "video");
      this.screen.value = true;
      this.video.value = false;
      track.onended = () => { if (this.screen.value) { this.#set(null, "video"); this.screen.value = false; } };
    } catch { /* The user chose nothing. */ }
  }

  leave(): void {
    if (this.#over) return;
    this.#over = true;
    for (const end of this.#ends) end();
    for (const [participant, peer] of this.peers.value) { this.room.room.signal(participant, "hangup", ""); peer.end(); }
    for (const track of this.local.value.getTracks()) track.stop();
    this.peers.value = new Map();
    this.room.room.setPresence({ call: null });
    calling.value = false;
  }
}
