import { Annotation, ChangeSet, Transaction, type TransactionSpec } from "@codemirror/state";

/** Marks the transactions that bring others' changes into an editor. */
export const remoteChange = Annotation.define<boolean>();

/** A transaction that is not the user's: it is not in the undo history, and no filter changes it. */
export function remoteTransaction(changes: ChangeSet): TransactionSpec {
  return {
    changes,
    annotations: [remoteChange.of(true), Transaction.remote.of(true), Transaction.addToHistory.of(false), Transaction.userEvent.of("remote")],
    filter: false,
  };
}
