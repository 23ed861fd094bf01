import { statSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { openBench } from './bench.ts'
import type { Oddness } from './odd-agent.ts'
import { profileOf } from './profile-of.ts'

const update = (body: Record<string, unknown>): string =>
  JSON.stringify({ jsonrpc: '2.0', method: 'session/update', params: { sessionId: '$SESSION', update: body } })
const text = (words: string): string =>
  update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: words } })

/** A session of an odd agent that has come to `status`. */
async function openOdd(odd: Oddness, status: 'active' | 'failed', more = {}) {
  const bench = await openBench({ profiles: [profileOf('odd', odd)] })
  const session = bench.world.start('odd', { cwd: bench.cwd, ...more })
  await bench.world.until(session, status, (state) => state.status === status)
  const change = () => bench.world.events(session, 'session.state_changed').at(-1)
  const note = (): string | undefined => change()?.body?.note
  const reason = (): string | undefined => change()?.data.reason
  return { bench, session, note, reason, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() }
}

test('[R15] an agent that comes up in another mode is put into one that asks, and that is read back', async () => {
  await using odd = await openOdd({ modes: ['auto', 'ask'] }, 'active')
  expect(odd.bench.world.state(odd.session)).toMatchObject({ mode: 'ask' })
})

test('[R15] modes that are a configuration option are set and read back', async () => {
  await using odd = await openOdd({ modeOption: ['yolo', 'x/ask'] }, 'active')
  expect(odd.bench.world.state(odd.session)).toMatchObject({ mode: 'x/ask' })
})

test.each<[string, Oddness, string]>([
  ['no modes at all', {}, 'It offers no modes.'],
  ['no mode that asks', { modes: ['auto', 'yolo'] }, 'It offers: auto, yolo.'],
  ['a mode that it refuses', { modes: ['auto', 'ask'], refuseMode: true }, 'refused the mode "ask": I like it here'],
  ['a mode that it only says it takes', { modeOption: ['auto', 'ask'], keepMode: true }, 'stayed in the mode "auto"'],
  ['another version', { modes: ['ask'], protocolVersion: 3 }, 'speaks version 3 of ACP'],
])('[R15] an agent that cannot be supervised is not started: %s', async (_, oddness, why) => {
  await using odd = await openOdd(oddness, 'failed')
  expect(odd.note()).toContain(why)
})

test('[R15] a person may choose another mode at the start', async () => {
  await using odd = await openOdd({ modes: ['ask', 'auto'] }, 'active', { mode: 'auto' })
  expect(odd.bench.world.state(odd.session)).toMatchObject({ mode: 'auto' })
})

test('[R15] the asking mode is forced again after the agent forgot it over a load', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'forgetMode' }]) })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  process.kill(world.state(session).pid ?? 0, 'SIGKILL')
  await world.until(session, 'interrupted', ({ status }) => status === 'interrupted')
  world.send(session, 'session.resume', {})
  await world.until(session, 'active', ({ status }) => status === 'active')
  expect(world.state(session).mode).toBe('ask')
})

test('[R16] an agent that leaves the asking mode by itself is put back', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'mode', id: 'auto-edit' }]) })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  await world.until(session, 'the asking mode', ({ mode }) => mode === 'ask')
  const told = world.events(session, 'session.profile_changed').flatMap(({ data }) => data.mode ?? [])
  expect(told).toEqual(['ask', 'auto-edit', 'ask'])
})

test('[R16] one that will not go back is ended', async () => {
  const say = [update({ sessionUpdate: 'current_mode_update', currentModeId: 'auto' })]
  await using odd = await openOdd({ modes: ['ask', 'auto'], refuseMode: true, say }, 'active')
  odd.bench.world.send(odd.session, 'message.send', { text: 'go' })
  await odd.bench.world.until(odd.session, 'failed', ({ status }) => status === 'failed')
  expect(odd.note()).toContain('left the mode "ask" for "auto" by itself and would not go back')
})

test('an answer to the handshake that never comes ends with the session', async () => {
  await using bench = await openBench({ profiles: [profileOf('mute', { mute: 'session/new' })] })
  const { world, cwd } = bench
  const session = world.start('mute', { cwd })
  await world.until(session, 'starting', ({ lease }) => lease)
  world.send(session, 'session.abort', {})
  await world.until(session, 'aborted', ({ status }) => status === 'aborted')
  expect(world.state(session).controls).toEqual([])
})

test.each([
  'text',
  'badJson',
  'hugeLine',
  'unknownMethod',
  'unknownUpdate',
  'wrongId',
  'deepJson',
  'batch',
  'nullUpdate',
  'binary',
] as const)('[R17] nonsense is passed over and the turn goes on: %s', async (kind) => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const steps = [
    { do: 'nonsense', kind },
    { do: 'say', text: 'and on' },
  ] as const
  const session = world.start('demo', { cwd, prompt: scriptPrompt([...steps]) })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.state(session).status).toBe('active')
  expect(world.said(session)).toBe('and on')
})

test('[R17] [T54] too much nonsense ends the agent, and the session says adapter_error', async () => {
  const seed = randomSeed('nonsense')
  const random = seededRandom(seed)
  const kinds: (() => string)[] = [
    () => random.bytes(random.int(1, 200)).toString('latin1').replaceAll('\n', ' '),
    () => `{"jsonrpc":"2.0","id":${random.int(0, 1_000)},"result":{}}`,
    () => `[${text('batch')}]`,
    () => '{"jsonrpc":"2.0","method":"session/update","params":null}',
    () => '['.repeat(random.int(100, 5_000)),
    () => update({ sessionUpdate: 'tool_call', toolCallId: null }),
    () => `{"id":{"a":1},"method":"session/request_permission","params":{}}`,
    () => update({ sessionUpdate: 'agent_message_chunk', content: random.int(0, 9) }),
  ]
  const say = Array.from({ length: 200 }, () => random.pick(kinds)())
  await using odd = await openOdd({ modes: ['ask'], say, times: 500 }, 'active')
  const before = process.memoryUsage().rss
  odd.bench.world.send(odd.session, 'message.send', { text: 'go' })
  await odd.bench.world.until(odd.session, 'failed', ({ status }) => status === 'failed')
  expect(odd.reason()).toBe('adapter_error')
  expect(odd.note()).toMatch(/^The agent speaks what cannot be understood: /)
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
  expect(odd.bench.world.state(odd.session)).toMatchObject({ turn: undefined, approvals: [] })
})

test('[R18] [T55] answers to requests that were never made, or of another session, have no effect', async () => {
  const seed = randomSeed('guessed ids')
  const random = seededRandom(seed)
  const guesses = Array.from({ length: 60 }, () =>
    JSON.stringify({
      jsonrpc: '2.0',
      id: random.pick([random.int(0, 10), String(random.int(0, 10)), null, '$PROMPT '.trimEnd() + random.int(1, 9)]),
      result: { stopReason: 'refusal' },
    }),
  )
  const other = update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 'forged' } }).replace(
    '$SESSION',
    'odd-2',
  )
  await using odd = await openOdd({ modes: ['ask'], say: [...guesses, other, text('mine')] }, 'active')
  const { world } = odd.bench
  world.send(odd.session, 'message.send', { text: 'go' })
  await world.until(odd.session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(odd.session, 'turn.ended').map(({ data }) => data.end)).toEqual(['end'])
  expect(world.said(odd.session)).toBe('mine')
})

test('[R19] an answer is chosen by its kind: an option that goes further than what was allowed is never taken', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const option = (optionId: string, kind: 'allow_once' | 'allow_always' | 'reject_once') => ({
    optionId,
    name: optionId,
    kind,
  })
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([
      {
        do: 'ask',
        title: 'Misnamed',
        kind: 'execute',
        input: { command: 'x' },
        record: 'record',
        options: [option('reject', 'allow_always'), option('allow-once', 'reject_once'), option('no', 'allow_once')],
      },
      {
        do: 'ask',
        title: 'Only for ever',
        kind: 'execute',
        input: { command: 'y' },
        options: [option('always', 'allow_always'), option('no', 'reject_once')],
      },
    ]),
  })
  const first = await world.ask(session)
  expect(first.data).toMatchObject({ verdicts: ['allow', 'deny'], scopes: ['once', 'session'], strength: 'advisory' })
  world.decide(session, first, 'allow')
  await world.until(session, 'the other ask', ({ approvals }) => approvals.some(({ scopes }) => scopes.length === 1))
  const second = await world.ask(session)
  expect(second.data.scopes).toEqual(['session'])
  expect(() => world.decide(session, second, 'allow')).toThrow('unsupported')
  world.send(session, 'approval.decide', {
    approval: second.data.approval,
    digest: second.data.digest,
    verdict: 'allow',
    scope: 'session',
  })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(session, 'step.finished').map(({ data }) => data.outcome)).toEqual(['done', 'done'])
})

test('a tool call that was never announced, or never closed, is a step all the same', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([
      { do: 'ask', title: 'Sudden', kind: 'execute', input: { command: 'x' }, announce: false, closeOnDeny: false },
      { do: 'tool', title: 'Open for ever', kind: 'read', status: 'in_progress' },
    ]),
  })
  const ask = await world.ask(session)
  expect(world.events(session, 'step.started').map(({ data }) => data.step)).toEqual([ask.data.step])
  world.decide(session, ask, 'deny')
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(session, 'step.finished').map(({ data }) => data.outcome)).toEqual(['denied', 'cancelled'])
})

test('a turn that was stopped while it asked is cancelled, also where the agent calls that its end', async () => {
  const options = [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' }]
  const params = { sessionId: '$SESSION', toolCall: { toolCallId: 't1', title: 'Go on' }, options }
  const ask = JSON.stringify({ jsonrpc: '2.0', id: 'ask', method: 'session/request_permission', params })
  const end = '{"jsonrpc":"2.0","id":"$PROMPT","result":{"stopReason":"end_turn"}}'
  await using odd = await openOdd({ modes: ['ask'], say: [ask], onCancel: [end] }, 'active')
  const { world } = odd.bench
  world.send(odd.session, 'message.send', { text: 'go' })
  await world.ask(odd.session)
  world.send(odd.session, 'session.interrupt', {})
  await world.until(odd.session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(odd.session, 'turn.ended').map(({ data }) => data.end)).toEqual(['cancelled'])
})

test('[R22] [T53] an agent that floods is slowed down, and everything arrives', async () => {
  await using bench = await openBench({ spoolBytes: 256 * 1024 })
  const { world, cwd, link } = bench
  const session = world.start('demo', { cwd })
  await world.until(session, 'active', ({ status }) => status === 'active')
  world.send(session, 'message.send', { text: scriptPrompt([{ do: 'flood', count: 4_000, bytes: 1_000 }]) })
  await world.until(session, 'words', ({ turn }) => turn)
  link.cut()
  const before = process.memoryUsage().rss
  const file = join(bench.dataDir, 'sessions', session, 'spool.jsonl')
  const sizes: number[] = []
  const isStill = (): boolean => {
    sizes.unshift(statSync(file).size)
    return sizes.length > 10 && sizes.slice(0, 10).every((size) => size === sizes[0])
  }
  await waitFor(isStill, { what: 'an agent that waits', everyMs: 50 })
  expect(sizes[0]).toBeLessThan(2 * 1024 * 1024)
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
  link.mend()
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn, 40_000)
  const chars = world.events(session, 'message.completed').reduce((sum, { data }) => sum + data.chars, 0)
  expect(chars).toBe(4_000_000)
})
