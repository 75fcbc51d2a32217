/**
 * Binding for CodeMirror 6.
 *
 * @packageDocumentation
 */
import type { Extension } from "@codemirror/state";

import type { Room } from "../room/room.js";

/** How to bind an editor. */
export interface MotetEditorOptions {
  /** Per-user undo that survives reconnecting and reloading (default), or none: then bring your own. */
  undo?: boolean;
  /** Whether to draw the others' carets and selections; default true. */
  carets?: boolean;
  /** Whether to tell the others one's own caret, selection and viewport; default true. */
  tellPresence?: boolean;
}

/** The extension that keeps an editor and a room's text the same. The editor begins empty, and is filled when the text is here. */
export function motetEditor(_room: Room, _options: MotetEditorOptions = {}): Extension {
  return [];
}
