import { type Transport, transports } from '@hotline/client/carrier'
import type { Clock } from '@hotline/client/clock'
import { openLink } from '@hotline/client/open-link'
import { type HttpProxy, startHttpProxy } from '@hotline/testing/http-proxy'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openOracleClient } from '@hotline/testing/oracle-client'
import type { SeededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { line, linesOf } from '../crowd.ts'
import { expectNothing, type FaultRow } from '../fault-row.ts'

const deadlineMs = 60_000
/** Journeys that are under way at once. */
const besides = 25

/** Falling and climbing take tenths; how long a connection may take to be made stays as it is, for busy machines. */
const hurried: Clock = {
  wallMs: () => Date.now(),
  after: (delayMs, call) => {
    const hurry = delayMs >= 20_000 ? 30 : delayMs >= 1_000 && delayMs < 5_000 ? 10 : 1
    const timer = setTimeout(call, delayMs / hurry)
    return () => clearTimeout(timer)
  },
}

/** What one journey did. */
interface Journey {
  switches: number
  cuts: number
  violations: string[]
}

/**
 * A session is followed and written to while what lies between lets through one transport after another: every step from
 * each to each other, in an order of chance, with cuts between. Nothing may be lost or come twice.
 */
export const switchTransports: FaultRow = {
  row: 26,
  name: 'transports switch in mid-session',
  stores: ['sqlite'],
  run: async ({ random, amount }) => {
    const journeys = amount === 'some' ? 6 : 50
    // One account, and each journey of it has up to three connections that race.
    const live = await startLiveServer({
      env: {
        HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: '1000000',
        HOTLINE_LIMIT_SOCKETS_PER_ACCOUNT: '10000',
        HOTLINE_LIMIT_SOCKETS_PER_ADDRESS: '10000',
      },
    })
    const counts = { journeys, switches: 0, cuts: 0 }
    const violations: string[] = []
    try {
      let next = 0
      const travelOn = async (): Promise<void> => {
        while (next < journeys) {
          const number = (next += 1)
          const journey = await travel(live, number, random.fork(`journey ${number}`))
          counts.switches += journey.switches
          counts.cuts += journey.cuts
          violations.push(...journey.violations)
        }
      }
      await Promise.all(Array.from({ length: besides }, travelOn))
    } finally {
      await live[Symbol.asyncDispose]()
    }
    expectNothing(violations)
    return { counts }
  },
}

async function travel(live: LiveServer, number: number, random: SeededRandom): Promise<Journey> {
  const hand = await live.startSession(`journey ${number}`)
  const proxy = await startHttpProxy(Number(new URL(live.url).port))
  const stops = everyStep(random)
  const journey: Journey = { switches: 0, cuts: 0, violations: [] }
  letThrough(proxy, stops[0] ?? 'websocket', random)
  const link = openLink({
    url: `http://127.0.0.1:${proxy.port}`,
    credential: { kind: 'token', token: live.token },
    random: () => random.float() / 20,
    clock: hurried,
  })
  const oracle = openOracleClient(link, `journey ${number}`)
  const sent: Promise<unknown>[] = []
  let lines = 0
  const act = async (): Promise<void> => {
    await hand.report(...Array.from({ length: random.int(1, 3) }, () => line((lines += 1) - 1)))
    sent.push(oracle.command(hand.stream, 'message.send', { text: `m${sent.length}` }))
  }
  const over = (transport: Transport): boolean => {
    const { value } = link.connection
    return value.status === 'open' && value.transport === transport
  }
  try {
    oracle.follow(hand.stream)
    for (const [at, stop] of stops.entries()) {
      letThrough(proxy, stop, random)
      await act()
      // What is open stays open where nobody cuts it; a better one is found without.
      if (at > 0 && (transports.indexOf(stop) > transports.indexOf(stops[at - 1] ?? stop) || random.chance(0.3))) {
        proxy.cut()
        journey.cuts += 1
      }
      await act()
      const what = `journey ${number} to go over ${stop}, and not ${JSON.stringify(link.connection.value)}`
      await waitFor(() => over(stop), { what, deadlineMs, everyMs: 5 })
      if (at > 0) journey.switches += 1
      await act()
      if (random.chance(0.3)) {
        proxy.cut()
        journey.cuts += 1
      }
    }
    await Promise.all(sent)
    const stored = await live.stored(hand.session)
    await waitFor(() => oracle.at(hand.stream) === stored.length, { what: `journey ${number} to end`, deadlineMs })
    const texts = stored.filter(({ type }) => type === 'message.posted').map(({ body }) => body?.['text'])
    const given = sent.map((_, at) => `m${at}`)
    if (texts.join() !== given.join())
      journey.violations.push(`${hand.stream}: ${texts.join()} and not ${given.join()}`)
    journey.violations.push(...linesOf(hand.stream, stored, lines), ...oracle.violations(hand.stream, stored))
  } finally {
    await link[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
  }
  return journey
}

/** Lets through one transport, in one of the ways in which the better ones may be missing. */
function letThrough(proxy: HttpProxy, transport: Transport, random: SeededRandom): void {
  proxy.upgrades = transport === 'websocket' ? 'pass' : random.pick(['refuse', 'swallow'])
  proxy.answers = transport === 'poll' ? 'buffer' : 'pass'
}

/** A way that takes every step from one transport to another once, in an order of chance. */
function everyStep(random: SeededRandom): Transport[] {
  const steps = transports.flatMap((from) => transports.filter((to) => to !== from).map((to) => [from, to] as const))
  const walk = (way: Transport[], left: readonly (readonly [Transport, Transport])[]): Transport[] | undefined => {
    if (left.length === 0) return way
    for (const step of random.shuffle(left.filter(([from]) => from === way.at(-1)))) {
      const found = walk(
        [...way, step[1]],
        left.filter((other) => other !== step),
      )
      if (found) return found
    }
    return undefined
  }
  return walk([random.pick(transports)], steps) ?? [...transports]
}
