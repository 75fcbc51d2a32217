import { uuid } from "../env.js";
import type { Machine, Pending } from "../ot/machine.js";
import type { Draft } from "../storage/storage.js";
import { stringOf } from "../text/text.js";

/** A draft of edits that were given up; with `texts`, also the text without and with them. */
export function draftOfEdits(
  about: Pick<Draft, "server" | "account" | "room" | "code" | "message">,
  machine: Machine,
  edits: readonly (Pending & { kind: "edit" })[],
  texts: boolean,
): Draft {
  const inserted: string[] = [];
  for (const { changes } of edits) changes.iterChanges((_a, _b, _c, _d, insert) => insert.length && inserted.push(stringOf(insert)));
  return {
    id: uuid(),
    ...about,
    revision: machine.revision,
    before: texts ? stringOf(machine.base) : null,
    after: texts ? stringOf(machine.text) : null,
    inserted,
    at: Date.now(),
  };
}
