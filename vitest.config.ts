import { defineConfig } from 'vitest/config'

// One PostgreSQL for all files that ask for one, started when the first does.
const globalSetup = ['packages/testing/src/postgres-global-setup.ts']

// Three circles of tests. "unit" needs no process and no socket and runs in seconds; "contract" opens real
// sockets, databases and child processes; "e2e" runs the whole system, a browser included.
export default defineConfig({
  test: {
    reporters: ['default', './scripts/count-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/{protocol,core,client}/test/**/*.test.ts', '{bench,scripts}/test/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'contract',
          include: ['packages/{server,runner,cli,web,demo-agent,testing}/test/**/*.test.{ts,tsx}'],
          globalSetup,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/test/**/*.test.ts'],
          globalSetup,
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
