import type { Clock } from '@hotline/client/clock'
import type { Link } from '@hotline/client/link'
import { openLink } from '@hotline/client/open-link'
import { memoryOutbox } from '@hotline/client/outbox'
import { problem } from '@hotline/protocol/error'
import { describe, expect, it } from 'vitest'
import { startFaultProxy } from '../src/fault-proxy.ts'
import { type OracleClient, openOracleClient } from '../src/oracle-client.ts'
import { randomSeed, seededRandom } from '../src/seed.ts'
import { waitFor } from '../src/wait-for.ts'
import { startTinyLogServer } from './tiny-log-server.ts'

const stream = 'session:s1'
const acts = 150

/** Waits of whole seconds are shorter, so that a connection that hangs costs a test little. */
const impatient: Clock = {
  wallMs: () => Date.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs > 900 ? delayMs / 40 : delayMs)
    return () => clearTimeout(timer)
  },
}

/** One life of three clients and a server between which everything goes wrong. */
async function live(seed: number): Promise<string[]> {
  const random = seededRandom(seed)
  await using tiny = await startTinyLogServer()
  tiny.heartbeatMs = 250
  await using proxy = await startFaultProxy({
    target: { host: '127.0.0.1', port: Number(new URL(tiny.url).port) },
    seed,
  })
  const links: Link[] = []
  const clients: OracleClient[] = []
  for (const name of ['one', 'two', 'three']) {
    const link = openLink({
      url: `http://127.0.0.1:${proxy.port}`,
      credential: { kind: 'token', token: 't' },
      outbox: memoryOutbox(),
      random: () => random.float() / 20,
      clock: impatient,
    })
    const client = openOracleClient(link, name)
    client.follow(stream)
    links.push(link)
    clients.push(client)
  }
  const sent: Promise<unknown>[] = []
  const does: (() => unknown)[] = [
    () => tiny.append(random.int(1, 5)),
    () => tiny.append(random.int(1, 3), 'untold'),
    () => sent.push(random.pick(clients).command(stream, 'message.send', { text: `m${sent.length}` })),
    () => sent.push(random.pick(clients).command(stream, 'message.send', { text: `m${sent.length}` })),
    () => tiny.heartbeat(),
    () => tiny.events.length > 2 && tiny.say(tiny.batch(random.int(1, 2), tiny.events.length)),
    () => tiny.events.length > 2 && tiny.say(tiny.batch(tiny.events.length - 1, tiny.events.length)),
    () => proxy.cut(),
    () => proxy.cutAfterBytes(random.int(0, 2_000), random.pick(['toTarget', 'toClient'])),
    () => proxy.dropAnswer({ afterMs: random.int(0, 5) }),
    () => proxy.sliceEvery(random.int(1, 64)),
    () => proxy.delay(random.int(0, 8), { jitterMs: 5 }),
    () => proxy.halfOpen({ direction: random.pick(['toTarget', 'toClient']) }),
    () => proxy.restore(),
    () => proxy.restore(),
    () => {
      const untilMs = Date.now() + random.int(0, 30)
      tiny.refuse = () => (Date.now() < untilMs ? problem('storage_unavailable', 'The disk is full.') : undefined)
    },
  ]
  for (let act = 0; act < acts; act += 1) {
    random.pick(does)()
    if (random.chance(0.5)) await new Promise((resolve) => setImmediate(resolve))
    if (random.chance(0.1))
      await waitFor(() => tiny.sockets.size > 0, { what: 'a connection', everyMs: 1, deadlineMs: 100 }).catch(
        () => false,
      )
  }
  proxy.restore()
  await Promise.all(sent)
  // Two heartbeats find whatever was lost last.
  await waitFor(
    () => {
      tiny.heartbeat()
      return clients.every((client) => client.at(stream) === tiny.events.length)
    },
    { what: 'everybody to catch up' },
  )
  const violations = clients.flatMap((client) => client.violations(stream, tiny.events))
  for (const link of links) await link[Symbol.asyncDispose]()
  return violations
}

describe('links between which and the server everything goes wrong', () => {
  const seed = randomSeed('links')
  it.each(Array.from({ length: 6 }, (_, at) => (seed + at) % 0x100000000))(
    '[N1] [N2] nothing is lost, doubled or out of order (seed %i)',
    async (one) => {
      expect(await live(one)).toEqual([])
    },
  )
})
