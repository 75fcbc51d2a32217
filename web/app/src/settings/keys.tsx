import { signal } from "@preact/signals";
import { keyName } from "../keys";
import { Dialog } from "../ui/dialog";

/** Whether the list of keys is open. */
export const keysOpen = signal(false);

const GROUPS: [string, [string, string][]][] = [
  ["Everywhere", [["Mod-k", "Commands, rooms, people, lines"], ["Mod-Shift-c", "Chat"], ["Mod-Alt-m", "Comment on the selection"], ["Mod-Shift-h", "History"], ["Escape", "Stop following; close"], ["F6", "Between the text and the rest"]]],
  ["Text", [["Mod-f", "Search and replace"], ["Mod-g", "Next match"], ["Alt-g", "Go to line"], ["Mod-z", "Undo your own last change"], ["Mod-d", "Select the next occurrence"], ["Alt-ArrowUp", "Move the line up"], ["Ctrl-Space", "Complete"], ["Mod-Shift-[", "Fold"], ["Mod-/", "Comment out"], ["Escape Tab", "Leave the text with Tab"]]],
];

export function KeysDialog() {
  return (
    <Dialog title="Keys" onClose={() => { keysOpen.value = false; }}>
      {GROUPS.map(([name, keys]) => (
        <section key={name} class="stack"><h3>{name}</h3>
          <dl class="keys-list">{keys.map(([key, words]) => <div key={key}><dt><kbd>{key.split(" ").map(keyName).join(" ")}</kbd></dt><dd>{words}</dd></div>)}</dl></section>
      ))}
    </Dialog>
  );
}
