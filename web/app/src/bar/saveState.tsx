import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Check, CloudOff, LoaderCircle, TriangleAlert } from "lucide";
import type { OpenRoom } from "../live/room";
import { count } from "../time";
import { Icon } from "../ui/icon";

/** "Saving" is said only if it takes so long. */
const PATIENCE_MS = 400;

/** Whether what was typed is safe, in words that are true: "Saved" means acknowledged, which is durable. */
export function SaveState({ room }: { room: OpenRoom }) {
  const slow = useSignal(false);
  useSignalEffect(() => {
    if (room.save.value.state !== "saving") { slow.value = false; return; }
    const timer = setTimeout(() => { slow.value = true; }, PATIENCE_MS);
    return () => clearTimeout(timer);
  });
  const { state, waiting, kept } = room.save.value;
  if (room.closed.value) return null;
  if (state === "refused") return <Words icon={TriangleAlert} class="problem" words="Not saved" />;
  if (state === "offline" || room.status.value !== "connected") {
    const edits = waiting ? `Offline, ${count(waiting, "edit")} kept ${kept ? "on this device" : "in this tab"}` : room.ready.value ? "Offline" : "Connecting";
    return <><Words icon={CloudOff} words={edits} /><Again room={room} /></>;
  }
  if (!room.ready.value) return <Words icon={LoaderCircle} words="Opening" />;
  if (state === "saving" && slow.value) return <Words icon={LoaderCircle} words="Saving" />;
  return <Words icon={Check} words={room.canEdit.value ? "Saved" : "Up to date"} />;
}

function Words({ icon, words, class: name = "" }: { icon: Parameters<typeof Icon>[0]["of"]; words: string; class?: string }) {
  return <span class={`save muted ${name}`} role="status" data-testid="save"><Icon of={icon} size={14} /><span>{words}</span></span>;
}

/** When the next attempt is made, and a way to make it now. */
function Again({ room }: { room: OpenRoom }) {
  const seconds = useSignal(0);
  useEffect(() => {
    const look = () => { seconds.value = Math.ceil(((room.retryAt() ?? 0) - Date.now()) / 1000); };
    look();
    const timer = setInterval(look, 500);
    return () => clearInterval(timer);
  }, []);
  if (seconds.value < 1) return null;
  return <span class="again muted nums">again in {seconds.value} s · <button type="button" class="link" onClick={() => room.connectNow()}>now</button></span>;
}
