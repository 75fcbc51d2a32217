import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
export type Keymap = "default" | "vim";
export type DockTab = "people" | "chat" | "comments" | "history";

interface Preferences {
  theme: Theme; keymap: Keymap; fontSize: number; wrap: boolean; dock: DockTab | null; name: string; color: string; notify: boolean; blame: boolean;
}

const KEY = "motet:preferences";

function load(): Partial<Preferences> {
  try { return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>; } catch { return {}; }
}

const saved = load();

export const theme = signal<Theme>(saved.theme ?? "system");
export const keymap = signal<Keymap>(saved.keymap ?? "default");
export const fontSize = signal(saved.fontSize ?? 14);
export const wrap = signal(saved.wrap ?? true);
export const dock = signal<DockTab | null>(saved.dock ?? null);
export const name = signal(saved.name ?? "");
/** The key of one of the ten colours. Chosen at random at the first visit, and kept. */
export const color = signal(saved.color ?? "");
export const notify = signal(saved.notify ?? false);

/** Whether the page is shown dark now. */
const dark = matchMedia("(prefers-color-scheme: dark)");
export const isDark = signal(dark.matches);
const look = () => { isDark.value = theme.value === "dark" || (theme.value === "system" && dark.matches); };
dark.addEventListener("change", look);

effect(() => {
  const all = {
    theme: theme.value, keymap: keymap.value, fontSize: fontSize.value, wrap: wrap.value, dock: dock.value, name: name.value, color: color.value, notify: notify.value,
  };
  try { localStorage.setItem(KEY, JSON.stringify(all)); } catch { /* Private windows may refuse; the page works without. */ }
});
effect(() => {
  if (theme.value === "system") delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = theme.value;
  look();
});
effect(() => { document.documentElement.style.setProperty("--font-size", `${fontSize.value}px`); document.documentElement.style.setProperty("--font-line", `${Math.round(fontSize.value * 1.64)}px`); });
