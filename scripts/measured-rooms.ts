/** Where the words, the rules, the link, the log, the server around it and the machines that run agents are: a line that no test runs there is a promise that nobody checks. */
export const measuredRooms: readonly string[] = [
  'packages/protocol/src',
  'packages/core/src',
  'packages/client/src',
  'packages/server/src/log',
  'packages/server/src',
  'packages/runner/src',
]

/** Files of these rooms that only a browser or a worker thread can run; tests do that, where lines are not counted. */
export const runElsewhere: string[] = [
  'packages/client/src/browser-store.ts',
  'packages/client/src/react.ts',
  'packages/client/src/use-readable.ts',
  'packages/server/src/log/sqlite/checkpoint-worker.js',
]
