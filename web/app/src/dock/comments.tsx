import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Check, EllipsisVertical, MessageSquarePlus, Pencil, RotateCcw, Trash2 } from "lucide";
import type { Comment, CommentItem } from "@motet/client";
import { toEditorPosition } from "@motet/client/codemirror";
import { editor, goTo } from "../editor/view";
import { wordsOf } from "../live/api";
import type { OpenRoom } from "../live/room";
import { Icon } from "../ui/icon";
import { MenuButton, type MenuEntry } from "../ui/menu";
import { toast } from "../ui/toast";
import { Composer } from "./composer";
import { chosenComment, comment as begin, commentingOn } from "./commenting";
import { stacked } from "./margin";
import { Author, Words } from "./message";

const failed = (error: unknown) => toast(wordsOf(error));
const NEW = -1;

/** Comments beside their lines. They push each other down rather than overlap, and scroll with the text. */
export function CommentsPanel({ room }: { room: OpenRoom }) {
  const resolved = useSignal(false);
  const margin = useRef<HTMLDivElement>(null);
  const writing = commentingOn.value;
  const shown = room.comments.value.filter((one) => resolved.value ? one.resolved : !one.resolved);
  const done = room.comments.value.filter((one) => one.resolved).length;
  const can = room.role.value !== "viewer";
  useLayoutEffect(() => arrange(margin.current!, room, writing?.start ?? null));
  useEffect(() => {
    const view = editor.value;
    const again = () => { if (margin.current) arrange(margin.current, room, commentingOn.value?.start ?? null); };
    view?.scrollDOM.addEventListener("scroll", again, { passive: true });
    const sizes = new ResizeObserver(again);
    sizes.observe(margin.current!);
    const timer = setInterval(again, 500);
    return () => { view?.scrollDOM.removeEventListener("scroll", again); sizes.disconnect(); clearInterval(timer); };
  }, [editor.value]);
  return (
    <>
      <div class="row pad tight">
        {can && <button type="button" class="button" onClick={begin}><Icon of={MessageSquarePlus} /> Comment</button>}
        <span class="grow" />
        {done > 0 && <button type="button" class="button" aria-pressed={resolved.value} onClick={() => { resolved.value = !resolved.value; }}>Resolved ({done})</button>}
      </div>
      <div ref={margin} class="margin" onWheel={(event) => editor.value?.scrollDOM.scrollBy({ top: event.deltaY })}>
        {writing && (
          <div class="comment chosen" data-comment={NEW}>
            <Composer room={room} label="Comment" quiet autofocus onCancel={() => { commentingOn.value = null; }}
              send={async (text) => { const { start, end } = writing; await room.room.comments.open(start, end, text); commentingOn.value = null; }} />
          </div>
        )}
        {shown.map((one) => <Card key={one.comment} room={room} comment={one} can={can} />)}
        {!shown.length && !writing && <p class="note pad">{resolved.value ? "None is resolved." : can ? "Select a part of the text and comment on it. Comments follow their place as the text changes." : "There are no comments."}</p>}
      </div>
    </>
  );
}

/** Moves the cards to where their lines are. */
function arrange(margin: HTMLElement, room: OpenRoom, start: number | null): void {
  const view = editor.value;
  if (!view) return;
  const sheet = matchMedia("(max-width: 720px)").matches;
  margin.classList.toggle("flow", sheet);
  const cards = [...margin.querySelectorAll<HTMLElement>(":scope > .comment")];
  if (sheet) { for (const card of cards) card.style.transform = ""; return; }
  const origin = view.documentTop - margin.getBoundingClientRect().top;
  const places = new Map(room.comments.value.map((one) => [one.comment, one.start]));
  const wanted = cards.map((card) => {
    const id = Number(card.dataset.comment);
    const at = id === NEW ? start! : places.get(id) ?? 0;
    const top = view.lineBlockAt(Math.min(view.state.doc.length, toEditorPosition(view, at))).top + origin;
    return { card, top, height: card.offsetHeight, fixed: id === (chosenComment.value ?? NEW) };
  }).sort((a, b) => a.top - b.top);
  const tops = stacked(wanted, 8);
  wanted.forEach(({ card }, i) => { card.style.transform = `translateY(${Math.round(tops[i]!)}px)`; });
}

function Card({ room, comment, can }: { room: OpenRoom; comment: Comment; can: boolean }) {
  const chosen = chosenComment.value === comment.comment;
  const choose = () => { chosenComment.value = comment.comment; };
  const { comments } = room.room;
  return (
    <article class={`comment${chosen ? " chosen" : ""}`} data-comment={comment.comment} aria-label="Comment" onClick={choose} onFocusCapture={choose}>
      <button type="button" class="on mono cut" title="Show in the text" onClick={() => goTo(comment.start)}>{comment.on || "at this place"}</button>
      {comment.items.map((item) => <Item key={item.item} room={room} comment={comment} item={item} />)}
      {can && (chosen || !comment.resolved) && (
        <div class="row tight">
          {chosen ? <div class="grow"><Composer room={room} label="Reply" quiet send={(text) => comments.reply(comment.comment, text)} /></div> : <span class="grow" />}
          {comment.resolved
            ? <button type="button" class="button only" aria-label="Reopen" title="Reopen" onClick={() => void comments.reopen(comment.comment).catch(failed)}><Icon of={RotateCcw} /></button>
            : <button type="button" class="button only" aria-label="Resolve" title="Resolve" onClick={(event) => { event.stopPropagation(); chosenComment.value = null; comments.resolve(comment.comment).catch(failed); }}><Icon of={Check} /></button>}
        </div>
      )}
    </article>
  );
}

function Item({ room, comment, item }: { room: OpenRoom; comment: Comment; item: CommentItem }) {
  const editing = useSignal(false);
  const own = room.isOwn(item.participant, item.author);
  const { comments } = room.room;
  const actions = (): MenuEntry[] => [
    ...(own ? [{ label: "Edit", icon: Pencil, run: () => { editing.value = true; } }] : []),
    ...(own || room.isHost.value ? [{ label: item.item === comment.comment ? "Delete with replies" : "Delete", icon: Trash2, danger: true, run: () => void comments.delete(comment.comment, item.item).catch(failed) }] : []),
  ];
  return (
    <div class="item">
      <div class="row tight"><Author room={room} item={item} /><span class="grow" />
        {!item.deleted && actions().length > 0 && <MenuButton label="More" items={actions} class="button only quiet"><Icon of={EllipsisVertical} size={14} /></MenuButton>}</div>
      {item.deleted ? <p class="note">Deleted</p>
        : editing.value ? <Composer room={room} label="Edit" begun={item.text} quiet autofocus onCancel={() => { editing.value = false; }} send={async (text) => { await comments.rewrite(comment.comment, item.item, text); editing.value = false; }} />
        : <Words text={item.text} />}
    </div>
  );
}
