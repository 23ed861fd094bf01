import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { readUse } from '../src/process/process-table.ts'
import { openBench } from './bench.ts'

const say = (text: string): Step => ({ do: 'say', text })

test('[R107] an agent that does not stop is rid of what it has started in this turn, and of nothing that was there before', async () => {
  await using bench = await openBench({ interruptTimeoutMs: 300 })
  const { world, cwd } = bench
  const before: Step = { do: 'spawnChild', argv: ['sleep', '1000'], pidFile: 'before' }
  const session = world.start('demo', { cwd, prompt: scriptPrompt([before]) })
  await world.until(session, 'the first turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  // Deaf to what the agent sends it when it is told to stop.
  const argv = ['sh', '-c', 'trap "" TERM; echo $$ > deaf; while :; do sleep 0.1; done']
  world.send(session, 'message.send', { text: scriptPrompt([{ do: 'run', argv }]) })
  await waitFor(() => existsSync(join(cwd, 'deaf')), { what: 'its program' })
  const pids = ['before', 'deaf'].map((name) => Number(readFileSync(join(cwd, name), 'utf8')))
  world.send(session, 'session.interrupt', {})
  await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 2 && !turn)
  const [escalated] = world.events(session, 'control.escalated')
  expect(escalated?.data).toMatchObject({ action: 'interrupt' })
  expect(escalated?.data.processes).toBeGreaterThanOrEqual(1)
  expect(escalated?.data.afterMs).toBeGreaterThan(0)
  const ofInterrupt = world.types(session).filter((type) => type.startsWith('control.'))
  expect(ofInterrupt).toEqual(['control.requested', 'control.escalated', 'control.done'])
  expect(world.events(session, 'turn.ended').map(({ data }) => data.end)).toEqual(['end', 'cancelled'])
  // One that has ended and waits for its parent is there, without any memory.
  expect(pids.map((pid) => (readUse(pid)?.memoryBytes ?? 0) > 0)).toEqual([true, false])
})

test('[R107] a person who does not want to wait says so, and is told the truth about an agent that stops for nothing', async () => {
  await using bench = await openBench({ interruptTimeoutMs: 2_000 })
  const { world, cwd } = bench
  const child: Step = { do: 'spawnChild', argv: ['sh', '-c', 'trap "" INT; echo $$ > child; sleep 1000'] }
  const session = world.start('demo', { cwd, prompt: scriptPrompt([child, say('deaf'), { do: 'hang', deaf: true }]) })
  await waitFor(() => existsSync(join(cwd, 'child')) && world.events(session, 'message.seen').length === 1, {
    what: 'the turn',
  })
  world.send(session, 'session.interrupt', {})
  expect(() => world.send(session, 'session.interrupt', {})).toThrow('under way')
  world.send(session, 'session.interrupt', { hard: true })
  expect(() => world.send(session, 'session.interrupt', { hard: true })).toThrow('under way')
  await world.until(session, 'the failure', () => world.events(session, 'control.failed').length === 2)
  expect(world.events(session, 'control.escalated')).toHaveLength(1)
  expect(world.events(session, 'control.failed')[0]?.body?.reason).toMatch(
    /^The agent has not stopped within [\d.]+ seconds, though \d+ process(es)? that the agent had started in this turn (was|were) ended\. End the session/,
  )
  expect(readUse(Number(readFileSync(join(cwd, 'child'), 'utf8')))?.memoryBytes ?? 0).toBe(0)
  expect(world.state(session)).toMatchObject({ status: 'active', controls: [] })
})
