import { useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Bookmark, Trash2, UserSearch } from "lucide";
import { blaming } from "../history/blame";
import { sittings } from "../history/log";
import { namingVersion } from "../history/nameVersion";
import { past } from "../history/past";
import { what } from "../history/timeBar";
import type { OpenRoom } from "../live/room";
import { roomLog } from "../live/log";
import { wordsOf } from "../live/api";
import { cssOf, initials } from "../people";
import { brief, exact, number } from "../time";
import { Icon } from "../ui/icon";
import { toast } from "../ui/toast";

/** Most that the list shows; the slider reaches all. */
const SHOWN = 300;

export function HistoryPanel({ room }: { room: OpenRoom }) {
  const log = roomLog(room);
  useEffect(() => { if (room.ready.value) log.start(); }, [log, room.ready.value]);
  const all = useComputed(() => sittings(log.steps.value));
  const versions = new Map(log.versions.value.map((version) => [version.revision, version]));
  const marked = [...versions.values()].sort((a, b) => b.revision - a.revision);
  return (
    <>
      <div class="row pad tight wrapping">
        <button type="button" class="button" aria-pressed={past.value !== null} onClick={() => { past.value = past.value === null ? room.revision.value : null; }}>{past.value === null ? "Look back" : "Back to now"}</button>
        <button type="button" class="button" aria-pressed={blaming.value} onClick={() => { blaming.value = !blaming.value; }}><Icon of={UserSearch} /> Who wrote this</button>
        {room.canEdit.value && <button type="button" class="button only" aria-label="Name this version" title="Name this version" onClick={() => { namingVersion.value = 0; }}><Icon of={Bookmark} /></button>}
      </div>
      <div class="scroll">
        {marked.length > 0 && (
          <section class="pad"><h3>Named versions</h3>
            <ul>{marked.map((version) => (
              <li key={version.name} class="row tight version">
                <button type="button" class="sitting grow" aria-current={past.value === version.revision} onClick={() => { past.value = version.revision; }}>
                  <span class="row tight"><Icon of={Bookmark} size={14} /><strong class="cut">{version.name}</strong><span class="grow" /><span class="note nums">r{number(version.revision)}</span></span>
                  {version.description && <span class="note cut">{version.description}</span>}
                </button>
                {room.canEdit.value && <button type="button" class="button only" aria-label={`Remove the name ${version.name}`} title="Remove the name" onClick={() => void room.room.versions.remove(version.name).catch((error) => toast(wordsOf(error)))}><Icon of={Trash2} size={14} /></button>}
              </li>))}
            </ul></section>
        )}
        <ol class="sittings">
          {all.value.slice(0, SHOWN).map((one) => {
            const author = log.author(one.participant);
            return (
              <li key={one.last}>
                <button type="button" class="sitting" aria-current={past.value !== null && past.value >= one.first && past.value <= one.last} onClick={() => { past.value = one.last; }} title={exact(one.time)}>
                  <span class="row tight"><span class="face small" style={{ "--who": cssOf(author.hue) }} aria-hidden="true" data-initials={initials(author.name)} /><span class="cut">{author.name}</span><span class="grow" /><span class="note nums">{brief(one.time)}</span></span>
                  <span class="note">{one.what || what(one.inserted, one.deleted)}</span>
                </button>
              </li>
            );
          })}
        </ol>
        {log.loading.value ? <p class="note pad">Loading…</p> : log.from.value > 1 && Number.isFinite(log.from.value) && <p class="pad"><button type="button" class="button" onClick={() => void log.older(20_000)}>Load what is older</button></p>}
        {!all.value.length && !log.loading.value && <p class="note pad">Nothing was written yet.</p>}
      </div>
    </>
  );
}
