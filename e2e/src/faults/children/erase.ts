// Writes words into a log and erases some of them; says when it is done and waits to be killed. Started by
// rows/no-resurrection.ts.
import { writeSync } from 'node:fs'
import { openDatabase } from '@hotline/server/log/open-database'
import type { DatabasePlace } from '@hotline/server/log/open-database'
import { systemClock } from '@hotline/server/machine/clock'
import { systemIds } from '@hotline/server/machine/ids'
import { agentEvent } from '@hotline/testing/log-bench'

/** What to write and to erase. */
export interface EraseOrder {
  place: DatabasePlace
  stream: string
  /** Words that have to go; `write` puts them there first. */
  secret: string
  work: 'write' | 'erase'
  events: number
}

const { place, stream, secret, work, events } = JSON.parse(process.argv[2] ?? '') as EraseOrder
const { store } = await openDatabase(place, { clock: systemClock, ids: systemIds(() => systemClock.wallMs()) })
if (work === 'write') {
  for (let at = 0; at < events; at += 1) {
    const event = agentEvent(`${at % 2 === 0 ? secret : 'harmless'} ${at} ${'y'.repeat(900)}`, `message:${at % 2}`)
    const written = await store.append([{ stream, expect: 'any', events: [event] }])
    if (!written.ok) throw new Error(written.reason)
  }
}
writeSync(1, 'begins\n')
writeSync(1, `erased ${await store.erase(stream, { subject: 'message:0', upTo: events })}\n`)
setInterval(() => undefined, 1_000)
