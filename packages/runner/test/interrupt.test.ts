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
  const session = world.start('demo', { cwd, unfenced: true, prompt: scriptPrompt([before]) })
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

test('[R107] where somebody does not want to wait and nothing else helps, the agent itself is interrupted, and can be taken up again', async () => {
  await using bench = await openBench({ interruptTimeoutMs: 1_000 })
  const { world, cwd } = bench
  const child: Step = { do: 'spawnChild', argv: ['sh', '-c', 'trap "" INT; echo $$ > child; sleep 1000'] }
  const prompt = scriptPrompt([child, say('deaf'), { do: 'hang', deaf: true }])
  const session = world.start('demo', { cwd, unfenced: true, prompt })
  await waitFor(() => existsSync(join(cwd, 'child')) && world.events(session, 'message.seen').length === 1, {
    what: 'the turn',
  })
  world.send(session, 'session.interrupt', {})
  expect(() => world.send(session, 'session.interrupt', {})).toThrow('under way')
  world.send(session, 'session.interrupt', { hard: true })
  expect(() => world.send(session, 'session.interrupt', { hard: true })).toThrow('under way')
  await world.until(session, 'the end of the agent', ({ status }) => status === 'interrupted')
  expect(world.events(session, 'control.escalated').map(({ data }) => data)).toMatchObject([
    { action: 'interrupt', processes: expect.toSatisfy((count: number) => count > 0) },
    { action: 'interrupt', processes: 0, agent: true },
  ])
  expect(world.events(session, 'control.done')).toHaveLength(2)
  expect(world.events(session, 'control.failed')).toEqual([])
  expect(world.events(session, 'turn.ended').map(({ data }) => data.end)).toEqual(['cancelled'])
  expect(world.state(session)).toMatchObject({ exit: { signal: 'SIGINT' }, controls: [] })
  expect(readUse(Number(readFileSync(join(cwd, 'child'), 'utf8')))?.memoryBytes ?? 0).toBe(0)
  world.send(session, 'session.resume', {})
  world.send(session, 'message.send', { text: scriptPrompt([say('here again')]) })
  await world.until(session, 'its answer', () => world.said(session).includes('here again'))
})

test('[R107] an agent that stops for nothing gets no signal where nobody asked for more, and what became of each try is told', async () => {
  await using bench = await openBench({ interruptTimeoutMs: 200 })
  const { world, cwd } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([say('deaf'), { do: 'hang', stubborn: true }]) })
  await waitFor(() => world.events(session, 'message.seen').length === 1, { what: 'the turn' })
  const failures = (): readonly (string | undefined)[] =>
    world.events(session, 'control.failed').map(({ body }) => body?.reason)
  world.send(session, 'session.interrupt', {})
  await world.until(session, 'the failure', () => failures().length === 1)
  expect(world.events(session, 'control.escalated')).toEqual([])
  world.send(session, 'session.interrupt', { hard: true })
  await world.until(session, 'another failure', () => failures().length === 2)
  expect(failures()).toEqual([
    expect.stringMatching(/seconds, and nothing that it has started in this turn is running\. End the session/),
    expect.stringMatching(/is running, and the agent itself was interrupted \(SIGINT\)\. End the session/),
  ])
  expect(world.state(session)).toMatchObject({ status: 'active', controls: [] })
})
