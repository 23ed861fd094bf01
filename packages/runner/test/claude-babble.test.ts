import { fileURLToPath } from 'node:url'
import { eventSpecs } from '@hotline/protocol/events'
import { isKnownType } from '@hotline/protocol/known-event'
import { limits } from '@hotline/protocol/limits'
import { parseJson } from '@hotline/server/http/json'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { expect, test } from 'vitest'
import { openBench } from './bench.ts'
import { fakeClaudeProfile } from './fake-claude-acts.ts'
import type { World } from './world.ts'

const lives = 8
const lifeFrames = 2_000

const file = fileURLToPath(new URL('babbling-claude.ts', import.meta.url))

/** What is wrong with the events of a session; nothing where each is one that every reader can read. */
function flaws(world: World, session: string): readonly string[] {
  return world.stream(session).events.flatMap((event) => {
    const text = JSON.stringify(event)
    const parsed = parseJson(text)
    const spec = isKnownType(event.type) ? eventSpecs[event.type] : undefined
    const isRight = spec?.data.safeParse(event.data).success && (spec.body?.safeParse(event.body).success ?? true)
    const isGood = isRight && !('detail' in parsed) && Buffer.byteLength(text) <= limits.eventBytes
    return isGood ? [] : [text.slice(0, 500)]
  })
}

test('[R17] odd lines of Claude Code are read to their end, or end it; what the log gets of them is right', async () => {
  const random = seededRandom(randomSeed('babbling claude'))
  const profiles = Array.from({ length: lives }, (_, at) => {
    const babble = { seed: random.int(0, 0xffffffff), frames: lifeFrames, broken: at % 2 === 0 ? 0 : 0.05 }
    return { ...fakeClaudeProfile(), agent: `babble-${at}`, argv: [process.execPath, file, JSON.stringify(babble)] }
  })
  await using bench = await openBench({ profiles })
  const { world, cwd } = bench
  for (const { agent } of profiles) {
    const session = world.start(agent, { cwd, prompt: 'go' })
    // A turn with open requests goes on; nobody answers them here.
    const isThrough = (): boolean => world.state(session).approvals.length + world.state(session).questions.length > 20
    await world.until(
      session,
      'its end',
      ({ status, counts, turn }) => status === 'failed' || (counts.turns > 0 && !turn) || isThrough(),
    )
    if (world.state(session).status !== 'failed') {
      world.send(session, 'session.abort', {})
      await world.until(session, 'its end', ({ status }) => status === 'aborted')
    }
    expect(world.state(session)).toMatchObject({ turn: undefined, approvals: [], questions: [] })
    expect(flaws(world, session)).toEqual([])
  }
  // An answer that finds its agent gone is no bug; everything else that the runner could not do is.
  const bugs = bench.logged.filter(
    (line) => /could not be served|session failed/.test(line) && !line.includes('The agent ended before it had this'),
  )
  expect(bugs).toEqual([])
})
