import { signal } from "@preact/signals";
import { fontSize, keymap, notify, theme, wrap, type Keymap, type Theme } from "../preferences";
import { Dialog } from "../ui/dialog";
import { toast } from "../ui/toast";

/** Whether the preferences of this browser are open. */
export const preferencesOpen = signal(false);

export async function allowNotifications(on: boolean): Promise<void> {
  if (!on) { notify.value = false; return; }
  if (!("Notification" in window) || !isSecureContext) { toast("Notifications need HTTPS."); return; }
  notify.value = (await Notification.requestPermission()) === "granted";
  if (!notify.value) toast("The browser does not allow notifications of this page.");
}

export function Preferences() {
  return (
    <Dialog title="Preferences" onClose={() => { preferencesOpen.value = false; }}>
      <label class="field"><span>Theme</span><select class="input" value={theme} onChange={(event) => { theme.value = event.currentTarget.value as Theme; }}>
        <option value="system">As the system</option><option value="light">Light</option><option value="dark">Dark</option></select></label>
      <label class="field"><span>Keys</span><select class="input" value={keymap} onChange={(event) => { keymap.value = event.currentTarget.value as Keymap; }}>
        <option value="default">Usual</option><option value="vim">Vim</option></select></label>
      <label class="field"><span>Size of the text: {fontSize} px</span><input type="range" min="10" max="24" value={fontSize} onInput={(event) => { fontSize.value = Number(event.currentTarget.value); }} /></label>
      <label class="check"><input type="checkbox" checked={wrap} onChange={(event) => { wrap.value = event.currentTarget.checked; }} /> Wrap long lines</label>
      <label class="check"><input type="checkbox" checked={notify} onChange={(event) => void allowNotifications(event.currentTarget.checked)} /> Notify me when someone mentions me</label>
    </Dialog>
  );
}
