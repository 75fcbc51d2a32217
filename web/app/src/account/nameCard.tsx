import { LogIn, LogOut } from "lucide";
import { useState } from "preact/hooks";
import { account, signOut } from "../live/account";
import { color, name } from "../live/identity";
import { COLORS, cssOf } from "../people";
import { Icon } from "../ui/icon";
import { accountDialog } from "./dialog";

/** Name and colour, changed in place. An account's name is the server's. */
export function NameCard({ onDone }: { onDone: () => void }) {
  const [words, setWords] = useState(name.value);
  const save = () => { const next = words.trim().slice(0, 60); if (next) name.value = next; };
  return (
    <form class="stack" onSubmit={(event) => { event.preventDefault(); save(); onDone(); }}>
      {account.value
        ? <p>Signed in as <strong>{account.value}</strong></p>
        : <label class="field"><span>Your name</span>
            <input class="input" value={words} maxLength={60} autocomplete="nickname" onInput={(event) => setWords(event.currentTarget.value)} onBlur={save} /></label>}
      <div class="field"><span id="colour-label">Your colour</span>
        <div class="swatches" role="radiogroup" aria-labelledby="colour-label">
          {COLORS.map(([hue]) => (
            <button key={hue} type="button" role="radio" aria-checked={color.value === hue} aria-label={hue} title={hue} class="swatch" style={{ "--who": cssOf(hue) }} onClick={() => { color.value = hue; }} />
          ))}
        </div></div>
      <div class="row">
        {account.value
          ? <><button type="button" class="button" onClick={() => { onDone(); accountDialog.value = "account"; }}>Account</button>
              <button type="button" class="button" onClick={() => void signOut().then(() => location.reload())}><Icon of={LogOut} /> Sign out</button></>
          : <button type="button" class="button" onClick={() => { onDone(); accountDialog.value = "login"; }}><Icon of={LogIn} /> Sign in</button>}
        <span class="grow" />
        <button type="submit" class="button main">Done</button>
      </div>
    </form>
  );
}
