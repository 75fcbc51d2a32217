import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { ArrowLeft, Quote, X } from "lucide";
import type { ChatMessage } from "@motet/client";
import { toRoomPosition } from "@motet/client/codemirror";
import { editor } from "../editor/view";
import type { OpenRoom } from "../live/room";
import { dayOf } from "../time";
import { Icon } from "../ui/icon";
import { Composer } from "./composer";
import { Message } from "./message";

export function ChatPanel({ room }: { room: OpenRoom }) {
  const thread = useSignal<number | null>(null);
  return thread.value === null ? <Stream room={room} onThread={(id) => { thread.value = id; }} /> : <Thread room={room} id={thread.value} onBack={() => { thread.value = null; }} />;
}

function Stream({ room, onThread }: { room: OpenRoom; onThread: (id: number) => void }) {
  const list = useRef<HTMLUListElement>(null);
  const bottom = useRef(true);
  const quote = useSignal<{ start: number; end: number; text: string } | null>(null);
  const messages = room.messages.value.filter((message) => !message.thread);
  useLayoutEffect(() => { if (bottom.current && list.current) list.current.scrollTop = list.current.scrollHeight; });
  const take = () => {
    const view = editor.value;
    const range = view?.state.selection.main;
    if (!view || !range || range.empty) return;
    quote.value = { start: toRoomPosition(view, range.from), end: toRoomPosition(view, range.to), text: view.state.sliceDoc(range.from, Math.min(range.to, range.from + 200)) };
  };
  const selected = useSignal(false);
  useSignalEffect(() => { const view = editor.value; const timer = setInterval(() => { selected.value = !!view && !view.state.selection.main.empty; }, 500); return () => clearInterval(timer); });
  const typing = room.others.value.filter((human) => human.typing).map((human) => human.name);
  let day = "";
  return (
    <>
      <ul ref={list} class="scroll messages" tabIndex={0} aria-label="Messages" onScroll={(event) => { const box = event.currentTarget; bottom.current = box.scrollHeight - box.scrollTop - box.clientHeight < 40; }}>
        {room.room.chat.more && messages.length > 0 && <li class="center"><button type="button" class="button" onClick={() => void room.room.chat.loadOlder()}>Older messages</button></li>}
        {!messages.length && <li class="note pad">Nothing was said yet. What is said here stays with the room.</li>}
        {messages.map((message) => {
          const on = dayOf(message.time_ms);
          const head = on !== day && (day = on);
          return <>{head && <li key={`day-${head}`} class="day note">{head}</li>}<Message key={message.message} room={room} message={message} onThread={() => onThread(message.message)} /></>;
        })}
      </ul>
      <p class="typing note" aria-live="polite">{typing.length > 0 && `${typing.slice(0, 2).join(" and ")}${typing.length > 2 ? " and others" : ""} ${typing.length === 1 ? "writes" : "write"}…`}</p>
      {quote.value && <div class="quoting"><blockquote class="mono cut">{quote.value.text}</blockquote><button type="button" class="button only" aria-label="Remove the quote" onClick={() => { quote.value = null; }}><Icon of={X} size={14} /></button></div>}
      {room.role.value === "viewer" ? <p class="note pad">You can read along, but not write here.</p> : (
        <>
          {selected.value && !quote.value && <button type="button" class="button quote" onClick={take}><Icon of={Quote} size={14} /> Quote the selection</button>}
          <Composer room={room} label="Message" send={async (text) => { bottom.current = true; const quoted = quote.value; quote.value = null; await room.room.chat.say({ text, ...(quoted && { quote: { start: quoted.start, end: quoted.end } }) }); }} />
        </>
      )}
    </>
  );
}

function Thread({ room, id, onBack }: { room: OpenRoom; id: number; onBack: () => void }) {
  const replies = useSignal<readonly ChatMessage[]>([]);
  const thread = room.room.chat.thread(id);
  useEffect(() => {
    const show = () => { replies.value = thread.messages.filter(({ message }) => message !== id); };
    const end = thread.on("change", show);
    show();
    void thread.load().catch(() => {});
    return end;
  }, [thread]);
  const first = room.messages.value.find((message) => message.message === id);
  return (
    <>
      <div class="row pad"><button type="button" class="button" autofocus onClick={onBack}><Icon of={ArrowLeft} /> Chat</button><strong>Thread</strong></div>
      <ul class="scroll messages" tabIndex={0} aria-label="Messages of the thread">
        {first && <Message room={room} message={first} inThread />}
        {replies.value.map((message) => <Message key={message.message} room={room} message={message} inThread />)}
      </ul>
      {room.role.value !== "viewer" && <Composer room={room} label="Reply" autofocus send={(text) => thread.say(text)} />}
    </>
  );
}
