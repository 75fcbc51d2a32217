import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Bookmark, ChevronLeft, ChevronRight, GitCompare, Pause, Play, RotateCcw, X } from "lucide";
import type { OpenRoom } from "../live/room";
import { api, wordsOf } from "../live/api";
import { isDark } from "../preferences";
import { count, exact, number } from "../time";
import { announce } from "../ui/announce";
import { Icon } from "../ui/icon";
import { toast } from "../ui/toast";
import type { RoomLog } from "./log";
import { namingVersion } from "./nameVersion";
import { comparing, past } from "./past";

/** A slider through the revisions: a wave in the colours of those who wrote, with the named versions as marks. */
export function TimeBar({ room, log }: { room: OpenRoom; log: RoomLog }) {
  const playing = useSignal(false);
  const revision = past.value ?? 0;
  const head = Math.max(room.revision.value, revision);
  const least = Number.isFinite(log.from.value) ? log.from.value - 1 : 0;
  const step = log.steps.value.find((one) => one.revision === revision);
  const version = log.versions.value.find((one) => one.revision === revision);
  const go = (to: number) => { past.value = Math.max(0, Math.min(head, to)); };
  const edits = () => log.steps.value.filter((one) => one.edit).map((one) => one.revision);
  const next = () => go(edits().find((one) => one > revision) ?? head);
  const previous = () => go(edits().findLast((one) => one < revision) ?? least);
  useSignalEffect(() => {
    if (!playing.value) return;
    const all = edits();
    const pace = Math.max(60, Math.min(400, 60_000 / Math.max(1, all.length)));
    const timer = setInterval(() => {
      const to = all.find((one) => one > (past.peek() ?? 0));
      if (to === undefined) playing.value = false; else past.value = to;
    }, pace);
    return () => clearInterval(timer);
  });
  const restore = async () => {
    try {
      await api(`rooms/${room.id}/restore`, { method: "POST", body: { at: String(revision) } });
      past.value = null;
      toast(`The text of revision ${number(revision)} is back. What came after it stays in the history.`);
      announce("The text was restored.");
    } catch (error) { toast(wordsOf(error)); }
  };
  const author = step && log.author(step.participant);
  return (
    <header class="timebar">
      <div class="row tight">
        <button type="button" class="button only" aria-label="Change before" title="Change before" onClick={previous}><Icon of={ChevronLeft} /></button>
        <button type="button" class="button only" aria-label="Next change" title="Next change" onClick={next}><Icon of={ChevronRight} /></button>
        <button type="button" class="button only" aria-label={playing.value ? "Pause" : "Play"} title={playing.value ? "Pause" : "Play"} onClick={() => { if (!playing.value && revision >= head) past.value = least; playing.value = !playing.value; }}><Icon of={playing.value ? Pause : Play} /></button>
        <div class="wave-box grow">
          <Wave log={log} least={least} head={head} />
          <input type="range" min={least} max={head} value={revision} aria-label="Revision" aria-valuetext={`Revision ${revision} of ${head}${author ? `, ${author.name}` : ""}`} onInput={(event) => { playing.value = false; go(Number(event.currentTarget.value)); }} />
        </div>
        <button type="button" class="button only" aria-label="Back to now" title="Back to now" onClick={() => { past.value = null; }}><Icon of={X} /></button>
      </div>
      <div class="row tight about">
        <span class="grow cut nums">
          <strong>{version ? version.name : `Revision ${number(revision)}`}</strong>{" "}
          <span class="muted">{version ? `revision ${number(revision)}, ` : `of ${number(head)}${step ? ", " : ""}`}{step && `${author!.name} ${step.what || what(step.inserted, step.deleted)}, ${exact(step.time)}`}</span>
        </span>
        <button type="button" class="button" aria-pressed={comparing.value} onClick={() => { comparing.value = !comparing.value; }}><Icon of={GitCompare} /> <span>Against now</span></button>
        {room.canEdit.value && <button type="button" class="button" onClick={() => { namingVersion.value = revision; }}><Icon of={Bookmark} /> <span>Name</span></button>}
        {room.canEdit.value && <button type="button" class="button line" onClick={() => void restore()}><Icon of={RotateCcw} /> <span>Restore</span></button>}
      </div>
    </header>
  );
}

export const what = (inserted: number, deleted: number) =>
  inserted && deleted ? `wrote ${number(inserted)} and removed ${number(deleted)}` : inserted ? `wrote ${count(inserted, "character")}` : deleted ? `removed ${count(deleted, "character")}` : "changed nothing";

function Wave({ log, least, head }: { log: RoomLog; least: number; head: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSignal(0);
  useEffect(() => {
    const observer = new ResizeObserver(() => { if (canvas.current) size.value = canvas.current.clientWidth; });
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, []);
  void isDark.value;
  const steps = log.steps.value;
  const versions = log.versions.value;
  useEffect(() => draw(canvas.current!, size.value, log, least, head), [steps, versions, size.value, least, head, isDark.value]);
  return <canvas ref={canvas} class="wave" aria-hidden="true" />;
}

/** Bars of three pixels: their height is how much was changed, their colour who changed most of it. */
function draw(canvas: HTMLCanvasElement, width: number, log: RoomLog, least: number, head: number): void {
  if (!width || head <= least) return;
  const height = 28, dots = devicePixelRatio, step = 3;
  canvas.width = width * dots;
  canvas.height = height * dots;
  const paint = canvas.getContext("2d")!;
  paint.scale(dots, dots);
  const css = getComputedStyle(canvas);
  const count = Math.max(1, Math.floor(width / step));
  const bins = Array.from({ length: count }, () => ({ sum: 0, by: new Map<string, number>() }));
  for (const { revision, participant, inserted, deleted } of log.steps.peek()) {
    const bin = bins[Math.min(count - 1, Math.floor(((revision - least) / (head - least)) * count))];
    if (!bin || revision < least) continue;
    const work = inserted + deleted;
    bin.sum += work;
    bin.by.set(participant, (bin.by.get(participant) ?? 0) + work);
  }
  const most = Math.log1p(Math.max(1, ...bins.map(({ sum }) => sum)));
  bins.forEach(({ sum, by }, i) => {
    if (!sum) return;
    const [participant] = [...by].sort((a, b) => b[1] - a[1])[0]!;
    probe.style.color = `var(--${log.author(participant).hue})`;
    paint.fillStyle = colorOf(canvas);
    const tall = Math.max(2, (Math.log1p(sum) / most) * (height - 4));
    paint.fillRect(i * step, height - tall, step - 1, tall);
  });
  paint.fillStyle = css.color;
  for (const { revision } of log.versions.peek()) paint.fillRect(((revision - least) / (head - least)) * width - 1, 0, 2, height);
}

const probe = document.createElement("span");
/** A custom property with `light-dark()` as a colour that a canvas takes. */
function colorOf(canvas: HTMLCanvasElement): string {
  if (probe.parentNode !== canvas.parentNode) canvas.parentNode!.append(probe);
  return getComputedStyle(probe).color;
}
