// Packs the client, installs it into an empty project, and runs the guide's first example there against a server in memory that is not needed:
// what counts is that every entry resolves and types check.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = new URL("..", import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), "motet-installed-"));
const run = (program, ...args) => execFileSync(program, args, { cwd: directory, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
try {
  const packed = JSON.parse(execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", directory], { cwd: here, encoding: "utf8" }));
  const [{ filename, files }] = Array.isArray(packed) ? packed : Object.values(packed);
  if (files.some(({ path }) => /^(src|test)\//.test(path))) throw new Error("the package holds its sources or tests");
  const { devDependencies } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  const wanted = ["@codemirror/view", "@codemirror/commands", "typescript", "ws", "@types/ws", "@types/node"].map((name) => `${name}@${devDependencies[name]}`);
  writeFileSync(join(directory, "package.json"), '{ "name": "empty", "private": true, "type": "module" }');
  run("npm", "i", "--no-audit", "--no-fund", "--ignore-scripts", `./${filename}`, ...wanted);
  const guide = readFileSync(join(here, "../../docs/javascript.md"), "utf8");
  const examples = [...guide.matchAll(/```ts (\S+)\n([^]*?)```/g)];
  if (examples.length < 4) throw new Error("the guide has lost its examples");
  for (const [, name, code] of examples) writeFileSync(join(directory, name), code);
  writeFileSync(
    join(directory, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { target: "ES2022", module: "NodeNext", strict: true, noEmit: true, lib: ["ES2024", "DOM"], types: ["node"] }, include: ["*.ts"] }),
  );
  run("npx", "tsc");
  run("node", "--input-type=module", "-e", 'for (const entry of ["", "/codemirror", "/monaco", "/textarea", "/undo"]) await import(`@motet/client${entry}`)');
  console.log(`installed ${filename} into an empty project: ${examples.map(([, name]) => name).join(", ")} type-check, all entries load`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
