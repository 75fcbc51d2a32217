import { useEffect, useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { BookOpen, ChartColumn, Download, EllipsisVertical, History, Keyboard, LogIn, MessageSquare, MessageSquareQuote, MonitorCog, PanelRight, Phone, Search, Settings2, Share2, Users } from "lucide";
import { Faces } from "./bar/faces";
import { SaveState } from "./bar/saveState";
import { RoomTitle } from "./bar/title";
import { CallBar } from "./call/bar";
import { calling } from "./call/state";
import { Dock } from "./dock/dock";
import { unread, watchChat } from "./dock/unread";
import { follow } from "./editor/follow";
import { StatusLine } from "./editor/line";
import { EditorPane } from "./editor/pane";
import { watchBlame } from "./history/blame";
import { NameVersion, namingVersion } from "./history/nameVersion";
import { past } from "./history/past";
import { SinceYouWereHere } from "./history/since";
import { HistoryView } from "./history/view";
import { isMod, keyName } from "./keys";
import { redeem } from "./live/grant";
import { roomLog } from "./live/log";
import { OpenRoom } from "./live/room";
import { wordsOf } from "./live/api";
import { takeLink } from "./address";
import { Notices } from "./notice";
import { commands, toggleDock } from "./palette/commands";
import { LanguagePicker, pickingLanguage } from "./palette/language";
import { asking, LineDialog } from "./palette/lineDialog";
import { Palette, paletteOpen } from "./palette/palette";
import { cssOf } from "./people";
import { dock } from "./preferences";
import { KeysDialog, keysOpen } from "./settings/keys";
import { Preferences, preferencesOpen } from "./settings/page";
import { RoomSettingsDialog, roomSettings } from "./settings/room";
import { ShareDialog, sharing } from "./share/dialog";
import { statisticsOpen } from "./stats/open";
import { StatisticsDialog } from "./stats/dialog";
import { Icon } from "./ui/icon";
import { Logo } from "./ui/logo";
import { MenuButton, type MenuEntry } from "./ui/menu";
import { toast } from "./ui/toast";

/** The page at `/r/ROOM`: first a share link is followed, then the room is opened. */
export function RoomPage({ id }: { id: string }) {
  const entered = useSignal(false);
  useEffect(() => {
    const link = takeLink();
    if (!link) { entered.value = true; return; }
    redeem(id, link).catch((error) => toast(`The link does not work any more. ${wordsOf(error)}`)).finally(() => { entered.value = true; });
  }, [id]);
  return entered.value ? <Opened id={id} /> : <p class="empty-note muted">Following the link…</p>;
}

function Opened({ id }: { id: string }) {
  const room = useMemo(() => new OpenRoom(id), [id]);
  useEffect(() => {
    watchChat(room);
    const end = watchBlame(room);
    const keys = (event: KeyboardEvent) => onKey(event, room);
    const files = (event: Event) => { const link = takeLink(); if (link && event.type === "hashchange") void redeem(id, link).then(() => location.reload(), (error) => toast(wordsOf(error))); };
    addEventListener("keydown", keys, true);
    addEventListener("hashchange", files);
    addEventListener("beforeunload", (event) => { const { waiting, kept } = room.save.value; if (waiting && !kept) event.preventDefault(); });
    return () => { end(); removeEventListener("keydown", keys, true); removeEventListener("hashchange", files); };
  }, [room]);
  const followed = room.others.value.find((human) => human.participant === room.following.value);
  const looking = past.value !== null;
  return (
    <div class={`room${dock.value ? " docked" : ""}`}>
      <header class="bar">
        <Logo />
        <RoomTitle room={room} />
        <SaveState room={room} />
        <span class="grow" />
        <Faces room={room} />
        <button type="button" class="button line share-button" aria-label="Share" onClick={() => { sharing.value = true; }}><Icon of={Share2} size={15} /> <span>Share</span></button>
        <button type="button" class="button only" aria-pressed={calling.value} aria-label={calling.value ? "Leave the call" : "Join the call"} title="Call" onClick={() => { calling.value = !calling.value; }}><Icon of={Phone} /></button>
        <button type="button" class="button only dock-button" aria-pressed={dock.value !== null} aria-label={`Panel${unread.value ? `, ${unread.value} unread` : ""}`} title="People, chat, comments, history" onClick={() => { dock.value = dock.value ? null : unread.value ? "chat" : "people"; }}>
          <Icon of={PanelRight} />{unread.value > 0 && <span class="badge nums corner">{unread.value}</span>}</button>
        <MenuButton label="Menu" items={() => menu(room)}><Icon of={EllipsisVertical} /></MenuButton>
      </header>
      <main class="stage">
        <Notices room={room} />
        <CallBar room={room} />
        <EditorPane room={room} hidden={looking} />
        {looking && <HistoryView room={room} log={roomLog(room)} />}
        {followed && !looking && <div class="following pill" style={{ "--who": cssOf(followed.hue) }}><span class="dot" /> Following {followed.name} · <button type="button" class="link" onClick={() => follow(room, null)}>{keyName("Esc")}</button></div>}
        {!looking && <SinceYouWereHere room={room} />}
      </main>
      <Dock room={room} />
      <StatusLine room={room} />
      <nav class="phone-tabs" aria-label="Panels">
        {([["people", "People", Users], ["chat", "Chat", MessageSquare], ["comments", "Comments", MessageSquareQuote], ["history", "History", History]] as const).map(([tab, label, icon]) => (
          <button key={tab} type="button" class="button" aria-pressed={dock.value === tab} onClick={() => toggleDock(tab)}><Icon of={icon} /><span>{label}</span>{tab === "chat" && unread.value > 0 && <span class="badge nums">{unread.value}</span>}</button>
        ))}
      </nav>
      {sharing.value && <ShareDialog room={room} />}
      {roomSettings.value && <RoomSettingsDialog room={room} />}
      {statisticsOpen.value && <StatisticsDialog room={room} />}
      {preferencesOpen.value && <Preferences />}
      {keysOpen.value && <KeysDialog />}
      {namingVersion.value !== null && <NameVersion room={room} />}
      {paletteOpen.value && <Palette room={room} />}
      {pickingLanguage.value && <LanguagePicker room={room} />}
      {asking.value && <LineDialog />}
    </div>
  );
}

function menu(room: OpenRoom): MenuEntry[] {
  const all = new Map(commands(room).map((command) => [command.id, command]));
  const item = (id: string, icon: Parameters<typeof Icon>[0]["of"]): MenuEntry[] => { const command = all.get(id); return command ? [{ label: command.label, icon, run: command.run, ...(command.keys && { keys: keyName(command.keys) }) }] : []; };
  return [
    { label: "Commands", icon: BookOpen, keys: keyName("Mod-k"), run: () => { paletteOpen.value = true; } },
    ...item("search", Search), ...item("comment", MessageSquareQuote), ...item("past", History), ...item("call", Phone),
    "-",
    ...item("settings", Settings2), ...item("statistics", ChartColumn), ...item("download", Download),
    "-",
    ...item("preferences", MonitorCog), ...item("keys", Keyboard), ...item("sign-in", LogIn), ...item("account", LogIn),
  ];
}

/** The keys of the page. Those of the text are the editor's own. */
function onKey(event: KeyboardEvent, room: OpenRoom): void {
  if (document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  const run = isMod(event) && !event.shiftKey && !event.altKey && key === "k" ? () => { paletteOpen.value = true; }
    : isMod(event) && event.shiftKey && key === "c" ? () => toggleDock("chat")
    : isMod(event) && event.shiftKey && key === "h" ? () => toggleDock("history")
    : isMod(event) && event.altKey && (key === "m" || event.code === "KeyM") ? () => commands(room).find(({ id }) => id === "comment")?.run()
    : isMod(event) && !event.shiftKey && !event.altKey && key === "f" && !(event.target as Element).closest?.(".cm-editor") && past.value === null ? () => commands(room).find(({ id }) => id === "search")?.run()
    : event.key === "F6" ? () => cycle()
    : event.key === "Escape" && past.value !== null && !(event.target instanceof HTMLTextAreaElement) ? () => { past.value = null; }
    : null;
  if (!run) return;
  event.preventDefault();
  event.stopPropagation();
  run();
}

/** Moves the focus to the next part of the page: bar, text, dock. */
function cycle(): void {
  const parts = [".bar", ".stage .cm-content", ".dock"].map((selector) => document.querySelector<HTMLElement>(selector)).filter((part) => part !== null);
  const at = parts.findIndex((part) => part.contains(document.activeElement));
  const next = parts[(at + 1) % parts.length]!;
  (next.matches(".cm-content") ? next : next.querySelector<HTMLElement>("button, textarea, a"))?.focus();
}
