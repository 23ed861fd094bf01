import { expect, test } from 'vitest'
import { UsedSoFar } from '../src/adapters/used-so-far.ts'
import { openBench } from './bench.ts'
import type { Oddness } from './odd-agent.ts'
import { openCodex } from './open-codex.ts'
import { profileOf } from './profile-of.ts'

const line = (message: Record<string, unknown>): string => JSON.stringify({ jsonrpc: '2.0', ...message })
const cost = (amount: number): string =>
  line({
    method: 'session/update',
    params: {
      sessionId: '$SESSION',
      update: { sessionUpdate: 'usage_update', used: 1, size: 9, cost: { amount, currency: 'USD' } },
    },
  })
const end = (result: Record<string, unknown>): string =>
  line({ id: '$PROMPT', result: { stopReason: 'end_turn', ...result } })

test.each<[string, Record<string, unknown>, { inputTokens: number; outputTokens: number }]>([
  [
    'as Gemini CLI tells it',
    { _meta: { quota: { token_count: { input_tokens: 100, output_tokens: 7 } } } },
    { inputTokens: 100, outputTokens: 7 },
  ],
  [
    'with what came from a cache beside it',
    { usage: { inputTokens: 10, outputTokens: 7, cachedReadTokens: 60, cachedWriteTokens: 30 } },
    { inputTokens: 100, outputTokens: 7 },
  ],
])('[US4] the tokens of a turn over ACP are added up, over a new process too: %s', async (_, told, turn) => {
  const odd: Oddness = { modes: ['ask'], canLoad: true, say: [cost(0.5), end(told)], onCancel: [] }
  await using bench = await openBench({ profiles: [profileOf('odd', odd)] })
  const { world } = bench
  const session = world.start('odd', { cwd: bench.cwd, prompt: 'one' })
  const turns = (n: number): Promise<unknown> =>
    world.until(session, `turn ${n}`, (state) => state.counts.turns === n && !state.turn)
  await turns(1)
  expect(world.state(session).usage).toMatchObject({ ...turn, cost: { amount: 0.5 } })
  world.send(session, 'message.send', { text: 'two' })
  await turns(2)
  expect(world.state(session).usage).toMatchObject({
    inputTokens: 2 * turn.inputTokens,
    outputTokens: 2 * turn.outputTokens,
    cost: { amount: 0.5 },
  })
  process.kill(world.state(session).pid ?? 0, 'SIGKILL')
  await world.until(session, 'interrupted', ({ status }) => status === 'interrupted')
  world.send(session, 'session.resume', {})
  await world.until(session, 'active', ({ status }) => status === 'active')
  world.send(session, 'message.send', { text: 'three' })
  await turns(3)
  // It goes on where it was: what it has counted by now is not less than before.
  expect(world.state(session).usage).toMatchObject({ inputTokens: 3 * turn.inputTokens, cost: { amount: 0.5 } })
})

test('[US4] a count of codex that begins anew in the middle goes on from what was counted before', async () => {
  await using codex = await openCodex()
  const tokens = (n: number): unknown => ({ totalTokens: n, inputTokens: n, outputTokens: 1 })
  const told = (n: number) =>
    ({
      do: 'news',
      method: 'thread/tokenUsage/updated',
      params: { tokenUsage: { total: tokens(n), last: tokens(n), modelContextWindow: 1_000 } },
    }) as const
  codex.send(told(300), told(320), told(40), told(50))
  await codex.turns(1)
  const counted = codex.world.events(codex.session, 'usage.reported').map(({ data }) => data.inputTokens)
  expect(counted).toEqual([300, 320, 360, 370])
})

test('[US4] a new process that takes nothing up counts from what was used before, whatever it counts', () => {
  const before = { inputTokens: 10, outputTokens: 1, cost: { amount: 1, currency: 'USD' } }
  const fresh = new UsedSoFar({ usedBefore: before })
  expect(fresh.tokens({ inputTokens: 50, outputTokens: 5 })).toEqual({ inputTokens: 60, outputTokens: 6 })
  expect(fresh.turn({ inputTokens: 5 })).toEqual({ inputTokens: 65, outputTokens: 6 })
  expect(fresh.tokens({ inputTokens: 51, outputTokens: 5 })).toEqual({ inputTokens: 66, outputTokens: 6 })
  expect(fresh.cost({ amount: 2, currency: 'USD' })).toEqual({ amount: 3, currency: 'USD' })
  const resumed = new UsedSoFar({ usedBefore: before, resume: 'native' })
  expect(resumed.tokens({ inputTokens: 50, outputTokens: 0 })).toEqual({ inputTokens: 50, outputTokens: 1 })
  expect(resumed.cost({ amount: 0.5, currency: 'USD' })).toEqual({ amount: 1.5, currency: 'USD' })
  expect(resumed.cost({ amount: 0.5, currency: 'EUR' })).toEqual({ amount: 0.5, currency: 'EUR' })
  expect(resumed.cost({ amount: 0.7, currency: 'EUR' })).toEqual({ amount: 0.7, currency: 'EUR' })
})
