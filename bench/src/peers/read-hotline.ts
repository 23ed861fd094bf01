import { parseArgs } from 'node:util'
import { type Database, openDatabase } from '@hotline/server/log/open-database'
import type { NewEvent } from '@hotline/server/log/log-store'
import { systemClock, timestamp } from '@hotline/server/machine/clock'
import { systemIds } from '@hotline/server/machine/ids'
import { eventBytes } from '../dialects.ts'

// What a resume cannot be quicker than: so many events read from the store, in pages as a follower reads them. The
// events are written by another life of the store, so that nothing of them is in our memory; the system's cache is warm,
// as it is for a server that wrote them a moment ago.

const { values } = parseArgs({ options: { directory: { type: 'string', default: '' }, events: { type: 'string' } } })
const count = Number(values.events)
const stream = 'session:bench'
const page = { limit: 500, maxBytes: 256 * 1024 }
const batch = 100

async function openStore(): Promise<Database> {
  const means = { clock: systemClock, ids: systemIds(() => systemClock.wallMs()) }
  return await openDatabase({ kind: 'sqlite', dir: values.directory }, means)
}

const reported = { type: 'output.appended', data: { source: 'stdout', encoding: 'utf8', bytes: eventBytes } }
const text = 'x'.repeat(eventBytes - JSON.stringify({ ...reported, body: { text: '' } }).length)

function event(): NewEvent {
  return { v: 1, at: timestamp(systemClock), ...reported, actor: { kind: 'agent', id: 'bench' }, body: { text } }
}

{
  await using database = await openStore()
  for (let head = 0; head < count; head += batch) {
    const result = await database.store.append([{ stream, expect: head, events: Array.from({ length: batch }, event) }])
    if (!result.ok) throw new Error(`the log refused: ${result.reason}`)
  }
}

await using database = await openStore()
process.stdout.write(`${JSON.stringify({ phase: 'window' })}\n`)
const start = performance.now()
let read = 0
for (let last = -1; last !== read;) {
  last = read
  read += (await database.store.read(stream, { after: read, ...page })).length
}
const totalMs = performance.now() - start
process.stdout.write(`${JSON.stringify({ phase: 'stop' })}\n`)
const failure = read === count ? '' : `${read} of ${count} events read`
process.stdout.write(`${JSON.stringify({ phase: 'result', totalMs, failure })}\n`)
