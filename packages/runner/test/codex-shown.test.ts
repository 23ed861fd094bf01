import { expect, test } from 'vitest'
import { command, openCodex } from './open-codex.ts'

test('[R65] thoughts, words, output, plan, usage and the patch of the turn are shown', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  const tokens = (n: number): unknown => ({ totalTokens: n, inputTokens: n - 1, outputTokens: 1 })
  const plan = [
    { step: 'one', status: 'inProgress' },
    { step: 'two', status: 'new' },
  ]
  const diff = 'diff --git a/a.txt b/a.txt\n'
  codex.send(
    { do: 'think', text: 'hm' },
    { do: 'say', text: 'in pieces', chunks: 3 },
    { do: 'say', text: 'whole', silent: true },
    command('c1', { prints: ['one\n', 'two\n'] }),
    { do: 'news', method: 'turn/plan/updated', params: { plan } },
    {
      do: 'news',
      method: 'thread/tokenUsage/updated',
      params: { tokenUsage: { total: tokens(300), last: tokens(120), modelContextWindow: 1_000 } },
    },
    { do: 'news', method: 'turn/diff/updated', params: { diff } },
    { do: 'news', method: 'error', params: { error: { message: 'Reconnecting... 1/1' }, willRetry: true } },
    { do: 'news', method: 'error', params: { error: { message: 'Reconnecting... 1/1' }, willRetry: true } },
  )
  world.decide(session, await world.ask(session), 'allow')
  await codex.turns(1)
  expect(world.said(session)).toBe('in pieces\nwhole\nc1 accept\n')
  expect(world.events(session, 'thought.completed')[0]?.body?.text).toBe('hm')
  const [step] = world.events(session, 'step.finished')
  expect(step).toMatchObject({ data: { outcome: 'done' }, body: { output: 'one\ntwo\n' } })
  expect(world.events(session, 'plan.updated')[0]?.body?.entries).toEqual([
    { text: 'one', status: 'in_progress' },
    { text: 'two', status: 'pending' },
  ])
  expect(world.state(session).usage).toMatchObject({
    inputTokens: 299,
    outputTokens: 1,
    contextUsed: 120,
    contextSize: 1_000,
  })
  expect(world.events(session, 'turn.ended')[0]?.body?.patch).toBe(diff)
  expect(world.printed(session, 'log').match(/Reconnecting/g)).toHaveLength(1)
})

test('[R65] [J20] a command that printed much ends as any other, with the last of it', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  codex.send(command('c1', { prints: ['\u0001\u0001\u0001\n'], printedTimes: 256 * 1024 }))
  world.decide(session, await world.ask(session), 'allow')
  await codex.turns(1)
  const [step] = world.events(session, 'step.finished')
  expect(step?.data.outcome).toBe('done')
  expect(step?.body?.output?.length).toBeGreaterThan(1_000)
  expect(world.printed(session, 'log')).not.toContain('Dropped')
})

test.each([
  ['other', 'error'],
  ['contextWindowExceeded', 'limit'],
  ['cyberPolicy', 'refused'],
])('[R65] a turn that fails says why: %s', async (info, end) => {
  await using codex = await openCodex()
  const { world, session } = codex
  codex.send({ do: 'fail', message: 'too much', info })
  await codex.turns(1)
  expect(world.events(session, 'turn.ended')[0]).toMatchObject({ data: { end }, body: { error: 'too much' } })
  expect(world.state(session).status).toBe('active')
})

test('[R65] a prompt that codex refuses ends its turn with what it said', async () => {
  await using codex = await openCodex({ refuse: 'turn/start' })
  codex.send({ do: 'say', text: 'x' })
  await codex.turns(1)
  const [ended] = codex.world.events(codex.session, 'turn.ended')
  expect(ended).toMatchObject({ data: { end: 'error' }, body: { error: 'I like it as it is' } })
})

test('[R66] killed while it asks, codex is taken up again in its thread and asks as it was told to', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  codex.send(command('c1'))
  const ask = await world.ask(session)
  process.kill(world.state(session).pid ?? 0, 'SIGKILL')
  await codex.until('interrupted')
  expect(world.state(session)).toMatchObject({ native: 'thread-1', exit: { signal: 'SIGKILL' } })
  expect(() => world.decide(session, ask, 'allow')).toThrow()
  world.send(session, 'session.resume', {})
  await codex.until('active')
  expect(world.state(session).mode).toBe('workspace-write')
  codex.send(command('c2'))
  world.decide(session, await world.ask(session), 'allow')
  await world.until(session, 'said', () => world.said(session).includes('c2 accept'))
})

test('[R66] a codex that was killed before anything was said begins anew', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  await codex.until('active')
  expect(world.state(session).native).toBeUndefined()
  process.kill(world.state(session).pid ?? 0, 'SIGKILL')
  await codex.until('interrupted')
  world.send(session, 'session.resume', {})
  await codex.until('active')
})
