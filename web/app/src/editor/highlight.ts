import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";

const style = HighlightStyle.define([
  { tag: [t.keyword, t.operatorKeyword, t.modifier, t.controlKeyword, t.definitionKeyword, t.moduleKeyword], color: "var(--syntax-keyword)" },
  { tag: [t.string, t.special(t.string), t.regexp, t.character], color: "var(--syntax-string)" },
  { tag: [t.comment, t.meta, t.documentMeta], color: "var(--syntax-comment)" },
  { tag: [t.function(t.variableName), t.function(t.propertyName), t.definition(t.variableName), t.macroName, t.labelName], color: "var(--syntax-name)" },
  { tag: [t.number, t.bool, t.null, t.atom, t.unit, t.color], color: "var(--syntax-number)" },
  { tag: [t.typeName, t.className, t.namespace, t.tagName, t.attributeName], color: "var(--syntax-type)" },
  { tag: t.invalid, color: "var(--syntax-invalid)" },
  { tag: t.heading, fontWeight: "600" },
  { tag: t.strong, fontWeight: "600" },
  { tag: t.emphasis, fontStyle: "italic" },
  { tag: t.strikethrough, textDecoration: "line-through" },
  { tag: [t.link, t.url], color: "var(--accent)" },
]);

/** Colours of the text's syntax; they follow the theme by themselves. */
export const highlighting = syntaxHighlighting(style);

/** How the editor looks. What stands in custom properties follows the theme and the preferences. */
export const look = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--page)", color: "var(--text)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", fontSize: "var(--font-size)", lineHeight: "var(--font-line)", fontVariantLigatures: "none", overscrollBehavior: "contain" },
  ".cm-content": { padding: "8px 0 40vh", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 16px 0 6px" },
  ".cm-gutters": { backgroundColor: "var(--page)", color: "var(--number)", border: "none", paddingInlineStart: "6px" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 2px 0 8px", fontVariantNumeric: "tabular-nums" },
  ".cm-foldGutter .cm-gutterElement": { width: "16px", textAlign: "center", color: "var(--number)" },
  ".cm-foldGutter span": { opacity: "0", transition: "opacity 120ms" },
  ".cm-gutters:hover .cm-foldGutter span, .cm-foldGutter span[data-closed]": { opacity: "1" },
  ".cm-activeLine": { backgroundColor: "light-dark(#1f23280a, #e6e8ec0a)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--text)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--text)", borderLeftWidth: "1.5px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "light-dark(#0a5fd82e, #7cb0ff3d) !important" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "light-dark(#0a5fd824, #7cb0ff33)", outline: "none", borderRadius: "2px" },
  ".cm-nonmatchingBracket, &.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", color: "var(--syntax-invalid)" },
  ".cm-selectionMatch": { backgroundColor: "light-dark(#8b640f1f, #e6ac3d26)" },
  ".cm-searchMatch": { backgroundColor: "light-dark(#8b640f33, #e6ac3d40)", borderRadius: "2px" },
  ".cm-searchMatch-selected": { backgroundColor: "light-dark(#e6ac3d99, #e6ac3d80)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--sunken)", border: "none", color: "var(--muted)", padding: "0 6px" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--text)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--rule)" },
  ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--rule)" },
  ".cm-tooltip": { backgroundColor: "var(--overlay)", color: "var(--text)", border: "none", borderRadius: "8px", boxShadow: "var(--shadow)", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "13px", maxHeight: "16em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--text)" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal" },
  ".cm-specialChar": { color: "var(--syntax-invalid)" },
});
