import { useEffect, useRef, useState } from "preact/hooks";
import { api, wordsOf } from "../live/api";
import type { OpenRoom } from "../live/room";
import { roomLog } from "../live/log";
import { isDark } from "../preferences";
import { cssOf, initials } from "../people";
import { ago, count, exact, number } from "../time";
import { Dialog } from "../ui/dialog";
import { statisticsOpen } from "./open";

interface Work { edits: number; others: number; inserted: number; deleted: number }
interface Statistics extends Work { revision: number; first_ms: number | null; last_ms: number | null; active_ms: number; present_max: number; present: number; people: (Work & { author: { name: string; account?: string | null }; last_ms: number })[] }

/** Who did how much in a room, and when. */
export function StatisticsDialog({ room }: { room: OpenRoom }) {
  const [found, setFound] = useState<Statistics | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => { api<Statistics>(`rooms/${room.id}/statistics`).then(setFound, (error) => setProblem(wordsOf(error))); }, []);
  return (
    <Dialog title="Statistics" wide onClose={() => { statisticsOpen.value = false; }}>
      {problem && <p class="problem">{problem}</p>}
      {found && <>
        <dl class="figures">
          <div><dt>Edits</dt><dd>{number(found.edits)}</dd></div>
          <div><dt>Written</dt><dd>{number(found.inserted)}</dd></div>
          <div><dt>Removed</dt><dd>{number(found.deleted)}</dd></div>
          <div><dt>Time at work</dt><dd>{duration(found.active_ms)}</dd></div>
          <div><dt>At once, at most</dt><dd>{number(found.present_max)}</dd></div>
        </dl>
        {found.first_ms !== null && <p class="note">From {exact(found.first_ms)} to {exact(found.last_ms!)}, {count(found.revision, "revision")}.</p>}
        <Chart room={room} />
        <table class="table">
          <thead><tr><th scope="col">Who</th><th scope="col">Edits</th><th scope="col">Written</th><th scope="col">Removed</th><th scope="col">Last</th></tr></thead>
          <tbody>{found.people.map((person, i) => {
            const author = room.author("", person.author);
            return <tr key={i}><th scope="row"><span class="row tight"><span class="face small" style={{ "--who": cssOf(author.hue) }} aria-hidden="true" data-initials={initials(author.name)} /><span class="cut">{author.name}</span></span></th>
              <td>{number(person.edits)}</td><td>{number(person.inserted)}</td><td>{number(person.deleted)}</td><td>{ago(person.last_ms)}</td></tr>;
          })}</tbody>
        </table>
      </>}
    </Dialog>
  );
}

function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Characters written over time. What it shows is in the table of the history as well. */
function Chart({ room }: { room: OpenRoom }) {
  const element = useRef<HTMLDivElement>(null);
  const log = roomLog(room);
  useEffect(() => { log.start(); }, []);
  const steps = log.steps.value;
  useEffect(() => {
    const edits = steps.filter((step) => step.edit);
    if (edits.length < 2) return;
    const first = edits[0]!.time, span = Math.max(60_000, edits.at(-1)!.time - first), bins = 60;
    const times = Array.from({ length: bins }, (_, i) => (first + (span * i) / bins) / 1000);
    const written = new Array<number>(bins).fill(0), removed = new Array<number>(bins).fill(0);
    for (const { time, inserted, deleted } of edits) { const at = Math.min(bins - 1, Math.floor(((time - first) / span) * bins)); written[at]! += inserted; removed[at]! += deleted; }
    let chart: { destroy(): void } | null = null, stale = false;
    void Promise.all([import("uplot"), import("uplot/dist/uPlot.min.css")]).then(([{ default: UPlot }]) => {
      if (stale || !element.current) return;
      const css = (name: string) => { const probe = Object.assign(document.createElement("i"), { style: `color: var(${name})` }); probe.style.color = `var(${name})`; element.current!.append(probe); const color = getComputedStyle(probe).color; probe.remove(); return color; };
      const axis = { stroke: css("--muted"), grid: { stroke: css("--rule"), width: 1 }, ticks: { stroke: css("--rule"), width: 1 } };
      chart = new UPlot({
        width: element.current.clientWidth, height: 180, legend: { show: false }, cursor: { show: false }, axes: [axis, axis], scales: { x: { time: true } },
        series: [{}, { label: "written", stroke: css("--accent"), fill: css("--accent-soft"), paths: UPlot.paths.bars!({ size: [0.8] }) }, { label: "removed", stroke: css("--rose"), paths: UPlot.paths.bars!({ size: [0.4] }) }],
      }, [times, written, removed], element.current);
    });
    return () => { stale = true; chart?.destroy(); };
  }, [steps, isDark.value]);
  if (steps.filter((step) => step.edit).length < 2) return null;
  return <div ref={element} class="chart" role="img" aria-label="Characters written and removed over time" />;
}
