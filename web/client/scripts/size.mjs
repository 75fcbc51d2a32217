// What the client adds to a page, bundled and minified, gzip -9, beside @codemirror/state and the peers. Fails above the limits.
import { build } from "esbuild";
import { gzipSync } from "node:zlib";

const LIMITS = { index: 30, codemirror: 12, monaco: 12, textarea: 8, undo: 6 };
const external = ["@codemirror/*"];
let failed = false;
const size = async (contents) => {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: new URL("..", import.meta.url).pathname },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    external,
    target: "es2022",
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length / 1024;
};
for (const [name, limit] of Object.entries(LIMITS)) {
  const entry = name === "index" ? "./dist/index.js" : `./dist/${name}/index.js`;
  // Bindings are measured as what they add to the client.
  const both = await size(`export * from "./dist/index.js"; export * as binding from "${entry}"`);
  const kB = name === "index" ? both : both - (await size('export * from "./dist/index.js"'));
  const over = kB > limit;
  failed ||= over;
  console.log(`${name.padEnd(11)} ${kB.toFixed(1).padStart(5)} kB of ${limit} gzip${over ? ": too large" : ""}`);
}
// Without the calls: what a page that imports only an error type pays.
console.log(`one import  ${(await size('export { MotetError } from "./dist/index.js"')).toFixed(1).padStart(5)} kB`);
process.exitCode = failed ? 1 : 0;
