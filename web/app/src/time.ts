import { signal } from "@preact/signals";

/** The time, once in 20 seconds, for "3 minutes ago". */
export const clock = signal(Date.now());
setInterval(() => { clock.value = Date.now(); }, 20_000);

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [["year", 31_536_000], ["month", 2_592_000], ["week", 604_800], ["day", 86_400], ["hour", 3600], ["minute", 60]];

/** "3 minutes ago"; below a minute "now". */
export function ago(ms: number): string {
  const seconds = (ms - clock.value) / 1000;
  for (const [unit, size] of UNITS) if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  return "now";
}

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const short = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
export const exact = (ms: number) => full.format(ms);
/** The time of today, and the date of other days. */
export const brief = (ms: number) => (new Date(ms).toDateString() === new Date(clock.value).toDateString() ? short.format(ms) : day.format(ms));
export const dayOf = (ms: number) => day.format(ms);

const numbers = new Intl.NumberFormat();
export const count = (n: number, one: string, many = `${one}s`) => `${numbers.format(n)} ${n === 1 ? one : many}`;
export const number = (n: number) => numbers.format(n);

const UNITS_OF_BYTES = ["B", "kB", "MB", "GB", "TB"];
export function bytes(n: number): string {
  let unit = 0;
  while (n >= 1000 && unit < 4) { n /= 1000; unit++; }
  return `${unit && n < 10 ? n.toFixed(1) : Math.round(n)} ${UNITS_OF_BYTES[unit]}`;
}
