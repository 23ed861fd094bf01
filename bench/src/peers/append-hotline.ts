import { openDatabase } from '@hotline/server/log/open-database'
import { systemClock, timestamp } from '@hotline/server/machine/clock'
import { systemIds } from '@hotline/server/machine/ids'
import { type AppendTarget, runAppendLoop } from './append-loop.ts'

// Our own log, as the server uses it: numbered, chained, headers and bodies apart. With `--url` on PostgreSQL.

const stream = 'session:bench'
/** What type, data and the names around the text take of the event's bytes, as a runner would report it. */
const envelopeBytes = 96

await runAppendLoop(async ({ directory, url }): Promise<AppendTarget> => {
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
          expect: head,
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
    close: async () => {
      await database[Symbol.asyncDispose]()
    },
  }
})
