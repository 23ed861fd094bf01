import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { type Transport, transports } from '@hotline/client/carrier'
import type { Link } from '@hotline/client/link'
import { openOracleClient } from '@hotline/testing/oracle-client'
import type { SeededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { countDescriptors, readMemory } from '../../process-memory.ts'
import type { Holdings } from '../children/tell-holdings.ts'
import { line } from '../crowd.ts'
import { type Done, expectNothing, type FaultRow, type Ground } from '../fault-row.ts'
import { type ServerProcess, startServerProcess } from '../server-process.ts'
import { openWitness } from '../witness.ts'

const deadlineMs = 60_000
const stallMs = 500
/** Little room for garbage: the collector is at work all the time. */
const heapMiB = 160
/** Where this process itself got no turn for so long, neither did the server, and it may have been taken for gone. */
const starvedMs = 3_000
const tellHoldings = new URL('../children/tell-holdings.ts', import.meta.url).href
const mebibyte = 2 ** 20

/**
 * How long it takes, and what may be left over at its end. Over a short time only what is counted exactly says anything;
 * memory has caches to fill first, which takes some hundred sessions.
 */
const shapes = {
  some: { stalls: 8, soakMs: 9_000, restMs: 0, every: 4, heapMiB: 24, residentMiB: 96, descriptors: 6, timers: 6 },
  much: {
    stalls: 60,
    soakMs: 20 * 60_000,
    restMs: 400,
    every: 20,
    heapMiB: 8,
    residentMiB: 32,
    descriptors: 6,
    timers: 6,
  },
} as const

/** What the server held at one moment of rest. */
interface Sample extends Omit<Holdings, 'told'> {
  atMs: number
  descriptors: number
  residentBytes: number
}

/** Row 29: the server stands still again and again, and must end nobody who is well; then it works, and must keep nothing. */
export const soak: FaultRow = {
  row: 29,
  name: 'stalls of half a second, little room for garbage, and a soak (of 20 minutes unless --some)',
  stores: ['sqlite'],
  run: async ({ random, amount, dir }: Ground): Promise<Done> => {
    const shape = shapes[amount]
    const tellIn = join(dir, 'holdings.json')
    await using server = await startServerProcess({
      dir,
      env: {
        NODE_OPTIONS: `--max-old-space-size=${heapMiB} --max-semi-space-size=1 --import=${tellHoldings}`,
        TELL_HOLDINGS_IN: tellIn,
      },
    })
    const quiet = await openQuiet(server)
    const witness = await openWitness(server, 'a witness')
    await stallAgainAndAgain(server, shape.stalls, random)
    const atStalls = witness.answered
    await witness.finish()
    expectNothing(quiet.lost)

    const turns = monitorEventLoopDelay()
    turns.enable()

    const samples: Sample[] = []
    const began = performance.now()
    let rounds = 0
    while (performance.now() - began < shape.soakMs) {
      await liveALittle(server, random.fork(`round ${rounds}`), rounds)
      rounds += 1
      if (rounds % shape.every === 0) samples.push(await lookAt(server, tellIn, samples.length + 1, began))
      await pause(shape.restMs)
    }
    turns.disable()
    const stoodStillMs = Math.round(turns.max / 1e6)
    expectNothing([...(stoodStillMs < starvedMs ? quiet.lost : []), ...leftOver(samples, shape)])
    const perMinute = (of: (sample: Sample) => number): number => Math.round(slope(secondHalf(samples), of) * 60_000)
    return {
      counts: {
        stalls: shape.stalls,
        'answers to the witness': atStalls,
        'seconds of soak': Math.round(shape.soakMs / 1_000),
        rounds,
        samples: samples.length,
        'quiet connections lost': quiet.lost.length,
        'ms that this machine stood still at most': stoodStillMs,
      },
      notes: [
        `per minute in the second half: ${perMinute(({ residentBytes }) => residentBytes / 1_024)} KiB resident, ` +
          `${perMinute(({ heapBytes }) => heapBytes / 1_024)} KiB of heap, ` +
          `${perMinute(({ descriptors }) => descriptors)} descriptors, ${perMinute(({ timers }) => timers)} timers`,
        `at the end ${JSON.stringify(samples.at(-1))}`,
      ],
    }
  },
}

/** Clients of each transport on a session where nothing happens: nothing but heartbeats says that they are well. */
async function openQuiet(server: ServerProcess): Promise<{ readonly lost: readonly string[] }> {
  const hand = await server.startSession(server.link('runner'), 'a quiet one')
  const links = transports.flatMap((transport) => [0, 1].map(() => [transport, server.link('person', only(transport))]))
  const lost: string[] = []
  for (const [transport, link] of links as [Transport, Link][]) {
    const oracle = openOracleClient(link, `a quiet one over ${transport}`)
    oracle.follow(hand.stream)
    await waitFor(() => oracle.at(hand.stream) > 0, { what: `a quiet one over ${transport}`, deadlineMs })
    link.connection.watch((state) => {
      if (state.status !== 'open') lost.push(`a quiet one over ${transport} became ${JSON.stringify(state)}`)
    })
  }
  return { lost }
}

const only = (transport: Transport): { transports: readonly Transport[] } => ({ transports: [transport] })

/** The server is stopped for half a second, many times, while it has much to read and to write. */
async function stallAgainAndAgain(server: ServerProcess, stalls: number, random: SeededRandom): Promise<void> {
  const hand = await server.startSession(server.link('runner'), 'a loud one')
  const reader = openOracleClient(server.link(), 'a reader of much')
  reader.follow(hand.stream)
  let lines = 0
  for (let stall = 0; stall < stalls; stall += 1) {
    const much = Array.from({ length: 10 }, () => line((lines += 1) - 1, random.int(10_000, 20_000)))
    const reported = hand.report(...much)
    process.kill(server.pid, 'SIGSTOP')
    await pause(stallMs)
    process.kill(server.pid, 'SIGCONT')
    await reported
    await pause(random.int(0, 200))
  }
  const stored = await server.stored(hand.session)
  await waitFor(() => reader.at(hand.stream) >= stored.length, { what: 'the reader of much', deadlineMs })
  expectNothing(reader.violations(hand.stream, stored))
}

/** A session from its start to its end, with people who come over each transport, and go. */
async function liveALittle(server: ServerProcess, random: SeededRandom, round: number): Promise<void> {
  const machine = server.link('runner')
  const hand = await server.startSession(machine, `round ${round}`)
  const links = random.shuffle(transports).map((transport) => server.link('person', only(transport)))
  const oracles = links.map((link, at) => openOracleClient(link, `round ${round}, ${at}`))
  for (const oracle of oracles) oracle.follow(hand.stream)
  for (let step = random.int(1, 4); step > 0; step -= 1) {
    await hand.report(line(step, random.int(0, 2_000)))
    const said = await random.pick(oracles).command(hand.stream, 'session.rename', { title: `round ${round} ${step}` })
    if (!said.ok) expectNothing([`round ${round}: ${said.problem.detail}`])
  }
  const { approval, digest } = await hand.ask({ tool: 'run', title: 'Run it', input: 'true' })
  const decided = await random
    .pick(oracles)
    .command(hand.stream, 'approval.decide', { approval, digest, verdict: 'allow' })
  if (!decided.ok) expectNothing([`round ${round}: ${decided.problem.detail}`])
  await hand.report({
    type: 'session.state_changed',
    data: { from: 'active', to: 'completed', reason: 'agent_exited' },
    body: {},
  })
  const stored = await server.stored(hand.session)
  await waitFor(() => oracles.every((oracle) => oracle.at(hand.stream) >= stored.length), {
    what: `everybody of round ${round}`,
    deadlineMs,
  })
  expectNothing(oracles.flatMap((oracle) => oracle.violations(hand.stream, stored)))
  for (const link of [...links, machine]) await link[Symbol.asyncDispose]()
}

/** Waits until those who left are gone, and asks what the server still holds. */
async function lookAt(server: ServerProcess, tellIn: string, told: number, began: number): Promise<Sample> {
  process.kill(server.pid, 'SIGUSR2')
  const { timers, heapBytes } = await waitFor(
    () => {
      const holdings = JSON.parse(readFileSync(tellIn, 'utf8')) as Holdings
      return holdings.told === told && holdings
    },
    { what: 'the server to say what it holds', deadlineMs },
  )
  const { residentBytes } = readMemory(server.pid)
  const atMs = Math.round(performance.now() - began)
  return { atMs, timers, heapBytes, residentBytes, descriptors: countDescriptors(server.pid) }
}

/** What grew more from the first to the last third of the second half than it may. */
function leftOver(samples: readonly Sample[], shape: (typeof shapes)[Ground['amount']]): string[] {
  const half = secondHalf(samples)
  const third = Math.max(1, Math.floor(half.length / 3))
  const grown = (of: (sample: Sample) => number): number =>
    median(half.slice(-third).map(of)) - median(half.slice(0, third).map(of))
  const found: [what: string, grown: number, most: number][] = [
    ['descriptors', grown(({ descriptors }) => descriptors), shape.descriptors],
    ['timers', grown(({ timers }) => timers), shape.timers],
    ['MiB of heap', grown(({ heapBytes }) => heapBytes) / mebibyte, shape.heapMiB],
    ['MiB resident', grown(({ residentBytes }) => residentBytes) / mebibyte, shape.residentMiB],
  ]
  return found
    .filter(([, more, most]) => more > most)
    .map(([what, more, most]) => `${more.toFixed(1)} ${what} more, where ${most} may be: ${JSON.stringify(samples)}`)
}

function secondHalf(samples: readonly Sample[]): readonly Sample[] {
  return samples.slice(Math.floor(samples.length / 2))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

/** Least squares, per millisecond. */
function slope(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const at = mean(samples.map(({ atMs }) => atMs))
  const value = mean(samples.map(of))
  const spread = samples.reduce((sum, { atMs }) => sum + (atMs - at) ** 2, 0)
  return spread === 0 ? 0 : samples.reduce((sum, one) => sum + (one.atMs - at) * (of(one) - value), 0) / spread
}
