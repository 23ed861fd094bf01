import { Readable } from 'node:stream'
import { accepted, freely, type LogBench } from '@hotline/testing/log-bench'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AuditPorts, readAuditPage, walkAudit } from '../../src/audit/walk-audit.ts'
import type { AuditPosition } from '../../src/log/audit-list.ts'
import type { NewEvent } from '../../src/log/log-store.ts'
import { openSqliteBench } from '../log-benches.ts'

const total = 1_500
let bench: LogBench

beforeAll(async () => {
  bench = await openSqliteBench()
  const events = Array.from({ length: total }, (_, at): NewEvent => {
    const second = new Date(Date.UTC(2026, 0, 1, 0, 0, at)).toISOString()
    const actor = { kind: 'person', id: 'ada' } as const
    return { v: 1, at: second, type: 'control.requested', actor, data: { control: `c${at}`, action: 'pause' } }
  })
  accepted(await bench.store.append([freely('session:one', ...events)]))
})
afterAll(() => bench[Symbol.asyncDispose]())

/** How often the index is asked, and for how many lines. */
function counted(): { ports: AuditPorts; asked: number[] } {
  const asked: number[] = []
  const { store, lists } = bench
  const audit: AuditPorts['lists']['audit'] = (query) => {
    asked.push(query.limit)
    return lists.audit(query)
  }
  return { ports: { store, lists: { ...lists, audit } }, asked }
}

const everything = { all: true } as const

it('[AU4] an export reads on only as it is taken, however long it is', async () => {
  const { ports, asked } = counted()
  const entries = walkAudit(ports, everything, {})
  const stream = Readable.from(entries, { highWaterMark: 10 })
  const reader = stream[Symbol.asyncIterator]()
  expect((await reader.next()).value).toMatchObject({ seq: total })
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate)
  expect(asked).toHaveLength(1)
  const seqs = [total]
  for await (const { seq } of { [Symbol.asyncIterator]: () => reader }) seqs.push(seq as number)
  expect(seqs).toEqual(Array.from({ length: total }, (_, at) => total - at))
  expect(Math.max(...asked)).toBeLessThan(total)
})

it('[AU2] text that is nowhere is looked for in so many lines at once, and then further back', async () => {
  const { ports, asked } = counted()
  const filters = { text: 'nowhere' }
  const first = await readAuditPage(ports, everything, { filters, before: undefined, limit: 50 })
  expect(first.entries).toEqual([])
  expect(first.next).toMatchObject({ seq: total - 1_000 + 1 })
  const lines = asked.reduce((sum, limit) => sum + limit - 1, 0)
  expect(lines).toBe(1_000)
  const second = await readAuditPage(ports, everything, { filters, before: first.next, limit: 50 })
  expect(second).toEqual({ entries: [], next: undefined })
})

it('[AU2] a page that is just full says whether there is another', async () => {
  const { ports } = counted()
  const before: AuditPosition = {
    at: new Date(Date.UTC(2026, 0, 1, 0, 0, 2)).toISOString(),
    stream: 'session:one',
    seq: 3,
  }
  const ask = (limit: number) => readAuditPage(ports, everything, { filters: {}, before, limit })
  expect(await ask(2)).toMatchObject({ entries: [{ seq: 2 }, { seq: 1 }], next: undefined })
  expect(await ask(1)).toMatchObject({ entries: [{ seq: 2 }], next: { seq: 2 } })
})
