import { useSignal } from "@preact/signals";
import { accountDialog } from "./account/dialog";
import { base } from "./address";
import { account } from "./live/account";
import { sentence } from "./live/api";
import { dropGrant } from "./live/grant";
import type { OpenRoom } from "./live/room";
import { copy } from "./share/copy";

/** What keeps the room from being edited, or edits from being saved, and what can be done about it. */
export function Notices({ room }: { room: OpenRoom }) {
  return <><Closed room={room} /><Drafts room={room} /><NotKept room={room} /></>;
}

function Closed({ room }: { room: OpenRoom }) {
  const error = room.closed.value;
  if (!error) return null;
  const signIn = error.code === "unauthorized" || error.code === "forbidden" || error.code === "room_not_found";
  const words = {
    room_deleted: "This room was deleted. What you see is the text as it was last here.",
    room_expired: "This room was deleted, since nothing had happened in it for as long as it was set to. What you see is its last text.",
    room_not_found: "There is no such room, or it is not open to you.",
    unauthorized: account.value ? "The server does not let you in with this account any more. Sign in again." : "This server is for people with an account, or with a link to a room.",
    forbidden: "You have no access to this room any more.",
    session_replaced: "This room is open in another place with the same session.",
    room_damaged: "The server's copy of this room is damaged. Its operator can restore it.",
  }[error.code] ?? sentence(error.message);
  return (
    <div class="notice row wrapping" role="alert">
      <span class="grow">{words}</span>
      {room.room.text !== "" && <button type="button" class="button line" onClick={() => void copy(room.room.text, "The text was copied.")}>Copy the text</button>}
      {signIn && !account.value && <button type="button" class="button main" onClick={() => { dropGrant(room.id); accountDialog.value = "login"; }}>Sign in</button>}
      <button type="button" class="button line" onClick={() => { if (error.code === "unauthorized") dropGrant(room.id); room.closed.value = null; room.room.connect(); }}>Try again</button>
      <a class="button" href={base.href}>All rooms</a>
    </div>
  );
}

/** Edits that the server did not take. They are kept until the user lets them go. */
function Drafts({ room }: { room: OpenRoom }) {
  const open = useSignal(false);
  const draft = room.drafts.value[0];
  if (!draft) return null;
  const text = draft.inserted.join("\n");
  return (
    <div class="notice" role="alert">
      <div class="row wrapping">
        <span class="grow">Some of your edits were not saved: {draft.message}. {room.drafts.value.length > 1 && `${room.drafts.value.length} such drafts are kept.`}</span>
        <button type="button" class="button line" aria-expanded={open.value} onClick={() => { open.value = !open.value; }}>Show them</button>
        <button type="button" class="button line" onClick={() => void copy(text, "Copied.")}>Copy</button>
        {draft.after !== null && <button type="button" class="button" onClick={() => void copy(draft.after!, "The whole text with them was copied.")}>Copy the whole text</button>}
        <button type="button" class="button" onClick={() => void room.dropDraft(draft.id)}>Discard</button>
      </div>
      {open.value && <pre class="mono">{text || "Only deletions."}</pre>}
    </div>
  );
}

function NotKept({ room }: { room: OpenRoom }) {
  const { waiting, kept, state } = room.save.value;
  if (!waiting || kept || state === "saved" || room.status.value === "connected") return null;
  return <div class="notice" role="status">This browser keeps nothing on this device. Keep this tab open until the server can be reached again, or copy the text.</div>;
}
