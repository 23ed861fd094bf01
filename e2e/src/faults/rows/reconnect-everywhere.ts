import { uuidV7 } from '@hotline/client/uuid'
import { formatCursor } from '@hotline/protocol/stream'
import type { FaultProxy } from '@hotline/testing/fault-proxy'
import { openOracleClient, type OracleClient } from '@hotline/testing/oracle-client'
import { compareRecording, type Recording } from '@hotline/testing/oracle-compare'
import { waitFor } from '@hotline/testing/wait-for'
import { line } from '../crowd.ts'
import { type Done, expectNothing, type FaultRow, type Ground } from '../fault-row.ts'
import { startServerProcess } from '../server-process.ts'

const deadlineMs = 30_000

/** Row 9: a connection is lost at every position, before the first event, twice in a row, and half only. */
export const reconnectEverywhere: FaultRow = {
  row: 9,
  name: 'a reconnect at every seq, before the first event, twice in a row, and while the old socket is half open',
  stores: ['sqlite'],
  run: async (ground: Ground): Promise<Done> => {
    const { random, amount, dir } = ground
    await using server = await startServerProcess({ dir })
    const { proxy, proxyUrl } = server
    const runner = await server.startSession(server.link('runner'))
    const { stream } = runner
    const reader = openOracleClient(server.link('person', { url: proxyUrl }), 'the reader')
    reader.follow(stream)
    const counts = { positions: 0, cuts: 0, 'before the first event': 0, 'twice in a row': 0, 'half open': 0 }
    const others: Recording[] = []
    const texts: string[] = []
    const lines = amount === 'some' ? 40 : 250
    for (let number = 0; number < lines; number += 1) {
      await runner.report(line(number))
      if (random.chance(0.5)) await atHead(reader, stream, number)
      const kind = random.int(0, 3)
      // Somewhere in the upgrade, in the welcome, or before the first events.
      if (kind === 1) proxy.cutAfterBytes(random.int(0, 300), 'toClient', { connections: 'new' })
      const before = proxy.cuts
      proxy.cut()
      const first = proxy.cuts
      counts.positions += 1
      if (kind === 0) {
        counts['twice in a row'] += 1
        await comesBack(proxy)
        proxy.cut()
      } else if (kind === 1) {
        counts['before the first event'] += 1
        await waitFor(() => proxy.cuts > first, { what: 'an early cut', deadlineMs, everyMs: 2 })
        proxy.restore()
      } else if (kind === 2 && random.chance(0.4)) {
        counts['half open'] += 1
        const { text, recordings } = await halfOpen(number)
        texts.push(text)
        others.push(...recordings)
      }
      counts.cuts += proxy.cuts - before
    }

    /** A client leaves its connection and comes by another way; the server still believes in the old one. */
    async function halfOpen(number: number): Promise<{ text: string; recordings: Recording[] }> {
      const text = `said over half a line ${number}`
      const old = server.link('person', { url: proxyUrl })
      const first = openOracleClient(old, `before ${number}`)
      first.follow(stream)
      await waitFor(() => first.at(stream) > 0, { what: 'the old connection to be of use', deadlineMs })
      proxy.halfOpen({ direction: random.pick(['toTarget', 'toClient']) })
      const id = uuidV7()
      void old.command(stream, 'session.rename', { title: text }, { id })
      const recording = first.recording(stream, 'open')
      const epoch = recording.applied.at(-1)?.epoch ?? ''
      await old[Symbol.asyncDispose]()
      const next = server.link()
      const second = openOracleClient(next, `after ${number}`)
      second.follow(stream, formatCursor({ epoch, seq: first.at(stream) }))
      const outcome = await next.command(stream, 'session.rename', { title: text }, { id })
      if (!outcome.ok) expectNothing([`${text}: ${outcome.problem.detail}`])
      else {
        await waitFor(() => second.at(stream) >= outcome.accepted.seq, {
          what: 'the new connection to see it',
          deadlineMs,
        })
      }
      const later = second.recording(stream, 'open')
      await next[Symbol.asyncDispose]()
      proxy.restore()
      return { text, recordings: [recording, later] }
    }
    const found: string[] = []
    await waitFor(
      async () => {
        const violations = reader.violations(stream, await server.stored(runner.session))
        found.splice(0, found.length, ...violations)
        return violations.length === 0
      },
      { what: 'the reader to agree', deadlineMs },
    ).catch(() => expectNothing(found))
    const stored = await server.stored(runner.session)
    for (const recording of others) found.push(...compareRecording(recording, stored).map(({ what }) => what))
    for (const text of texts) {
      const times = stored.filter(({ body }) => body?.['title'] === text).length
      if (times !== 1) found.push(`"${text}" is there ${times} times`)
    }
    expectNothing(found)
    return { counts }
  },
}

function atHead(reader: OracleClient, stream: string, number: number): Promise<unknown> {
  return waitFor(() => reader.at(stream) > number, { what: `the reader to see line ${number}`, deadlineMs, everyMs: 1 })
}

function comesBack(proxy: FaultProxy): Promise<unknown> {
  return waitFor(() => proxy.connections > 0, { what: 'the reader to come back', deadlineMs, everyMs: 1 })
}
