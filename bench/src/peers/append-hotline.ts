import { openDatabase } from '@hotline/server/log/open-database'
import type { LogStore } from '@hotline/server/log/log-store'
import { systemClock, timestamp } from '@hotline/server/machine/clock'
import { systemIds } from '@hotline/server/machine/ids'
import { type AppendTarget, runAppendLoop } from './append-loop.ts'

// Our own log, as the server uses it: numbered, chained, headers and bodies apart. With `--url` on PostgreSQL. Several
// writers are several stores, as servers would be that share a database: what keeps them apart is the row of the stream.

const stream = 'session:bench'
/** What type, data and the names around the text take of the event's bytes, as a runner would report it. */
const envelopeBytes = 96
const page = { limit: 500, maxBytes: 1024 * 1024 }

await runAppendLoop(async ({ directory, url, writers }): Promise<AppendTarget> => {
  const database = await openDatabase(url === '' ? { kind: 'sqlite', dir: directory } : { kind: 'postgres', url }, {
    clock: systemClock,
    ids: systemIds(() => systemClock.wallMs()),
  })
  let head = 0
  return {
    commit: async (events) => {
      const at = timestamp(systemClock)
      const result = await database.store.append([
        {
          stream,
          expect: writers === 1 ? head : 'any',
          events: events.map((bytes) => ({
            v: 1,
            at,
            type: 'output.appended',
            actor: { kind: 'agent', id: 'bench' },
            data: { source: 'stdout', encoding: 'utf8', bytes: bytes.length },
            body: { text: bytes.toString('latin1', envelopeBytes, bytes.length - 2) },
          })),
        },
      ])
      if (!result.ok) throw new Error(`the log refused: ${result.reason}`)
      head += events.length
    },
    misplaced: (acknowledged) => countMisplaced(database.store, acknowledged),
    close: async () => {
      await database[Symbol.asyncDispose]()
    },
  }
})

/** Reads the whole stream as a follower would. */
async function countMisplaced(store: LogStore, acknowledged: number): Promise<number> {
  let wrong = 0
  let read = 0
  for (;;) {
    const events = await store.read(stream, { after: read, ...page })
    for (const { seq } of events) {
      read += 1
      if (seq !== read) wrong += 1
    }
    if (events.length === 0) return wrong + Math.abs(read - acknowledged)
  }
}
