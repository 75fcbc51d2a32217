import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const client = (path: string) => fileURLToPath(new URL(`../client/src/${path}`, import.meta.url));

// motetd serves what this writes to dist/. It replaces MOTET_NONCE by a nonce of each response, and puts a <base> in front,
// so all addresses are relative: the same files work under any path of a reverse proxy.
export default defineConfig({
  base: "./",
  html: { cspNonce: "MOTET_NONCE" },
  resolve: {
    alias: [
      { find: /^@motet\/client$/, replacement: client("index.ts") },
      { find: /^@motet\/client\/codemirror$/, replacement: client("codemirror/index.ts") },
    ],
    dedupe: ["@codemirror/state", "@codemirror/view", "@codemirror/commands", "@codemirror/language"],
  },
  build: {
    target: ["chrome123", "firefox121", "safari17.5"],
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Apart from the app's own code, so that a change of it leaves the 120 language modes, which import these, as they are.
          groups: [
            { name: "editor", test: /node_modules\/(@codemirror\/(state|view|language|commands|autocomplete|search)|@lezer\/(common|highlight|lr)|@marijn|style-mod|w3c-keyname|crelt)\// },
            { name: "base", test: /node_modules\/(preact|@preact|@floating-ui|lucide)\// },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:6683", "/ws": { target: "ws://127.0.0.1:6683", ws: true } } },
});
