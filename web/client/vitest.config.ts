import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["test/**/*.test.ts"], testTimeout: process.env["MOTET_LONG"] ? 1_200_000 : 60_000, reporters: ["default"] },
});
