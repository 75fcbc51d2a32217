/**
 * Operations on lists of characters, written apart from the kernel under test: it is the model that the kernel is compared with. The rules
 * are those of docs/protocol.md: what is transformed inserts to the left.
 */
import type { WireOperation } from "../../src/wire.js";

type Component = { retain: number } | { insert: string[] } | { remove: number };

const parse = (operation: WireOperation): Component[] =>
  operation.map((c) => (typeof c === "string" ? { insert: [...c] } : c > 0 ? { retain: c } : { remove: -c }));

/** Builds an operation in canonical form. */
class Builder {
  readonly operation: WireOperation = [];

  retain(n: number): void {
    const last = this.operation.at(-1);
    if (n && typeof last === "number" && last > 0) this.operation[this.operation.length - 1] = last + n;
    else if (n) this.operation.push(n);
  }

  remove(n: number): void {
    const last = this.operation.at(-1);
    if (n && typeof last === "number" && last < 0) this.operation[this.operation.length - 1] = last - n;
    else if (n) this.operation.push(-n);
  }

  insert(text: string): void {
    if (!text) return;
    const last = this.operation.at(-1);
    if (typeof last === "string") this.operation[this.operation.length - 1] = last + text;
    else if (typeof last === "number" && last < 0) {
      const before = this.operation.at(-2);
      if (typeof before === "string") this.operation[this.operation.length - 2] = before + text;
      else this.operation.splice(this.operation.length - 1, 0, text);
    } else this.operation.push(text);
  }
}

export function apply(text: string, operation: WireOperation): string {
  const characters = [...text];
  let at = 0;
  let out = "";
  for (const c of parse(operation)) {
    if ("insert" in c) out += c.insert.join("");
    else if ("retain" in c) {
      if (at + c.retain > characters.length) throw new Error("the operation is too long");
      out += characters.slice(at, (at += c.retain)).join("");
    } else at += c.remove;
  }
  if (at !== characters.length) throw new Error(`the operation covers ${at} of ${characters.length}`);
  return out;
}

/** `a` after `b`, where both insert at one place `a`'s text stands to the left. */
export function transform(a: WireOperation, b: WireOperation): WireOperation {
  const out = new Builder();
  const [x, y] = [parse(a), parse(b)];
  let [i, j] = [0, 0];
  const take = (list: Component[], at: number, n: number): number => {
    const c = list[at] as { retain?: number; remove?: number };
    const size = (c.retain ?? c.remove)!;
    if (size === n) return at + 1;
    list[at] = c.retain !== undefined ? { retain: size - n } : { remove: size - n };
    return at;
  };
  while (i < x.length || j < y.length) {
    const [c, d] = [x[i], y[j]];
    if (c && "insert" in c) {
      out.insert(c.insert.join(""));
      i++;
    } else if (d && "insert" in d) {
      out.retain(d.insert.length);
      j++;
    } else if (c && d) {
      const n = Math.min("retain" in c ? c.retain : c.remove, "retain" in d ? d.retain : d.remove);
      if ("retain" in d) {
        if ("retain" in c) out.retain(n);
        else out.remove(n);
      }
      i = take(x, i, n);
      j = take(y, j, n);
    } else throw new Error("the operations are of different texts");
  }
  return out.operation;
}
