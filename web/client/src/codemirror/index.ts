/**
 * Binding for CodeMirror 6: collaboration, the others' carets, undo of one's own changes, marks of comments and authors.
 *
 * @packageDocumentation
 */
import type { Extension, Text } from "@codemirror/state";

import type { Room } from "../room/room.js";
import { shownText } from "../text/line-ends.js";
import { bindingExtension } from "./binding.js";
import { caretsExtension, type CaretOptions } from "./carets.js";
import { undoExtension } from "./history.js";

/** How to bind an editor. */
export interface MotetEditorOptions extends CaretOptions {
  /**
   * Undo of one's own changes, with its keys, that survives reconnecting and reloading (default); or none: then bring your own `history()`, which
   * does not survive reloading.
   */
  undo?: boolean;
  /** Whether to draw the others' carets and selections; default true. */
  carets?: boolean;
  /** Whether to tell the others one's own selections and viewport; default true. */
  tellPresence?: boolean;
}

/**
 * The extension that keeps an editor and a room's text the same. The editor may begin empty: it is filled when the text is here, and
 * is read-only until then and wherever the room cannot be edited.
 */
export function motetEditor(room: Room, options: MotetEditorOptions = {}): Extension {
  const { undo = true, carets = true, tellPresence = true } = options;
  return [bindingExtension({ room, undo, tellPresence }), undo ? undoExtension() : [], carets ? caretsExtension(options) : []];
}

/** A room's text as an editor shows it: for the `doc` of an editor that is made when the text is here already. */
export function motetDoc(room: Room): Text {
  return shownText(room.doc);
}

export { presenceChanged, toEditorPosition, toRoomPosition } from "./binding.js";
export type { CaretOptions } from "./carets.js";
export { redo, undo } from "./history.js";
export { motetBlame, motetComments, showBlame, type BlameRange, type CommentMarkOptions } from "./marks.js";
export { remoteChange } from "./remote.js";
export { PERSON_COLORS, personColor, type PersonColor } from "../editor/colors.js";
