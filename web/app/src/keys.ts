const mac = /Mac|iP(hone|ad)/.test(navigator.platform);

/** A key combination as it is written on this system: `Mod-k` is ⌘K on a Mac and Ctrl+K elsewhere. */
export function keyName(combination: string): string {
  const names: Record<string, string> = mac
    ? { Mod: "⌘", Alt: "⌥", Shift: "⇧", Ctrl: "⌃" }
    : { Mod: "Ctrl", Alt: "Alt", Shift: "Shift", Ctrl: "Ctrl" };
  const parts = combination.split("-").map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part));
  return parts.join(mac ? "" : "+");
}

export const isMod = (event: KeyboardEvent) => (mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey);
