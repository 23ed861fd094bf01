import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { openBench } from './bench.ts'
import { type Act, acts, fakeClaudeProfile } from './fake-claude-acts.ts'
import { command, openCodex } from './open-codex.ts'
import type { World } from './world.ts'

// Messages that people want read in the turn that runs. That each adapter can do it is in its contract.

const idle = (count: number) => (state: { counts: { turns: number }; turn?: unknown; queue: readonly unknown[] }) =>
  state.counts.turns === count && !state.turn && state.queue.length === 0

/** Where and how often each message went to the agent, as the log has it: its turns, and what was told of it. */
function fate(world: World, session: string, message: string): { into: (string | undefined)[]; began: number } {
  const of = <T extends { data: { message?: string | undefined } }>(events: T[]): T[] =>
    events.filter(({ data }) => data.message === message)
  return {
    into: of(world.events(session, 'message.delivered')).map(({ data }) => data.turn),
    began: of(world.events(session, 'turn.started')).length,
  }
}

test('[R31] a message that is hurried is said into the turn that runs, and seen when the model has it; others wait', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const steps: Step[] = [{ do: 'waitFile', path: 'go' }, { do: 'listen' }, { do: 'say', text: 'done' }]
  const session = world.start('demo', { cwd, prompt: scriptPrompt(steps) })
  await world.until(session, 'a turn', ({ turn }) => turn)
  const turn = world.state(session).turn?.turn
  const later = world.send(session, 'message.send', { text: scriptPrompt([{ do: 'say', text: 'later' }]) })
  const now = world.send(session, 'message.send', { text: 'turn left' })
  world.send(session, 'message.hurry', { message: now })
  await world.until(session, 'one that waits', ({ queue }) => queue.length === 1)
  expect(fate(world, session, now)).toEqual({ into: [turn], began: 0 })
  // The agent has it, and says nothing before it goes on.
  expect(world.events(session, 'message.seen').map(({ data }) => data.message)).not.toContain(now)
  await bench.touch('go')
  await world.until(session, 'two turns', idle(2))
  expect(world.said(session)).toBe('Heard while I worked: turn left\ndone\nlater')
  const seen = world.events(session, 'message.seen').find(({ data }) => data.message === now)?.seq
  expect(seen).toBeLessThan(world.events(session, 'turn.ended')[0]?.seq ?? 0)
  expect(fate(world, session, later).began).toBe(1)
})

test('[R31] what the turn did not take any more begins the next one, before all others', async () => {
  await using codex = await openCodex({ refuse: 'turn/steer' })
  const { world, session, bench } = codex
  await codex.until('active')
  codex.send(command('one'))
  await codex.asks(1)
  const later = world.send(session, 'message.send', { text: 'later' })
  const now = world.send(session, 'message.send', { text: 'turn left', now: true })
  await world.until(session, 'a claim', ({ queue }) => queue.length === 1)
  const [ask] = world.events(session, 'approval.requested')
  if (ask) world.decide(session, ask, 'allow')
  await world.until(session, 'three turns', idle(3))
  expect(fate(world, session, now)).toMatchObject({ into: [expect.any(String)], began: 1 })
  expect(
    world
      .events(session, 'turn.started')
      .map(({ data }) => data.message)
      .slice(1),
  ).toEqual([now, later])
  expect(world.events(session, 'message.delivery_unknown')).toEqual([])
  expect(bench.logged.filter((line) => line.includes('not handed over'))).toEqual([])
})

test('[R31] where an agent is gone before it says whether it has it, nobody knows, and it is not sent again', async () => {
  await using codex = await openCodex({ mute: 'turn/steer' })
  const { world, session } = codex
  await codex.until('active')
  codex.send(command('one'))
  await codex.asks(1)
  const now = world.send(session, 'message.send', { text: 'turn left', now: true })
  await world.until(session, 'a claim', ({ queue }) => queue.length === 0)
  process.kill(world.state(session).pid ?? 0, 'SIGKILL')
  await codex.until('interrupted')
  const unknown = (): string[] => world.events(session, 'message.delivery_unknown').map(({ data }) => data.message)
  await waitFor(() => unknown().length > 0, { what: 'doubt' })
  expect(unknown()).toEqual([now])
  world.send(session, 'session.resume', {})
  await codex.until('active')
  expect(fate(world, session, now)).toMatchObject({ began: 0 })
})

async function openClaude() {
  const bench = await openBench({ profiles: [fakeClaudeProfile()] })
  const { world, cwd } = bench
  const session = world.start('fake', { cwd })
  await world.until(session, 'active', ({ status }) => status === 'active')
  return {
    world,
    session,
    play: (...list: Act[]) => world.send(session, 'message.send', { text: acts(...list) }),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  }
}

const ask: Act = { do: 'ask', tool: 'Bash', input: { command: 'x' } }

test('[R31] claude: a turn is not over before what was said into it is answered', async () => {
  await using claude = await openClaude()
  const { world, session } = claude
  claude.play(ask, { do: 'say', text: 'first' })
  const asked = await world.ask(session)
  const two = ['one', 'two'].map((text) => world.send(session, 'message.send', { text, now: true }))
  await world.until(session, 'both to be taken', ({ queue }) => queue.length === 0)
  world.decide(session, asked, 'allow')
  await world.until(session, 'one turn', idle(1))
  expect(world.said(session)).toBe('first\nheard one\nheard two')
  expect(
    world
      .events(session, 'message.seen')
      .map(({ data }) => data.message)
      .slice(1),
  ).toEqual(two)
  expect(world.events(session, 'turn.started')).toHaveLength(1)
  expect(world.events(session, 'turn.ended').map(({ data }) => data.end)).toEqual(['end'])
})

test('[R31] claude: what a turn that was stopped has not taken up is answered in a turn of its own', async () => {
  await using claude = await openClaude()
  const { world, session } = claude
  claude.play(ask)
  await world.ask(session)
  const now = world.send(session, 'message.send', { text: 'turn left', now: true })
  await world.until(session, 'it to be taken', ({ queue }) => queue.length === 0)
  world.send(session, 'session.interrupt', {})
  await world.until(session, 'two turns', idle(2))
  expect(world.events(session, 'turn.ended').map(({ data }) => data.end)).toEqual(['cancelled', 'end'])
  expect(world.said(session)).toBe('heard turn left')
  expect(world.events(session, 'message.seen').map(({ data }) => data.message)).toContain(now)
})
