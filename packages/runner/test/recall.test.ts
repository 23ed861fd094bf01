import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { expect, test } from 'vitest'
import { openBench } from './bench.ts'

const ask = (record: string) =>
  ({ do: 'ask', title: 'Drop it', kind: 'execute', input: { command: 'drop it' }, record }) as const

test('[DV9] what was allowed and taken back while its machine was away is denied to the agent, with that reason', async () => {
  await using bench = await openBench()
  const { world, link, cwd } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([ask('record')]) })
  const asked = await world.ask(session)
  link.cut()
  world.decide(session, asked, 'allow')
  world.send(session, 'approval.recall', { approval: asked.data.approval })
  link.mend()
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(readFileSync(join(cwd, 'record'), 'utf8')).toContain('"outcome":"deny"')
  expect(world.events(session, 'approval.dispatch_refused').map(({ data }) => data.reason)).toEqual(['recalled'])
  expect(world.events(session, 'approval.dispatched')).toEqual([])
  // An agent that cannot hear why with the answer is told after it, and not as a person's word.
  expect(world.said(session)).toContain(
    '"Drop it" was refused. It was allowed first, and taken back before you were told.',
  )
})

test('[DV9] of an answer and the word against it one is first, and the log says which', async () => {
  const random = seededRandom(randomSeed('taken back'))
  await using bench = await openBench()
  const { world, cwd } = bench
  const rounds = 20
  const steps = Array.from({ length: rounds }, (_, at) => ask(`record-${at}`))
  const session = world.start('demo', { cwd, prompt: scriptPrompt(steps) })
  const winners: string[] = []
  for (let round = 0; round < rounds; round += 1) {
    const asked = await world.ask(session)
    const { approval } = asked.data
    world.decide(session, asked, 'allow')
    // At once in the first: then the machine has not looked yet.
    for (let turns = round === 0 ? 0 : random.int(0, 400); turns > 0; turns -= 1)
      await new Promise((resolve) => setImmediate(resolve))
    const isOnItsWay = world.state(session).approvals.some((one) => one.approval === approval)
    if (isOnItsWay) world.send(session, 'approval.recall', { approval })
    await world.until(session, 'what became of it', ({ approvals }) =>
      approvals.every((one) => one.approval !== approval),
    )
    const ends = [
      ...world.events(session, 'approval.dispatched'),
      ...world.events(session, 'approval.dispatch_refused'),
    ]
    const [end, ...others] = ends.filter(({ data }) => data.approval === approval)
    expect(others).toEqual([])
    const outcome = end?.type === 'approval.dispatched' ? 'allow' : 'deny'
    winners.push(outcome)
    await world.until(session, 'the step', () => {
      try {
        return readFileSync(join(cwd, `record-${round}`), 'utf8') !== ''
      } catch {
        return false
      }
    })
    expect(readFileSync(join(cwd, `record-${round}`), 'utf8')).toContain(`"outcome":"${outcome}"`)
  }
  expect(winners[0]).toBe('deny')
})
