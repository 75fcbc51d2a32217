import { toast } from "../ui/toast";

/** Copies a text, also where the clipboard's own interface is missing: on plain HTTP from another machine. */
export async function copy(text: string, said: string): Promise<void> {
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else {
      const field = Object.assign(document.createElement("textarea"), { value: text });
      (document.querySelector("dialog[open]") ?? document.body).append(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      if (!done) throw new Error("refused");
    }
    toast(said);
  } catch {
    toast(`The browser did not let it be copied: ${text}`);
  }
}
