import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { chainLines } from '@hotline/server/audit/chain-lines'
import { verifyExport } from '@hotline/server/audit/verify-export'
import { verifyLog } from '@hotline/server/audit/verify-log'
import { inLife } from '@hotline/server/log/log-life'
import { describe, expect, test } from 'vitest'
import { accepted, agentEvent, bareEvent, freely, parseWire, readAll } from './log-bench.ts'
import type { LogBench, OpenLogBench } from './log-bench.ts'

const stream = 'session:one'
const ofStream = `no = (SELECT no FROM streams WHERE stream = '${stream}')`

async function openFilled(open: OpenLogBench): Promise<LogBench> {
  const bench = await open()
  const events = Array.from({ length: 12 }, (_, at) =>
    at % 4 === 3 ? bareEvent({ turn: `t${at}` }) : agentEvent(`text ${at}`, `message:${at % 2}`),
  )
  accepted(await bench.store.append([freely(stream, ...events), freely('session:two', ...events)]))
  return bench
}

async function bytesOf(bench: LogBench, column: string, seq: number): Promise<Uint8Array> {
  const [row] = await bench.sql(`SELECT ${column} AS bytes FROM events WHERE ${ofStream} AND seq = ${seq}`)
  return row?.['bytes'] as Uint8Array
}

/** The chain of hashes, erasure, and damage that must show. */
export function proofContract(open: OpenLogBench): void {
  describe('proof', () => {
    test('[L11] an erased body is gone for good, and everything else holds', async () => {
      await using bench = await openFilled(open)
      const before = (await readAll(bench.store, stream)).map(parseWire)
      expect(await bench.store.erase(stream, { subject: 'message:0', upTo: 9 })).toBe(5)
      expect(await bench.store.erase(stream, { subject: 'message:0', upTo: 9 })).toBe(0)
      const after = (await readAll(bench.store, stream)).map(parseWire)
      expect(after).toEqual(
        before.map((event, at) => {
          if (event['subject'] !== 'message:0' || at + 1 > 9) return event
          const { body: _body, ...rest } = event
          return rest
        }),
      )
      expect(await bench.store.verify(stream)).toBeUndefined()
      const left = await bench.sql(
        `SELECT count(*) AS n FROM events WHERE ${ofStream} AND subject = 'message:0' AND seq <= 9 AND (body IS NOT NULL OR salt IS NOT NULL)`,
      )
      expect(Number(left[0]?.['n'])).toBe(0)
      expect(await bench.store.erase(stream, { upTo: 12 })).toBe(4)
      expect((await readAll(bench.store, stream)).every((event) => !('body' in parseWire(event)))).toBe(true)
      expect((await readAll(bench.store, 'session:two')).filter((event) => 'body' in parseWire(event))).toHaveLength(9)
      accepted(await bench.store.append([freely(stream, agentEvent('goes on'))]))
      expect(await bench.store.verify(stream)).toBeUndefined()
      expect(await bench.store.erase('session:none', { upTo: 5 })).toBe(0)
    })

    test('[AU5] an export of it holds, whole and of one stream, and without what was erased', async () => {
      await using bench = await openFilled(open)
      await bench.store.erase(stream, { subject: 'message:0', upTo: 9 })
      const lines = (of: string, store = bench.store): Promise<string> => text(Readable.from(chainLines(store, of)))
      const verify = (exported: string) => verifyExport(Readable.from([Buffer.from(exported)]))
      const whole = await lines('all')
      expect(await verify(whole)).toEqual({ of: 'all', streams: 2, events: 24, heads: 0, faults: [] })
      expect(await verify(await lines(stream))).toMatchObject({ of: stream, streams: 1, events: 12, faults: [] })
      expect(await verify(await lines('session:none'))).toMatchObject({ streams: 0, events: 0, faults: [] })
      // Another life of the log has other epochs for followers, and proves itself as it did.
      const life = inLife(bench.store, 'another')
      expect((await life.head(stream))?.epoch).not.toBe((await bench.store.head(stream))?.epoch)
      expect(await lines('all', life)).toBe(whole)
      await bench.sql(`UPDATE events SET body = $1 WHERE ${ofStream} AND seq = 2`, Buffer.from('{"text":"other"}'))
      const [fault] = (await verify(await lines('all'))).faults
      expect(fault).toEqual({ stream, seq: 2, what: 'its bytes do not give its hash' })
      expect((await verifyLog(bench.store, 'all')).faults).toEqual([fault])
      await bench.sql(`DELETE FROM events WHERE ${ofStream} AND seq >= 2`)
      expect((await verify(await lines('all'))).faults).toMatchObject([{ stream, seq: 2 }])
    })

    test('[AU5] streams are walked by their names, page by page', async () => {
      await using bench = await openFilled(open)
      accepted(await bench.store.append([freely('project:p', agentEvent('x')), freely('session:Two', agentEvent('x'))]))
      const names = ['project:p', 'session:Two', stream, 'session:two']
      expect(await bench.store.streams('', 10)).toEqual(names)
      expect(await bench.store.streams('session:Two', 2)).toEqual(names.slice(2))
      expect(await bench.store.streams('session:two', 2)).toEqual([])
    })

    test('[L12] [L13] a flipped bit in any byte that counts is found and never served', async () => {
      await using bench = await openFilled(open)
      for (const column of ['header', 'body', 'salt', 'hash']) {
        const whole = await bytesOf(bench, column, 5)
        for (const at of [0, Math.floor(whole.length / 2), whole.length - 1]) {
          const flipped = Uint8Array.from(whole)
          flipped[at] = (flipped[at] ?? 0) ^ 0x10
          await bench.sql(`UPDATE events SET ${column} = $1 WHERE ${ofStream} AND seq = 5`, flipped)
          expect(await bench.store.verify(stream), `${column} byte ${at}`).toMatchObject({ seq: 5 })
          await expect(bench.store.read(stream, { after: 2, limit: 10, maxBytes: 1e6 })).rejects.toThrow(
            'damaged at session:one event 5',
          )
          await expect(bench.store.readSubjects(stream, ['message:0'], 0, 100)).rejects.toThrow('damaged')
          expect(await bench.store.read(stream, { after: 0, limit: 4, maxBytes: 1e6 })).toHaveLength(4)
        }
        await bench.sql(`UPDATE events SET ${column} = $1 WHERE ${ofStream} AND seq = 5`, whole)
        expect(await bench.store.verify(stream)).toBeUndefined()
      }
    })

    test('[L12] columns beside the header that say something else are found', async () => {
      await using bench = await openFilled(open)
      for (const change of [`type = 'turn.ended'`, `subject = 'message:9'`, 'subject = NULL']) {
        await bench.sql(`UPDATE events SET ${change} WHERE ${ofStream} AND seq = 3`)
        expect(await bench.store.verify(stream), change).toMatchObject({ seq: 3 })
        await bench.sql(
          `UPDATE events SET type = 'output.appended', subject = 'message:0' WHERE ${ofStream} AND seq = 3`,
        )
      }
      expect(await bench.store.verify(stream)).toBeUndefined()
    })

    test('[L12] a dropped event is found', async () => {
      await using bench = await openFilled(open)
      await bench.sql(`DELETE FROM events WHERE ${ofStream} AND seq = 7`)
      expect(await bench.store.verify(stream)).toEqual({ seq: 7, reason: 'event 7 is missing' })
      await expect(readAll(bench.store, stream)).rejects.toThrow('event 7')
    })

    test('[L12] two swapped events are found', async () => {
      await using bench = await openFilled(open)
      for (const [from, to] of [
        [2, 999],
        [3, 2],
        [999, 3],
      ] as const) {
        await bench.moveEvent({ stream, seq: from }, { stream, seq: to })
      }
      expect(await bench.store.verify(stream)).toMatchObject({ seq: 2 })
    })

    test('[L12] events of another stream in the place of ours are found', async () => {
      await using bench = await openFilled(open)
      await bench.sql(`DELETE FROM events WHERE ${ofStream} AND seq >= 6`)
      const other = 'session:two'
      const last = (await bench.store.head(other))?.head ?? 0
      for (let seq = 6; seq <= last; seq += 1) await bench.moveEvent({ stream: other, seq }, { stream, seq })
      expect(await bench.store.verify(stream)).toMatchObject({ seq: 6 })
    })

    test('[L12] [L13] a log that was cut off, and a head that was moved, are found', async () => {
      await using bench = await openFilled(open)
      await bench.sql(`DELETE FROM events WHERE ${ofStream} AND seq > 10`)
      expect(await bench.store.verify(stream)).toEqual({ seq: 11, reason: 'event 11 is missing' })
      expect(await bench.store.read(stream, { after: 8, limit: 10, maxBytes: 1e6 })).toHaveLength(2)
      await expect(bench.store.read(stream, { after: 10, limit: 10, maxBytes: 1e6 })).rejects.toThrow(
        'damaged at session:one event 11',
      )
      await bench.sql(`UPDATE streams SET head = 10 WHERE ${ofStream}`)
      await bench.reopen()
      expect(await bench.store.verify(stream)).toMatchObject({ seq: 10 })
      await bench.sql(`UPDATE streams SET head = 9, hash = $1 WHERE ${ofStream}`, await bytesOf(bench, 'hash', 9))
      await bench.reopen()
      expect(await bench.store.verify(stream)).toMatchObject({ seq: 10 })
    })
  })
}
