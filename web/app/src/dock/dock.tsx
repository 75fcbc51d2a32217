import { History, MessageSquare, MessageSquareQuote, Users, X } from "lucide";
import type { OpenRoom } from "../live/room";
import { dock, type DockTab } from "../preferences";
import { Icon } from "../ui/icon";
import { TabStrip } from "../ui/tabs";
import { ChatPanel } from "./chat";
import { unread } from "./unread";
import { CommentsPanel } from "./comments";
import { HistoryPanel } from "./history";
import { PeoplePanel } from "./people";

/** People, chat, comments and history: a column at the right, a sheet from below on phones. */
export function Dock({ room }: { room: OpenRoom }) {
  const tab = dock.value;
  if (!tab) return null;
  const open = room.comments.value.filter((comment) => !comment.resolved).length;
  const tabs = [
    { id: "people" as const, label: "People", icon: Users },
    { id: "chat" as const, label: "Chat", icon: MessageSquare, badge: tab === "chat" ? 0 : unread.value },
    { id: "comments" as const, label: "Comments", icon: MessageSquareQuote, badge: tab === "comments" ? 0 : open },
    { id: "history" as const, label: "History", icon: History },
  ];
  return (
    <aside class="dock" aria-label="Beside the text">
      <div class="dock-head">
        <h2 class="sheet-title">{tabs.find(({ id }) => id === tab)!.label}</h2>
        <TabStrip<DockTab> label="Beside the text" tabs={tabs} chosen={tab} onChoose={(id) => { dock.value = id; }} />
        <button type="button" class="button only" aria-label="Close" title="Close" onClick={() => { dock.value = null; }}><Icon of={X} /></button>
      </div>
      <div class="panel" role="tabpanel" id={`panel-${tab}`} aria-labelledby={`tab-${tab}`} tabIndex={-1}>
        {tab === "people" && <PeoplePanel room={room} />}
        {tab === "chat" && <ChatPanel room={room} />}
        {tab === "comments" && <CommentsPanel room={room} />}
        {tab === "history" && <HistoryPanel room={room} />}
      </div>
    </aside>
  );
}
