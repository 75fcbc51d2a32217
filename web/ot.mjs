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
