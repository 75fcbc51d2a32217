import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { account } from "../live/account";
import { color, name } from "../live/identity";
import { cssOf, initials } from "../people";
import { Popover } from "../ui/popover";
import { NameCard } from "./nameCard";

/** Oneself in the corner of a page, with name, colour and account behind it. */
export function AccountButton() {
  const card = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  const shown = account.value ?? name.value;
  return (
    <>
      <button ref={button} type="button" class="face" style={{ "--who": cssOf(color.value) }} aria-haspopup="dialog" aria-label={`You are ${shown}. Change name and colour, or sign in`} title={shown}
        onClick={() => { card.value = !card.value; }} data-initials={initials(shown)} />
      {card.value && <Popover anchor={button} label="You" placement="bottom-end" onClose={() => { card.value = false; }}><NameCard onDone={() => { card.value = false; }} /></Popover>}
    </>
  );
}
