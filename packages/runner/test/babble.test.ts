import { fileURLToPath } from 'node:url'
import { eventSpecs } from '@hotline/protocol/events'
import { isKnownType } from '@hotline/protocol/known-event'
import { limits } from '@hotline/protocol/limits'
import { parseJson } from '@hotline/server/http/json'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { expect, test } from 'vitest'
import type { AgentProfile } from '../src/profiles/profile.ts'
import type { Babble } from './babbling-agent.ts'
import { type Bench, openBench } from './bench.ts'
import { profileOf } from './profile-of.ts'
import type { World } from './world.ts'

/** Frames that must have been read, by the runner's own count. */
const framesMin = 100_000
/** One life of an agent: it ends before, where it is given up. */
const lifeFrames = 6_000
const livesMax = 200
const growthMaxMiB = 512

const file = fileURLToPath(new URL('babbling-agent.ts', import.meta.url))
const babbler = (agent: string, babble: Babble): AgentProfile => ({
  ...profileOf(agent, {}),
  argv: [process.execPath, file, JSON.stringify(babble)],
})

/** What the runner wrote when an agent had ended. */
interface Ended {
  message: string
  session: string
  lines: number
  unused: Record<string, number>
}

const endOf = (bench: Bench, session: string): Ended | undefined =>
  bench.logged
    .map((line) => JSON.parse(line) as Ended)
    .find((line) => line.message === 'agent ended' && line.session === session)

/** What is wrong with the events of a session; nothing where each is one that every reader can read. */
function flaws(world: World, session: string): readonly string[] {
  return world.stream(session).events.flatMap((event) => {
    const text = JSON.stringify(event)
    const parsed = parseJson(text)
    const spec = isKnownType(event.type) ? eventSpecs[event.type] : undefined
    const isRight = spec?.data.safeParse(event.data).success && (spec.body?.safeParse(event.body).success ?? true)
    const found = [
      ...('detail' in parsed ? [parsed.detail] : []),
      ...(isRight ? [] : ['not of its type']),
      ...(Buffer.byteLength(text) > limits.eventBytes ? ['too large'] : []),
    ]
    return found.map((what) => `${event.type}: ${what}: ${text.slice(0, 300)}`)
  })
}

test('[R17] [T54] 100,000 odd frames are read, and whoever says too many wrong ones is ended; others go on', async () => {
  const random = seededRandom(randomSeed('babbling agents'))
  const lives = Array.from({ length: livesMax }, (_, at) => `babble-${at}`)
  const profiles = lives.map((agent) =>
    babbler(agent, { seed: random.int(0, 0xffffffff), frames: lifeFrames, broken: 0.05 }),
  )
  await using bench = await openBench({ profiles })
  const { world, cwd } = bench
  const before = process.memoryUsage().rss
  const sum = { lines: 0, most: 0, events: 0, asks: 0, givenUp: 0, wrong: {} as Record<string, number> }
  const over = new AbortController()
  const seen = new Set<string>()

  async function live(agent: string): Promise<void> {
    const session = world.start(agent, { cwd, prompt: 'go' })
    await world.until(
      session,
      'its end',
      ({ status, counts, turn }) => status === 'failed' || (counts.turns === 1 && !turn),
    )
    if (world.state(session).status !== 'failed') {
      world.send(session, 'session.abort', {})
      await world.until(session, 'its end', ({ status }) => status === 'aborted')
    } else {
      const change = world.events(session, 'session.state_changed').at(-1)
      expect(change).toMatchObject({ data: { reason: 'adapter_error' } })
      sum.givenUp += 1
    }
    expect(world.state(session)).toMatchObject({ turn: undefined, approvals: [], questions: [] })
    for (const f of flaws(world, session)) {
      const k = f.split(': ').slice(0, 2).join(': ').replace(/\d+/g, 'N').slice(0, 120)
      if (!seen.has(k)) {
        seen.add(k)
        console.log('FLAW', f.slice(0, 500))
      }
    }
    const { lines, unused } = endOf(bench, session) ?? { lines: 0, unused: {} }
    sum.lines += lines
    for (const [what, count] of Object.entries(unused)) sum.wrong[what] = (sum.wrong[what] ?? 0) + count
    sum.events += world.stream(session).events.length
    sum.asks += world.events(session, 'approval.requested').length
    sum.most = Math.max(sum.most, process.memoryUsage().rss - before)
    // The world of the test keeps everything; a server would have it on its disk.
    world.streams.delete(`session:${session}`)
    world.reported.length = 0
  }

  async function lane(): Promise<void> {
    for (let agent = lives.shift(); agent !== undefined && sum.lines < framesMin; agent = lives.shift())
      await live(agent)
  }

  /** Somebody else's agent asks and is answered, over and over. */
  async function others(): Promise<number> {
    await bench.script([{ do: 'ask', title: 'Go on', kind: 'execute', input: { command: 'true' } }])
    const session = world.start('scripted', { cwd })
    let rounds = 0
    while (!over.signal.aborted) {
      rounds += 1
      world.send(session, 'message.send', { text: 'go' })
      world.decide(session, await world.ask(session), 'allow')
      await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === rounds && !turn)
    }
    expect(world.events(session, 'approval.dispatched')).toHaveLength(rounds)
    return rounds
  }

  const rounds = others()
  await Promise.all([lane(), lane(), lane()]).finally(() => over.abort())
  console.log(
    `${JSON.stringify(sum)}, beside ${await rounds} rounds; the fullest: ${(sum.most / 1024 ** 2).toFixed(0)} MiB`,
  )
  expect(sum.lines).toBeGreaterThanOrEqual(framesMin)
  expect(sum.givenUp).toBeGreaterThan(10)
  expect(Object.keys(sum.wrong).length).toBeGreaterThan(5)
  expect(await rounds).toBeGreaterThan(20)
  expect(sum.most / 1024 ** 2).toBeLessThan(growthMaxMiB)
}, 180_000)
