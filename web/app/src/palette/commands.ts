import { openSearchPanel } from "@codemirror/search";
import { foldAll, unfoldAll } from "@codemirror/language";
import { redo, undo } from "@motet/client/codemirror";
import { accountDialog } from "../account/dialog";
import { base, roomAddress } from "../address";
import { calling } from "../call/state";
import { comment } from "../dock/commenting";
import { editor } from "../editor/view";
import { follow } from "../editor/follow";
import { blaming } from "../history/blame";
import { namingVersion } from "../history/nameVersion";
import { past } from "../history/past";
import { account, signOut } from "../live/account";
import type { OpenRoom } from "../live/room";
import { dock, fontSize, keymap, theme, wrap, type DockTab } from "../preferences";
import { keysOpen } from "../settings/keys";
import { preferencesOpen } from "../settings/page";
import { fileName, roomSettings, save } from "../settings/room";
import { copy } from "../share/copy";
import { sharing } from "../share/dialog";
import { statisticsOpen } from "../stats/open";
import { asking } from "./lineDialog";
import { pickingLanguage } from "./language";

/** Something that can be done, with its name and keys. */
export interface Command { id: string; label: string; keys?: string; run: () => void }

export const toggleDock = (tab: DockTab) => { dock.value = dock.value === tab ? null : tab; };
const inEditor = (run: (view: NonNullable<typeof editor.value>) => unknown) => () => { const view = editor.value; if (view) { view.focus(); run(view); } };

export function commands(room: OpenRoom): Command[] {
  const edit = room.canEdit.value;
  const all: (Command | false)[] = [
    { id: "share", label: "Share", run: () => { sharing.value = true; } },
    { id: "copy-link", label: "Copy the link", run: () => void copy(roomAddress(room.id), "The link was copied.") },
    { id: "people", label: "People", run: () => toggleDock("people") },
    { id: "chat", label: "Chat", keys: "Mod-Shift-c", run: () => toggleDock("chat") },
    { id: "comments", label: "Comments", run: () => toggleDock("comments") },
    edit && { id: "comment", label: "Comment on the selection", keys: "Mod-Alt-m", run: comment },
    { id: "history", label: "History", keys: "Mod-Shift-h", run: () => toggleDock("history") },
    { id: "past", label: past.value === null ? "Look back in time" : "Back to now", run: () => { past.value = past.value === null ? room.revision.value : null; } },
    edit && { id: "name-version", label: "Name this version", run: () => { namingVersion.value = 0; } },
    { id: "blame", label: blaming.value ? "Hide who wrote this" : "Show who wrote this", run: () => { blaming.value = !blaming.value; } },
    { id: "search", label: "Search and replace", keys: "Mod-f", run: inEditor(openSearchPanel) },
    { id: "line", label: "Go to line", keys: "Alt-g", run: () => { asking.value = true; } },
    edit && { id: "undo", label: "Undo", keys: "Mod-z", run: inEditor(undo) },
    edit && { id: "redo", label: "Redo", keys: "Mod-Shift-z", run: inEditor(redo) },
    { id: "fold", label: "Fold all", run: inEditor(foldAll) },
    { id: "unfold", label: "Unfold all", run: inEditor(unfoldAll) },
    edit && { id: "language", label: "Language", run: () => { pickingLanguage.value = true; } },
    { id: "call", label: calling.value ? "Leave the call" : "Join the call", run: () => { calling.value = !calling.value; } },
    { id: "settings", label: "Room settings", run: () => { roomSettings.value = true; } },
    { id: "statistics", label: "Statistics", run: () => { statisticsOpen.value = true; } },
    { id: "download", label: "Download the text", run: () => void save(`rooms/${room.id}/export?format=text`, fileName(room)) },
    { id: "theme", label: theme.value === "dark" ? "Light theme" : "Dark theme", run: () => { theme.value = theme.value === "dark" ? "light" : "dark"; } },
    { id: "vim", label: keymap.value === "vim" ? "Usual keys" : "Vim keys", run: () => { keymap.value = keymap.value === "vim" ? "default" : "vim"; } },
    { id: "wrap", label: wrap.value ? "Do not wrap lines" : "Wrap lines", run: () => { wrap.value = !wrap.value; } },
    { id: "larger", label: "Larger text", run: () => { fontSize.value = Math.min(24, fontSize.value + 1); } },
    { id: "smaller", label: "Smaller text", run: () => { fontSize.value = Math.max(10, fontSize.value - 1); } },
    { id: "preferences", label: "Preferences", run: () => { preferencesOpen.value = true; } },
    { id: "keys", label: "Keys", keys: "Mod-?", run: () => { keysOpen.value = true; } },
    room.following.value !== null && { id: "unfollow", label: "Stop following", keys: "Escape", run: () => follow(room, null) },
    account.value ? { id: "account", label: "Account", run: () => { accountDialog.value = "account"; } } : { id: "sign-in", label: "Sign in", run: () => { accountDialog.value = "login"; } },
    account.value !== null && { id: "sign-out", label: "Sign out", run: () => void signOut().then(() => location.reload()) },
    { id: "rooms", label: "All rooms", run: () => location.assign(base.href) },
  ];
  return all.filter((one): one is Command => one !== false);
}
