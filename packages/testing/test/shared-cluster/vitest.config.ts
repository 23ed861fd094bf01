import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// A run of its own, started by ../postgres-global-setup.test.ts: its two files must meet in one cluster.
/** @public */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('.', import.meta.url)),
    include: ['*.fixture.ts'],
    globalSetup: [fileURLToPath(new URL('../../src/postgres-global-setup.ts', import.meta.url))],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
