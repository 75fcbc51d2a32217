// What a browser loads before the editor can be used: the page, its script and style, and what they import at once.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 250_000;
const dist = new URL("dist/", import.meta.url);
const seen = new Map();

function add(name) {
  if (seen.has(name)) return;
  const text = readFileSync(new URL(name, dist));
  seen.set(name, gzipSync(text, { level: 9 }).length);
  // Static imports of a chunk; those by import() are loaded when needed.
  if (name.endsWith(".js")) for (const [, file] of text.toString().matchAll(/(?:^|[;}\n])(?:import|export)[^;("'`]*?(?:from)?\s*["'`]\.\/([\w.-]+\.js)["'`]/g)) add(`assets/${file}`);
}

add("index.html");
for (const [, file] of readFileSync(new URL("index.html", dist), "utf8").matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css))"/g)) add(file);
const total = [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
for (const [name, bytes] of seen) console.log(`${String(bytes).padStart(8)} ${name}`);
console.log(`${String(total).padStart(8)} bytes gzipped in all, of ${LIMIT}`);
if (total > LIMIT) process.exit(1);
