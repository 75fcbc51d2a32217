import { ChangeSet } from "@codemirror/state";
import { describe, expect, test } from "vitest";

import { difference, split, transform } from "../../src/ot/changes.js";
import { fromWire, toWire } from "../../src/ot/wire.js";
import { carryCheckpoints, fromScalar, scalarLength, scalarRanges, toScalar } from "../../src/text/counts.js";
import { crc32 } from "../../src/text/crc32.js";
import { stringOf, textOf, utf8Length } from "../../src/text/text.js";
import { typedChange } from "../../src/textarea/index.js";
import * as model from "../support/operations.js";
import { Random, SESSIONS } from "../support/random.js";

const ALPHABET = ["a", "é", "漢", "😀", "𝄞", "\n", "\r"];

describe("counts of characters", () => {
  test("positions are converted as an array of characters would", () => {
    for (let seed = 1; seed <= SESSIONS(60, 400); seed++) {
      const random = new Random(seed);
      // Every third has a giant line.
      let text = textOf(seed % 3 ? random.string(ALPHABET, random.below(4_000)) : random.string(["x", "😀", "é"], 30_000));
      for (let step = 0; step < 12; step++) {
        const characters = [...stringOf(text)];
        expect(scalarLength(text)).toBe(characters.length);
        const [a, b] = [random.below(characters.length + 1), random.below(characters.length + 1)].sort((x, y) => x - y) as [number, number];
        const [from, to] = [fromScalar(text, a), fromScalar(text, Math.min(b, a + 5))];
        expect(from, `seed ${seed}`).toBe(characters.slice(0, a).join("").length);
        expect(toScalar(text, from), `seed ${seed}`).toBe(a);
        expect(toScalar(text, to), `seed ${seed}`).toBe(Math.min(b, a + 5));
        const changes = ChangeSet.of({ from, to, insert: textOf(random.string(ALPHABET.slice(0, seed % 3 ? 7 : 5), 2)) }, text.length, "\n");
        const after = changes.apply(text);
        carryCheckpoints(text, changes, after);
        text = after;
      }
    }
  });

  test("an edit and two conversions in one line of 1 MB of emoji take well under a frame", () => {
    let text = textOf("x😀".repeat(333_333));
    toScalar(text, 10);
    const random = new Random(1);
    const times: number[] = [];
    for (let i = 0; i < 60; i++) {
      const start = performance.now();
      const at = fromScalar(text, random.below(600_000));
      const changes = ChangeSet.of({ from: at, insert: textOf("😀") }, text.length);
      const after = changes.apply(text);
      carryCheckpoints(text, changes, after);
      toScalar(after, at);
      text = after;
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    // 17 ms and more without the checkpoints.
    expect(times[30]).toBeLessThan(8);
  });

  test("ranges of characters", () => {
    expect(scalarRanges("a😀b漢", [{ start: 0, end: 2 }, { start: 2, end: 4 }])).toEqual([{ from: 0, to: 3 }, { from: 3, to: 5 }]);
  });
});

describe("operations", () => {
  test("random operations transform as the model's do, and go over the wire and back", () => {
    for (let seed = 1; seed <= SESSIONS(1_500, 60_000); seed++) {
      const random = new Random(seed);
      const text = textOf(random.string(ALPHABET, random.below(30)));
      const change = () => {
        const parts = [];
        let at = 0;
        const length = scalarLength(text);
        for (let i = 0; i < 3; i++) {
          const from = at + random.below(length - at + 1);
          const to = random.chance(0.4) ? Math.min(length, from + random.below(4)) : from;
          parts.push({ from: fromScalar(text, from), to: fromScalar(text, to), insert: textOf(random.string(ALPHABET, random.below(3))) });
          at = to;
        }
        return fromWire(text, toWire(text, ChangeSet.of(parts, text.length, "\n")));
      };
      const [mine, theirs] = [change(), change()];
      const [mine2, theirs2] = transform(mine, theirs);
      const base = theirs.apply(text);
      expect(toWire(base, mine2), `seed ${seed}`).toEqual(model.transform(toWire(text, mine), toWire(text, theirs)));
      expect(stringOf(mine2.apply(base))).toBe(stringOf(theirs2.apply(mine.apply(text))));
      const [first, rest] = split(mine, 1 + random.below(6), 3 + random.below(6));
      const whole = first.apply(text);
      expect(stringOf(rest ? rest.apply(whole) : whole), `seed ${seed}, split`).toBe(stringOf(mine.apply(text)));
      const other = textOf(random.string(ALPHABET, random.below(30)));
      expect(stringOf(difference(text, other)?.apply(text) ?? text)).toBe(stringOf(other));
    }
  });

  test("operations that do not fit are refused", () => {
    const text = textOf("a😀");
    for (const wrong of [[3], [1], [-3], [2, "x", 1], [1e300], [0.5, 1.5], [Number.NaN, 2]]) expect(() => fromWire(text, wrong), JSON.stringify(wrong)).toThrow();
  });

  test("hashes and lengths are zlib's and UTF-8's", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    const text = "aé漢😀\ud83d";
    expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
  });
});

describe("what was typed in a field", () => {
  const change = (before: string, after: string, caret: number) => {
    const changes = typedChange(before, after, caret)!;
    expect(stringOf(changes.apply(textOf(before)))).toBe(after);
    const found: unknown[] = [];
    changes.iterChanges((from, to, _b, _c, insert) => found.push([from, to, stringOf(insert)]));
    return found;
  };

  test("is where the caret is, among equal characters", () => {
    expect(change("aaa", "aaaa", 2)).toEqual([[1, 1, "a"]]);
    expect(change("a\na", "a\n\na", 2)).toEqual([[1, 1, "\n"]]);
    expect(change("abc", "ac", 1)).toEqual([[1, 2, ""]]);
    expect(change("abab", "ab", 0)).toEqual([[0, 2, ""]]);
    expect(change("one two", "one 2", 5)).toEqual([[4, 7, "2"]]);
    expect(typedChange("same", "same", 2)).toBeNull();
  });

  test("is found also where the caret says nothing", () => {
    for (let seed = 1; seed < 500; seed++) {
      const random = new Random(seed);
      const [before, after] = [random.string(["a", "b", "\n"], random.below(8)), random.string(["a", "b", "\n"], random.below(8))];
      if (before !== after) change(before, after, random.below(after.length + 1));
    }
  });
});
