import { defineConfig } from "vitest/config";

const long = Boolean(process.env["MOTET_LONG"]);

// "unit" needs Node only; "live" a built motetd (MOTETD=PATH, or target/release/motetd); "browser" also Chromium (CHROMIUM=PATH, or /usr/bin/chromium).
export default defineConfig({
  test: {
    testTimeout: long ? 1_800_000 : 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { extends: true, test: { name: "live", include: ["test/live/**/*.test.ts"], fileParallelism: false } },
      { extends: true, test: { name: "browser", include: ["test/browser/**/*.test.ts"], fileParallelism: false } },
    ],
  },
});
