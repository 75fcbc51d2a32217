import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Mic, MicOff, MonitorUp, Phone, PhoneOff, Settings, Video, VideoOff } from "lucide";
import type { Human, OpenRoom } from "../live/room";
import { cssOf, initials } from "../people";
import { Icon } from "../ui/icon";
import { MenuButton, type MenuEntry } from "../ui/menu";
import { Call } from "./call";
import { watchLoudness } from "./loudness";
import { calling } from "./state";

/** The call above the text: who is in it, seen before joining too, and one's own switches. */
export function CallBar({ room }: { room: OpenRoom }) {
  const call = useSignal<Call | null>(null);
  useEffect(() => {
    if (!calling.value) { call.value?.leave(); call.value = null; return; }
    if (call.value) return;
    const own = new Call(room);
    call.value = own;
    void own.join().then((joined) => { if (!joined) { own.leave(); call.value = null; calling.value = false; } });
  }, [calling.value]);
  useEffect(() => () => call.value?.leave(), []);
  const there = room.others.value.filter((human) => human.call);
  if (call.value && calling.value) return <Joined room={room} call={call.value} there={there} />;
  if (!there.length) return null;
  return (
    <div class="callbar row" role="status"><Icon of={Phone} size={15} />
      <span class="grow cut">{there.map((human) => human.name).join(", ")} {there.length === 1 ? "is" : "are"} in a call</span>
      <button type="button" class="button main" onClick={() => { calling.value = true; }}>Join</button></div>
  );
}

function Joined({ room, call, there }: { room: OpenRoom; call: Call; there: Human[] }) {
  const self = room.self.value;
  const devices = useSignal<MediaDeviceInfo[]>([]);
  useEffect(() => { void navigator.mediaDevices.enumerateDevices().then((all) => { devices.value = all; }); }, [call.audio.value, call.video.value]);
  const choices = (): MenuEntry[] => [
    { heading: "Microphone" }, ...devices.value.filter(({ kind }) => kind === "audioinput").map(({ label, deviceId }) => ({ label: label || "Microphone", chosen: call.local.value.getAudioTracks()[0]?.getSettings().deviceId === deviceId, run: () => void call.microphone(deviceId) })),
    { heading: "Camera" }, ...devices.value.filter(({ kind }) => kind === "videoinput").map(({ label, deviceId }) => ({ label: label || "Camera", chosen: call.local.value.getVideoTracks()[0]?.getSettings().deviceId === deviceId, run: () => void call.camera(deviceId) })),
  ];
  return (
    <section class="callbar joined" aria-label="Call">
      <div class="tiles">
        <Tile name={`${self.name} (you)`} hue={self.hue} stream={call.local.value} video={call.video.value || call.screen.value} muted={!call.audio.value} own />
        {there.map((human) => { const peer = call.peers.value.get(human.participant); return (
          <Tile key={human.participant} name={human.name} hue={human.hue} stream={peer?.stream.value ?? null} video={!!(human.call?.video || human.call?.screen)} muted={!human.call?.audio} waiting={peer?.state.value !== "connected"} />); })}
      </div>
      <div class="row tight">
        <button type="button" class="button only" aria-pressed={call.audio.value} aria-label={call.audio.value ? "Mute" : "Unmute"} title={call.audio.value ? "Mute" : "Unmute"} onClick={() => call.mute()}><Icon of={call.audio.value ? Mic : MicOff} /></button>
        <button type="button" class="button only" aria-pressed={call.video.value} aria-label={call.video.value ? "Camera off" : "Camera on"} title="Camera" onClick={() => void call.camera()}><Icon of={call.video.value ? Video : VideoOff} /></button>
        <button type="button" class="button only" aria-pressed={call.screen.value} aria-label={call.screen.value ? "Stop showing the screen" : "Show the screen"} title="Screen" onClick={() => void call.share()}><Icon of={MonitorUp} /></button>
        <MenuButton label="Devices" items={choices}><Icon of={Settings} /></MenuButton>
        <button type="button" class="button danger" aria-label="Leave the call" onClick={() => { calling.value = false; }}><Icon of={PhoneOff} /> Leave</button>
      </div>
    </section>
  );
}

function Tile({ name, hue, stream, video, muted, own, waiting }: { name: string; hue: string; stream: MediaStream | null; video: boolean; muted: boolean; own?: boolean; waiting?: boolean }) {
  const element = useRef<HTMLVideoElement>(null);
  const speaks = useSignal(false);
  useEffect(() => { if (element.current && element.current.srcObject !== stream) element.current.srcObject = stream; }, [stream]);
  useEffect(() => (stream ? watchLoudness(stream, (now) => { speaks.value = now; }) : undefined), [stream, muted]);
  return (
    <figure class={`tile${speaks.value && !muted ? " speaks" : ""}`} style={{ "--who": cssOf(hue) }}>
      <video ref={element} autoPlay playsInline muted={own} hidden={!video} aria-label={`Video of ${name}`} />
      {!video && <span class="face" aria-hidden="true" data-initials={initials(name)} />}
      <figcaption class="cut">{muted && <Icon of={MicOff} size={12} />} {name}{waiting && !own && " …"}</figcaption>
    </figure>
  );
}
