import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LiveServer, startLiveServer } from '../src/live-server.ts'
import { openOracleClient } from '../src/oracle-client.ts'
import { waitFor } from '../src/wait-for.ts'

let live: LiveServer
beforeAll(async () => {
  live = await startLiveServer()
})
afterAll(() => live[Symbol.asyncDispose]())

/** Nothing else runs in this process, the server and its clients among it. */
function stall(forMs: number): void {
  const until = performance.now() + forMs
  while (performance.now() < until) JSON.stringify({ until })
}

describe('a busy event loop', () => {
  it('[C12] [F5] stalls of half a second and much garbage end no connection that is healthy', async () => {
    const hand = await live.startSession()
    const links = Array.from({ length: 5 }, () => live.link())
    const oracles = links.map((link, at) => openOracleClient(link, `client ${at}`))
    for (const oracle of oracles) oracle.follow(hand.stream)
    await waitFor(() => links.every(({ connection }) => connection.value.status === 'open'), { what: 'all to connect' })
    const lost: string[] = []
    for (const { connection } of links) connection.watch(({ status }) => void lost.push(status))
    const sent: Promise<unknown>[] = []
    for (let round = 0; round < 6; round += 1) {
      sent.push(...oracles.map((oracle) => oracle.command(hand.stream, 'message.send', { text: `round ${round}` })))
      stall(500)
      const garbage = Array.from({ length: 200_000 }, (_, at) => ({ at, round }))
      expect(garbage.length).toBe(200_000)
      // A page that wakes asks at once whether its connection lives.
      for (const link of links) link.wake()
      await new Promise(setImmediate)
    }
    await Promise.all(sent)
    const stored = await live.stored(hand.session)
    for (const oracle of oracles) {
      await waitFor(() => oracle.at(hand.stream) === stored.length, { what: 'everything' })
      expect(oracle.violations(hand.stream, stored)).toEqual([])
    }
    expect(lost).toEqual([])
  })
})
