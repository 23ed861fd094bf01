import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { measuredRooms, runElsewhere } from './scripts/measured-rooms.ts'

// One PostgreSQL for all files that ask for one, started when the first does.
const globalSetup = ['packages/testing/src/postgres-global-setup.ts']

const countChildren = ['scripts/count-children.ts']

// Patience only costs where something is broken: a limit is there to end a test that hangs, and says nothing about
// speed. So each one is many times what a quiet machine needs, and the limit of a test is above those of its waits.
const patience = {
  unit: { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 30_000 } } },
  contract: { testTimeout: 180_000, hookTimeout: 120_000, expect: { poll: { timeout: 30_000 } } },
  e2e: { testTimeout: 300_000, hookTimeout: 180_000, expect: { poll: { timeout: 60_000 } } },
}

// A whole run may give a test of processes and sockets a second try, and says so: one that needs it is a fault to look
// into, and no reason to run the other thousands again. Alone, each has to pass at once.
const retry = Number(process.env['HOTLINE_TEST_RETRIES'] ?? 0)

// Three circles of tests. "unit" needs no process and no socket and runs in seconds; "contract" opens real
// sockets, databases and child processes; "e2e" runs the whole system, a browser included.
export default defineConfig({
  test: {
    // Most of them wait for processes and sockets: two at once go well also where there are two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default', './scripts/count-reporter.ts'],
    // Only with `--coverage`, and of what the rooms do inside of the test process, and machines that run agents in children of it:
    // what runs in other children or in a browser is tested there and not counted.
    coverage: {
      provider: 'v8',
      autoAttachSubprocess: true,
      include: measuredRooms.map((room) => `${room}/**`),
      exclude: runElsewhere,
      reporter: ['json-summary'],
      // Also where a test failed: lines that nobody tests are a fault of their own.
      reportOnFailure: true,
      // Machines that run agents are killed in their tests: which of their lines are known differs a little from run to run.
      thresholds: Object.fromEntries(
        measuredRooms.map((room) => [`${room}/**`, { lines: room === 'packages/runner/src' ? 94 : 95 }]),
      ),
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/{protocol,core,client}/test/**/*.test.ts', '{bench,scripts}/test/**/*.test.ts'],
          ...patience.unit,
        },
      },
      {
        test: {
          name: 'contract',
          include: ['packages/{server,runner,cli,web,demo-agent,testing}/test/**/*.test.{ts,tsx}'],
          globalSetup,
          setupFiles: countChildren,
          ...patience.contract,
          retry,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/test/**/*.test.ts'],
          globalSetup,
          setupFiles: countChildren,
          ...patience.e2e,
          retry,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'agents',
          include: ['e2e/agents/**/*.test.ts'],
          setupFiles: countChildren,
          ...patience.e2e,
          retry,
          // The first run installs them.
          hookTimeout: 720_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
