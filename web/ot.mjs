// Operations as ot.js writes them: n > 0 retains, n < 0 deletes, a string inserts. Lengths count characters: [...text].
const size = (c) => (typeof c === "string" ? [...c].length : Math.abs(c));
const cut = (c, n) => (typeof c === "string" ? [...c].slice(n).join("") : c - Math.sign(c) * n);
const kind = (c) => (typeof c === "string" ? "insert" : Math.sign(c));
const push = (op, c) => { // Neighbours are joined, and an insertion stands before a deletion.
  const at = kind(c) === "insert" && op.at(-1) < 0 && kind(op.at(-1)) === -1 ? op.length - 1 : op.length;
  if (size(c) && at && kind(op[at - 1]) === kind(c)) op[at - 1] += c;
  else if (size(c)) op.splice(at, 0, c);
};
const walk = (a, b, step) => { // Goes through both; step says how many characters of each it has dealt with.
  for (let [i, j, x, y] = [0, 0, a[0], b[0]]; x !== undefined || y !== undefined;) {
    const [m, n] = step(x, y);
    if (m) x = size(x) > m ? cut(x, m) : a[++i];
    if (n) y = size(y) > n ? cut(y, n) : b[++j];
  }
};
export const apply = (text, op, at = 0, chars = [...text]) =>
  op.map((c) => (kind(c) === "insert" ? c : chars.slice(at, (at += size(c))).slice(c < 0 ? size(c) : 0).join(""))).join("");
export const transform = (a, b, a2 = [], b2 = []) => { // [a after b, b after a]; where both insert, a's stands to the left.
  walk(a, b, (x, y) => {
    if (kind(x) === "insert") return push(a2, x), push(b2, size(x)), [size(x), 0];
    if (kind(y) === "insert") return push(a2, size(y)), push(b2, y), [0, size(y)];
    const n = Math.min(size(x), size(y));
    if (y > 0) push(a2, Math.sign(x) * n);
    if (x > 0) push(b2, Math.sign(y) * n);
    return [n, n];
  });
  return [a2, b2];
};
export const compose = (a, b, out = []) => (walk(a, b, (x, y) => {
  if (kind(x) === -1) return push(out, x), [size(x), 0];
  if (kind(y) === "insert") return push(out, y), [0, size(y)];
  const n = Math.min(size(x), size(y));
  if (y > 0) push(out, kind(x) === "insert" ? [...x].slice(0, n).join("") : n);
  else if (kind(x) !== "insert") push(out, -n);
  return [n, n];
}), out);
export const split = (op, most, now = [], later = []) => { // Two in place of one, or [op, null]; the first inserts at most so many.
  for (const c of op) {
    const n = kind(c) === "insert" ? Math.min(size(c), most) : size(c);
    if (kind(c) === "insert") { push(now, [...c].slice(0, n).join("")); push(later, n); push(later, cut(c, n)); most -= n; }
    else { push(now, c); if (c > 0) push(later, c); }
  }
  return [now, later.some((c) => kind(c) === "insert") ? later : null];
};

// A text field shows every line end as "\n", and says so when it is asked. The text keeps those that it has.
export const shown = (text) => text.replace(/\r\n?/g, "\n");
export const typed = (text, value, op = []) => { // The operation that turns the text into what is in the field now; null for none.
  const [before, after] = [text.match(/\r\n|[^]/gu) ?? [], [...value]];
  const same = (a, b) => a === b || (b === "\n" && a[0] === "\r");
  let [start, end] = [0, 0];
  while (start < before.length && same(before[start], after[start])) start += 1;
  while (end < Math.min(before.length, after.length) - start && same(before.at(-1 - end), after.at(-1 - end))) end += 1;
  const inserted = after.slice(start, after.length - end).join("").replaceAll("\n", text.match(/\r?\n/)?.[0] ?? "\n");
  const length = (from, to) => size(before.slice(from, to).join(""));
  const [left, gone, right] = [length(0, start), length(start, before.length - end), length(before.length - end)];
  for (const c of [left, inserted, -gone, right]) push(op, c);
  return inserted || gone ? op : null;
};
export const moved = (caret, op, text) => { // Where a caret in the field comes to stand after somebody else's operation on the text.
  for (let i = text.indexOf("\r\n"); i !== -1 && i < caret; i = text.indexOf("\r\n", i + 2)) caret += 1;
  const at = size(text.slice(0, caret));
  const [first] = transform([at, "|", size(text) - at].filter(Boolean), op)[0];
  return shown([...apply(text, op)].slice(0, first === "|" ? 0 : first).join("")).length;
};
