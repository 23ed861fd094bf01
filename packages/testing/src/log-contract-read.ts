import { describe, expect, test } from 'vitest'
import { accepted, agentEvent, bareEvent, findCommand, freely, parseWire, readAll, wireText } from './log-bench.ts'
import type { OpenLogBench } from './log-bench.ts'

const stream = 'session:one'

/** Text that storage layers like to change. */
export const oddTexts = [
  '',
  '\0',
  'a\0b',
  '\ud800 alone',
  'alone \udfff',
  '😀👩‍👩‍👧‍👦',
  'e\u0301 is not \u00e9',
  '\u2028\u2029\ufeff\u200b\u202e',
  '\u0001\u001f\u007f\u0080',
  '"quoted" \\ \\u0000 </script>',
  "'; DROP TABLE events; --",
  '\uffff\ufffe\ufffd',
]

/** What is read is what was appended. */
export function readContract(open: OpenLogBench): void {
  describe('read', () => {
    test('[L8] any Unicode survives byte for byte, also NUL and lone surrogates', async () => {
      await using bench = await open()
      const events = oddTexts.map((text, at) => ({
        ...agentEvent(text, `message:${at}`),
        channel: `web:${text.slice(0, 5)}`,
        cause: `c${at}`,
        data: { text, [text]: at },
      }))
      const [appended] = accepted(await bench.store.append([freely(stream, ...events)]))
      const read = await readAll(bench.store, stream)
      expect(read.map(wireText)).toEqual(appended?.events.map(wireText))
      expect(read.map((event) => parseWire(event).body?.text)).toEqual(oddTexts)
      expect(read.map((event) => parseWire(event)['data'])).toEqual(oddTexts.map((text, at) => ({ text, [text]: at })))
      expect(await bench.store.verify(stream)).toBeUndefined()
    })

    test('[L8] the members stand in their fixed order, absent ones are left out', async () => {
      await using bench = await open()
      const whole = { ...agentEvent('t', 'message:1'), channel: 'web:1', cause: 'c1' }
      accepted(await bench.store.append([freely(stream, whole, bareEvent({ turn: 't1' }))]))
      const [first, second] = await readAll(bench.store, stream)
      expect(Object.keys(first === undefined ? {} : parseWire(first))).toEqual(
        'v stream seq at type subject actor channel cause data body hash'.split(' '),
      )
      expect(Object.keys(second === undefined ? {} : parseWire(second))).toEqual(
        'v stream seq at type actor data hash'.split(' '),
      )
    })

    test('[L8] an event of 256 KiB is one event', async () => {
      await using bench = await open()
      const text = 'ü'.repeat(130_000)
      accepted(await bench.store.append([freely(stream, agentEvent(text), agentEvent('after'))]))
      const [large, after] = await readAll(bench.store, stream)
      expect(large === undefined ? '' : parseWire(large).body?.text).toBe(text)
      expect(after?.seq).toBe(2)
      expect(await bench.store.verify(stream)).toBeUndefined()
    })

    test('[L9] a page lies after one position and up to another, and keeps to its limits', async () => {
      await using bench = await open()
      const { store } = bench
      const events = Array.from({ length: 50 }, (_, at) => agentEvent(`${at + 1}`.padStart(100)))
      accepted(await store.append([freely(stream, ...events)]))
      const seqs = async (after: number, limit: number, maxBytes: number, upTo?: number) =>
        (await store.read(stream, { after, limit, maxBytes, ...(upTo === undefined ? {} : { upTo }) })).map(
          ({ seq }) => seq,
        )
      const sizeBytes = (await readAll(store, stream))[0]?.bytes.length ?? 0
      expect(await seqs(0, 3, 1e6)).toEqual([1, 2, 3])
      expect(await seqs(47, 10, 1e6)).toEqual([48, 49, 50])
      expect(await seqs(50, 10, 1e6)).toEqual([])
      expect(await seqs(90, 10, 1e6)).toEqual([])
      expect(await seqs(10, 10, 1e6, 12)).toEqual([11, 12])
      expect(await seqs(0, 10, 1)).toEqual([1])
      expect(await seqs(20, 10, sizeBytes * 3 + 20)).toEqual([21, 22, 23])
      expect(await store.read('session:none', { after: 0, limit: 1, maxBytes: 1 })).toEqual([])
      expect(await store.head('session:none')).toBeUndefined()
    })

    test('[L10] later events of a subject are found by it', async () => {
      await using bench = await open()
      const { store } = bench
      const subjects = ['approval:a', 'approval:b', 'message:a', undefined]
      const events = Array.from({ length: 40 }, (_, at) => agentEvent(String(at), subjects[at % 4]))
      accepted(await store.append([freely(stream, ...events)]))
      accepted(await store.append([freely('session:two', agentEvent('elsewhere', 'approval:a'))]))
      const found = await store.readSubjects(stream, ['approval:a', 'message:a', 'x'], 20, 6)
      expect(found.map(({ seq }) => seq)).toEqual([21, 23, 25, 27, 29, 31])
      expect(found.map(wireText)).toEqual(
        (await readAll(store, stream)).filter(({ seq }) => found.some((one) => one.seq === seq)).map(wireText),
      )
      expect(await store.readSubjects(stream, [], 0, 10)).toEqual([])
      expect(await store.readSubjects('session:none', ['approval:a'], 0, 10)).toEqual([])
    })

    test('[L42] events are read at any positions, and one that is damaged is not', async () => {
      await using bench = await open()
      const { store } = bench
      accepted(await store.append([freely(stream, ...Array.from({ length: 20 }, (_, at) => agentEvent(String(at))))]))
      accepted(await store.append([freely('session:two', agentEvent('elsewhere'))]))
      const all = await readAll(store, stream)
      const found = await store.readAt(stream, [20, 1, 7, 7, 8, 99, 0, -1])
      expect(found.map(({ seq }) => seq)).toEqual([1, 7, 8, 20])
      expect(found).toEqual(all.filter(({ seq }) => [1, 7, 8, 20].includes(seq)))
      expect(await store.readAt(stream, [])).toEqual([])
      expect(await store.readAt('session:none', [1])).toEqual([])
      const ofStream = `no = (SELECT no FROM streams WHERE stream = '${stream}')`
      await bench.sql(`UPDATE events SET header = $1 WHERE ${ofStream} AND seq = 7`, Buffer.from('{}'))
      await expect(store.readAt(stream, [1, 7])).rejects.toThrow(`damaged at ${stream} event 7`)
      expect(await store.readAt(stream, [8])).toHaveLength(1)
    })

    test('[L50] how subjects began and what was said of them last is read for many streams at once', async () => {
      await using bench = await open()
      const { store } = bench
      const other = 'session:two'
      const said = ['a', 'b', 'a', 'a', 'b'].map((subject, at) => agentEvent(String(at), `approval:${subject}`))
      accepted(await store.append([freely(stream, ...said)]))
      accepted(await store.append([freely(other, agentEvent('x'), agentEvent('once', 'approval:a'))]))
      const wanted = [
        { stream: other, subject: 'approval:a' },
        { stream, subject: 'approval:none' },
        { stream, subject: 'approval:a' },
        { stream: 'session:none', subject: 'approval:a' },
        { stream, subject: 'approval:b' },
        { stream: other, subject: 'approval:a' },
      ]
      const found = await store.readEnds(wanted)
      expect(found.map((ends) => ends?.events.map(({ seq }) => seq))).toEqual([
        [2],
        undefined,
        [1, 4],
        undefined,
        [2, 5],
        [2],
      ])
      const head = await store.head(stream)
      expect(found[2]).toMatchObject({ epoch: head?.epoch, head: 5 })
      const all = await readAll(store, stream)
      expect(found[2]?.events.map(wireText)).toEqual([all[0], all[3]].flatMap((one) => (one ? [wireText(one)] : [])))
      expect(await store.readEnds([])).toEqual([])
      const ofStream = `no = (SELECT no FROM streams WHERE stream = '${stream}')`
      await bench.sql(`UPDATE events SET header = $1 WHERE ${ofStream} AND seq = 4`, Buffer.from('{}'))
      const left = await store.readEnds(wanted)
      expect(left.map((ends) => ends?.events.map(({ seq }) => seq))).toEqual([
        [2],
        undefined,
        undefined,
        undefined,
        [2, 5],
        [2],
      ])
    })

    test('[L14] a store that is opened again gives the same', async () => {
      await using bench = await open()
      const rows = [{ table: 'facts' as const, insert: { name: 'f', value: 'v' } }]
      const commands = [{ principal: 'person:a', id: 'c', bodyHash: 'ab', answer: '1' }]
      const events = oddTexts.map((text) => agentEvent(text, `message:${text.length}`))
      accepted(
        await bench.store.append([{ ...freely(stream, ...events), state: '{"s":1}', generation: 4, rows, commands }]),
      )
      const before = [await bench.store.head(stream), (await readAll(bench.store, stream)).map(wireText)]
      for (let life = 0; life < 3; life += 1) {
        await bench.reopen()
        expect([await bench.store.head(stream), (await readAll(bench.store, stream)).map(wireText)]).toEqual(before)
        expect(await bench.store.verify(stream)).toBeUndefined()
        expect(await bench.lists.fact('f')).toBe('v')
        expect(await findCommand(bench.store, stream, 'person:a', 'c')).toMatchObject({ answer: '1' })
      }
      const [appended] = accepted(await bench.store.append([freely(stream, agentEvent('next'))]))
      expect(appended?.head).toBe(events.length + 1)
      expect(await bench.store.verify(stream)).toBeUndefined()
    })

    test('[L14] closing writes what was appended, and a closed store refuses', async () => {
      await using bench = await open()
      const { store } = bench
      const appending = store.append([freely(stream, agentEvent('last'))])
      await bench.reopen()
      accepted(await appending)
      expect(await store.append([freely(stream, agentEvent('late'))])).toMatchObject({ reason: 'unavailable' })
      await expect(store.head(stream)).rejects.toThrow()
      expect(await bench.store.head(stream)).toMatchObject({ head: 1 })
    })
  })
}
