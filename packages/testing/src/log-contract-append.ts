import type { SessionTable } from '@hotline/server/log/tables'
import { describe, expect, test } from 'vitest'
import { accepted, agentEvent, findCommand, freely, parseWire, readAll } from './log-bench.ts'
import type { OpenLogBench } from './log-bench.ts'

const stream = 'session:one'

/** A row of the list of sessions. */
export function sessionRow(session: string, changes: Partial<SessionTable> = {}): SessionTable {
  return {
    session,
    project: 'p1',
    task: null,
    agent: 'demo',
    runner: null,
    title: `Session ${session}`,
    status: 'queued',
    turn: 'idle',
    open_approvals: '[]',
    open_questions: '[]',
    waiting_approvals: 0,
    answers_under_way: 0,
    oldest_approval_at: null,
    needs: 0,
    stale_since: null,
    reason: 'agent_ready',
    exit: '{"code":3,"signal":null}',
    ending: null,
    policy_mode: null,
    untold: 0,
    resuming: 0,
    since: '2026-01-01T00:00:00.000Z',
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
    ...changes,
  }
}

/** Order, conflicts, groups, commands, states and rows. */
export function appendContract(open: OpenLogBench): void {
  describe('append', () => {
    test('[L1] eight writers at once leave 1, 2, 3, … without a gap, each in its own order', async () => {
      await using bench = await open()
      const { store } = bench
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let turn = 0; turn < 40; turn += 1) {
          const events = Array.from({ length: 1 + ((turn + writer) % 3) }, (__, at) =>
            agentEvent(`${writer} ${turn} ${at}`),
          )
          accepted(await store.append([freely(stream, ...events)]))
        }
      })
      await Promise.all(writers)
      const events = await readAll(store, stream)
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1))
      for (let writer = 0; writer < 8; writer += 1) {
        const own = events
          .map((event) => (parseWire(event).body?.text ?? '').split(' ').map(Number))
          .filter(([name]) => name === writer)
        const expected = Array.from({ length: 40 }, (_, turn) =>
          Array.from({ length: 1 + ((turn + writer) % 3) }, (__, at) => [writer, turn, at]),
        )
        expect(own).toEqual(expected.flat())
      }
      expect(await store.head(stream)).toMatchObject({ head: events.length })
      expect(await store.verify(stream)).toBeUndefined()
    })

    test('[L1] appends of one turn keep the order of the calls', async () => {
      await using bench = await open()
      const results = await Promise.all(
        Array.from({ length: 300 }, (_, at) => bench.store.append([freely(stream, agentEvent(String(at)))])),
      )
      expect(results.map((result) => accepted(result)[0]?.head)).toEqual(results.map((_, at) => at + 1))
    })

    test('[L2] an append that was decided on another head is refused and writes nothing', async () => {
      await using bench = await open()
      const { store } = bench
      accepted(await store.append([{ stream, expect: 0, events: [agentEvent('a'), agentEvent('b')] }]))
      const wrong = await Promise.all(
        [0, 1, 3].map((head) => store.append([{ stream, expect: head, events: [agentEvent('x')] }])),
      )
      expect(wrong).toEqual(wrong.map(() => ({ ok: false, reason: 'conflict', what: stream })))
      accepted(await store.append([{ stream, expect: 2, events: [agentEvent('c')] }]))
      expect((await readAll(store, stream)).map((event) => parseWire(event).body?.text)).toEqual(['a', 'b', 'c'])
    })

    test('[L2] of two that were decided on the same head one wins', async () => {
      await using bench = await open()
      const results = await Promise.all(
        ['a', 'b', 'c'].map((text) => bench.store.append([{ stream, expect: 0, events: [agentEvent(text)] }])),
      )
      expect(results.map(({ ok }) => ok)).toEqual([true, false, false])
    })

    test('[L3] a group is written whole or not at all, across streams, states, commands and rows', async () => {
      await using bench = await open()
      const { store, lists } = bench
      accepted(await store.append([freely('project:p1', agentEvent('before'))]))
      const command = { principal: 'person:a', id: 'c1', bodyHash: 'ab', answer: '{}' }
      const refused = await store.append([
        {
          stream,
          expect: 0,
          events: [agentEvent('a')],
          state: '{"a":1}',
          commands: [command],
          rows: [{ table: 'sessions', insert: sessionRow('one') }],
        },
        { stream: 'project:p1', expect: 0, events: [agentEvent('b')] },
      ])
      expect(refused).toEqual({ ok: false, reason: 'conflict', what: 'project:p1' })
      expect(await store.head(stream)).toBeUndefined()
      expect(await findCommand(store, stream, 'person:a', 'c1')).toBeUndefined()
      expect(await lists.session('one')).toBeUndefined()
      expect(await readAll(store, 'project:p1')).toHaveLength(1)
    })

    test('[L3] a row that exists already refuses its group and none of its neighbours', async () => {
      await using bench = await open()
      const { store, lists } = bench
      const insert = (text: string, session: string) =>
        store.append([
          {
            ...freely(stream, agentEvent(text)),
            state: JSON.stringify(text),
            rows: [{ table: 'sessions', insert: sessionRow(session, { title: text }) }],
          },
        ])
      const results = await Promise.all([
        insert('first', 'a'),
        store.append([freely(stream, agentEvent('plain'))]),
        insert('second', 'a'),
        insert('third', 'b'),
        store.append([freely('session:other', agentEvent('other'))]),
      ])
      expect(results.map(({ ok }) => ok)).toEqual([true, true, false, true, true])
      expect(results[2]).toEqual({ ok: false, reason: 'conflict', what: 'sessions' })
      expect((await readAll(store, stream)).map((event) => parseWire(event).body?.text)).toEqual([
        'first',
        'plain',
        'third',
      ])
      expect(await lists.session('a')).toMatchObject({ title: 'first' })
      expect(await store.head(stream)).toMatchObject({ head: 3, state: '"third"' })
      expect(await store.verify(stream)).toBeUndefined()
    })

    test('[L3] an append that cannot be written at all fails alone', async () => {
      await using bench = await open()
      const { store } = bench
      const loop: Record<string, unknown> = {}
      loop['self'] = loop
      const results = await Promise.allSettled([
        store.append([freely(stream, agentEvent('a'))]),
        store.append([freely(stream, { ...agentEvent('b'), body: loop })]),
        store.append([freely(stream, agentEvent('c'))]),
      ])
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(await store.head(stream)).toMatchObject({ head: 2 })
    })

    test('[L3] one group may add to a stream twice, also to a new one', async () => {
      await using bench = await open()
      const group = [
        { stream, expect: 0, events: [agentEvent('a')], state: '1' },
        { stream, expect: 1, events: [agentEvent('b'), agentEvent('c')], state: '3' },
      ]
      expect(accepted(await bench.store.append(group)).map(({ head }) => head)).toEqual([1, 3])
      expect(await bench.store.head(stream)).toMatchObject({ head: 3, state: '3' })
      expect(await bench.store.verify(stream)).toBeUndefined()
    })

    test('[L4] whoever owned the stream before is fenced', async () => {
      await using bench = await open()
      const { store } = bench
      const owned = (generation: number, text: string) =>
        store.append([{ ...freely(stream, agentEvent(text)), generation }])
      accepted(await owned(3, 'a'))
      expect(await owned(2, 'b')).toEqual({ ok: false, reason: 'fenced' })
      accepted(await owned(3, 'c'))
      accepted(await owned(7, 'd'))
      accepted(await store.append([freely(stream, agentEvent('by nobody in particular'))]))
      expect(await owned(6, 'e')).toEqual({ ok: false, reason: 'fenced' })
      expect(await store.head(stream)).toMatchObject({ head: 4, generation: 7 })
    })

    test('[L5] the answer of a command is remembered for its stream, sender and id', async () => {
      await using bench = await open()
      const { store } = bench
      const command = { principal: 'person:a', id: 'c1', bodyHash: 'ab'.repeat(32), answer: '{"ok":"\\u0000ü"}' }
      accepted(await store.append([{ ...freely(stream, agentEvent('a')), commands: [command] }]))
      const found = { bodyHash: command.bodyHash, answer: command.answer }
      expect(await findCommand(store, stream, 'person:a', 'c1')).toEqual(found)
      expect(await findCommand(store, stream, 'person:b', 'c1')).toBeUndefined()
      expect(await findCommand(store, stream, 'person:a', 'c2')).toBeUndefined()
      expect(await findCommand(store, 'session:two', 'person:a', 'c1')).toBeUndefined()
      accepted(await store.append([{ ...freely('session:two', agentEvent('a')), commands: [command] }]))
    })

    test('[L5] many commands are looked up at once, each in its place', async () => {
      await using bench = await open()
      const { store } = bench
      const commands = [3, 1, 2].map((n) => ({ principal: 'person:a', id: `c${n}`, bodyHash: `${n}`, answer: `a${n}` }))
      accepted(await store.append([{ ...freely(stream, agentEvent('a')), commands }]))
      const odd = { principal: 'person:b', id: 'c\0', bodyHash: 'b', answer: 'odd' }
      accepted(await store.append([{ ...freely(stream, agentEvent('b')), commands: [odd] }]))
      const keys = ['c1', 'c9', 'c3', 'c2', 'c1'].map((id) => ({ principal: 'person:a', id }))
      const found = await store.findCommands(stream, [...keys, { principal: 'person:b', id: 'c\0' }])
      expect(found.map((one) => one?.answer)).toEqual(['a1', undefined, 'a3', 'a2', 'a1', 'odd'])
      expect(await store.findCommands('session:none', keys)).toEqual(keys.map(() => undefined))
      expect(await store.findCommands(stream, [])).toEqual([])
    })

    test('[L5] also where nothing is appended with it, and then the stream stays as it was', async () => {
      await using bench = await open()
      const { store } = bench
      accepted(await store.append([{ ...freely(stream, agentEvent('a')), state: '{"n":1}' }]))
      const before = await store.head(stream)
      const command = { principal: 'person:a', id: 'c1', bodyHash: 'ab', answer: '1' }
      const alone = { stream, expect: 1, events: [], commands: [command] } as const
      const [appended] = accepted(await store.append([alone]))
      expect(appended).toEqual({ stream, epoch: before?.epoch, head: 1, events: [] })
      expect(await store.append([{ ...alone, commands: [{ ...command, answer: '2' }] }])).toMatchObject({ ok: false })
      expect(await findCommand(store, stream, 'person:a', 'c1')).toEqual({ bodyHash: 'ab', answer: '1' })
      accepted(await store.append([freely(stream, agentEvent('b'))]))
      await bench.reopen()
      expect(await findCommand(bench.store, stream, 'person:a', 'c1')).toEqual({ bodyHash: 'ab', answer: '1' })
      expect(await bench.store.head(stream)).toMatchObject({ head: 2, state: '{"n":1}' })
      expect(await bench.store.verify(stream)).toBeUndefined()
    })

    test('[L5] a command that is there already refuses its group', async () => {
      await using bench = await open()
      const command = { principal: 'person:a', id: 'c1', bodyHash: 'ab', answer: '1' }
      const again = { ...command, answer: '2' }
      const results = await Promise.all(
        [command, again].map((one) => bench.store.append([{ ...freely(stream, agentEvent('x')), commands: [one] }])),
      )
      expect(results.map(({ ok }) => ok)).toEqual([true, false])
      expect(await findCommand(bench.store, stream, 'person:a', 'c1')).toMatchObject({ answer: '1' })
      expect(await bench.store.head(stream)).toMatchObject({ head: 1 })
    })

    test('[L6] the state stays until another is given', async () => {
      await using bench = await open()
      const { store } = bench
      accepted(await store.append([freely(stream, agentEvent('a'))]))
      expect(await store.head(stream)).toMatchObject({ state: undefined })
      accepted(await store.append([{ ...freely(stream, agentEvent('b')), state: '{"n":"ü"}' }]))
      accepted(await store.append([freely(stream, agentEvent('c'))]))
      expect(await store.head(stream)).toMatchObject({ head: 3, state: '{"n":"ü"}' })
    })

    test('[L7] rows are inserted, put, set and dropped with the events', async () => {
      await using bench = await open()
      const { store, lists } = bench
      accepted(
        await store.append([
          {
            ...freely(stream, agentEvent('a')),
            rows: [
              { table: 'sessions', insert: sessionRow('a', { title: 'with \0 and \ud800' }) },
              { table: 'sessions', put: sessionRow('b', { runner: 'r1' }) },
              { table: 'facts', insert: { name: 'claimed', value: 'yes' } },
            ],
          },
        ]),
      )
      expect(await lists.session('a')).toMatchObject({ title: 'with \ufffd and \ufffd', runner: null })
      accepted(
        await store.append([
          {
            ...freely(stream, agentEvent('b')),
            rows: [
              { table: 'sessions', put: sessionRow('b', { runner: 'r2' }) },
              { table: 'sessions', set: { status: 'aborted', task: 't1' }, where: { session: 'a', runner: null } },
              { table: 'facts', drop: { name: 'claimed' } },
            ],
          },
        ]),
      )
      expect(await lists.session('a')).toMatchObject({ status: 'aborted', task: 't1' })
      expect(await lists.session('b')).toMatchObject({ runner: 'r2' })
      expect(await lists.fact('claimed')).toBeUndefined()
    })
  })
}
