import type { ChatMessage, CommentItem } from "@motet/client";
import { useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { EllipsisVertical, Pencil, Reply, SmilePlus, Trash2 } from "lucide";
import type { OpenRoom } from "../live/room";
import { wordsOf } from "../live/api";
import { cssOf, initials } from "../people";
import { brief, exact } from "../time";
import { Icon } from "../ui/icon";
import { MenuButton, type MenuEntry } from "../ui/menu";
import { Popover } from "../ui/popover";
import { toast } from "../ui/toast";
import { Composer } from "./composer";

export const EMOJI = ["👍", "❤️", "😄", "🎉", "👀", "🤔", "✅", "🙏"];

const failed = (error: unknown) => toast(wordsOf(error));

/** A message's text: links and mentions are marked, everything is text. */
export function Words({ text }: { text: string }) {
  return <p class="words" dir="auto">{text.split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)]|(?<=^|\s)@[\p{L}\p{N}._-]+)/u).map((part, i) => i % 2 === 0 ? part
    : part.startsWith("@") ? <strong key={i} class="mention">{part}</strong> : <a key={i} href={part} target="_blank" rel="noopener noreferrer">{part}</a>)}</p>;
}

export function Author({ room, item, small }: { room: OpenRoom; item: ChatMessage | CommentItem; small?: boolean }) {
  const author = room.author(item.participant, item.author);
  return (
    <>
      <span class={`face small${author.here ? "" : " idle"}`} style={{ "--who": cssOf(author.hue) }} aria-hidden="true" data-initials={initials(author.name)} />
      <strong class="cut">{author.name}</strong>
      <time class="note nums" dateTime={new Date(item.time_ms).toISOString()} title={exact(item.time_ms)}>{brief(item.time_ms)}</time>
      {!small && item.rewritten_ms && <span class="note">edited</span>}
    </>
  );
}

export function Message({ room, message, onThread, inThread }: { room: OpenRoom; message: ChatMessage; onThread?: () => void; inThread?: boolean }) {
  const editing = useSignal(false);
  const picking = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  const chat = room.room.chat;
  const own = room.isOwn(message.participant, message.author);
  const can = room.role.value !== "viewer" && !message.deleted;
  const react = (emoji: string) => {
    const given = message.reactions.find((one) => one.emoji === emoji)?.participants.includes(room.participant.value ?? "") ?? false;
    chat.react(message.message, emoji, !given).catch(failed);
    picking.value = false;
  };
  const actions = (): MenuEntry[] => [
    ...(own ? [{ label: "Edit", icon: Pencil, run: () => { editing.value = true; } }] : []),
    ...(own || room.isHost.value ? [{ label: "Delete", icon: Trash2, danger: true, run: () => void chat.delete(message.message).catch(failed) }] : []),
  ];
  return (
    <li class="message" id={`message-${message.message}`}>
      <div class="row tight"><Author room={room} item={message} /><span class="grow" />
        {can && (
          <span class="tools">
            <button ref={button} type="button" class="button only" aria-label="React" title="React" aria-haspopup="dialog" onClick={() => { picking.value = !picking.value; }}><Icon of={SmilePlus} size={15} /></button>
            {onThread && <button type="button" class="button only" aria-label="Reply" title="Reply" onClick={onThread}><Icon of={Reply} size={15} /></button>}
            {actions().length > 0 && <MenuButton label="More" items={actions}><Icon of={EllipsisVertical} size={15} /></MenuButton>}
          </span>
        )}
      </div>
      {message.quote && <Quoted room={room} message={message} />}
      {message.deleted ? <p class="note">Deleted</p>
        : editing.value ? <Composer room={room} label="Edit the message" begun={message.text} quiet autofocus onCancel={() => { editing.value = false; }} send={async (text) => { await chat.rewrite(message.message, text); editing.value = false; }} />
        : <Words text={message.text} />}
      {message.reactions.length > 0 && (
        <div class="row tight wrapping">
          {message.reactions.map(({ emoji, participants }) => (
            <button key={emoji} type="button" class="reaction nums" disabled={!can} aria-pressed={participants.includes(room.participant.value ?? "")}
              aria-label={`${emoji} ${participants.length}: ${participants.map((one) => room.author(one).name).join(", ")}`} title={participants.map((one) => room.author(one).name).join(", ")} onClick={() => react(emoji)}>{emoji} {participants.length}</button>
          ))}
        </div>
      )}
      {!inThread && message.replies > 0 && onThread && <button type="button" class="link replies" onClick={onThread}>{message.replies} {message.replies === 1 ? "reply" : "replies"}</button>}
      {picking.value && (
        <Popover anchor={button} label="Reaction" placement="bottom-end" class="card emoji" onClose={() => { picking.value = false; }}>
          {EMOJI.map((emoji) => <button key={emoji} type="button" class="button only" aria-label={`React with ${emoji}`} onClick={() => react(emoji)}>{emoji}</button>)}
          <input class="input" aria-label="Any emoji" placeholder="Any" maxLength={12} onInput={(event) => { const value = event.currentTarget.value.trim(); if (/\p{Extended_Pictographic}|\p{Regional_Indicator}/u.test(value)) react(value); }} />
        </Popover>
      )}
    </li>
  );
}

function Quoted({ room, message }: { room: OpenRoom; message: ChatMessage }) {
  const text = useSignal<string | null>(null);
  if (text.value === null) { text.value = ""; room.room.chat.quoted(message.quote!).then((quote) => { text.value = quote.text; }, () => {}); }
  return <blockquote class="mono cut">{text.value || "…"}</blockquote>;
}
