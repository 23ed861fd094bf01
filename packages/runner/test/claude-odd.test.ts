import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openBench } from './bench.ts'
import { type Act, acts, type Fakery, fakeClaudeProfile } from './fake-claude-acts.ts'

/** A session of the fake that plays something odd. */
async function playOdd(list: readonly Act[], fakery: Fakery = {}) {
  const bench = await openBench({ profiles: [fakeClaudeProfile(fakery)] })
  const session = bench.world.start('fake', { cwd: bench.cwd, prompt: acts(...list) })
  const { world } = bench
  return {
    bench,
    world,
    session,
    ended: (): Promise<unknown> => world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn),
    has: (file: string): boolean => existsSync(join(bench.cwd, file)),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  }
}

const ask: Extract<Act, { do: 'ask' }> = {
  do: 'ask',
  tool: 'Bash',
  input: { command: 'x' },
  onAllow: [{ do: 'write', path: 'ran' }],
}
const raw = (line: unknown, times = 1): Act => ({ do: 'raw', line: JSON.stringify(line), times })

test('[R17] lines that nobody knows are passed over and counted', async () => {
  await using odd = await playOdd([
    raw({ type: 'a_new_thing', with: 'members' }, 3),
    raw({ type: 'system', subtype: 'a_new_thing' }),
    raw({ no: 'type' }),
    { do: 'raw', line: '{"type":"assistant","message":{"content":"half' },
    { do: 'raw', line: 'a warning on the wrong stream' },
    raw({ type: 'assistant', message: 'nothing' }),
    raw({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 'unknown', content: 'x' }] } }),
    raw({ type: 'control_response', response: { subtype: 'success', request_id: 'not-ours', response: {} } }),
    { do: 'say', text: 'still here' },
    { do: 'die', code: 0 },
  ])
  await odd.world.until(odd.session, 'its end', ({ status }) => status === 'interrupted')
  expect(odd.world.said(odd.session)).toBe('still here')
  const ended = odd.bench.logged.find((line) => line.includes('agent ended')) ?? ''
  expect(JSON.parse(ended)).toMatchObject({
    unused: {
      'unknown line': 3,
      'unknown system line': 1,
      'line without a type': 1,
      'not a JSON object': 2,
      'line that cannot be read': 1,
    },
  })
})

test('[R17] too much nonsense ends it', async () => {
  await using odd = await playOdd([{ do: 'raw', line: '{{{', times: 200 }, { do: 'hang' }])
  await odd.world.until(odd.session, 'failed', ({ status }) => status === 'failed')
  const note = odd.world.events(odd.session, 'session.state_changed').at(-1)?.body?.note
  expect(note).toContain('speaks what cannot be understood')
})

test('[R17] a request that nobody knows is refused, so that it does not wait', async () => {
  await using odd = await playOdd([
    raw({ type: 'control_request', request_id: 'r1', request: { subtype: 'sing' } }),
    raw({ type: 'control_request', request_id: 'r2', request: { subtype: 'can_use_tool', tool_name: 5 } }),
    raw({ type: 'control_request', request_id: 'r3' }),
    ask,
  ])
  odd.world.decide(odd.session, await odd.world.ask(odd.session), 'allow')
  await odd.ended()
  expect(odd.has('ran')).toBe(true)
})

test('[R18] the same request a second time is one request', async () => {
  await using odd = await playOdd([{ ...ask, times: 3 }])
  odd.world.decide(odd.session, await odd.world.ask(odd.session), 'allow')
  await odd.ended()
  expect(odd.world.events(odd.session, 'approval.requested')).toHaveLength(1)
})

test('[R18] what is taken back after its answer stays answered', async () => {
  await using odd = await playOdd([
    ask,
    { do: 'raw', line: '{"type":"control_cancel_request","request_id":"$REQUEST"}' },
  ])
  odd.world.decide(odd.session, await odd.world.ask(odd.session), 'allow')
  await odd.ended()
  expect(odd.world.events(odd.session, 'approval.cancelled')).toEqual([])
  expect(odd.world.events(odd.session, 'approval.dispatched')).toHaveLength(1)
})

test('[R18] what is taken back before its answer is closed, and the turn goes on', async () => {
  const back = '{"type":"control_cancel_request","request_id":"$REQUEST"}'
  await using odd = await playOdd([{ ...ask, after: [back] }])
  await odd.world.until(odd.session, 'closed', () => odd.world.events(odd.session, 'approval.cancelled').length === 1)
  expect(odd.world.events(odd.session, 'approval.cancelled')[0]?.data.reason).toBe('agent_withdrew')
  odd.world.send(odd.session, 'session.interrupt', {})
  await odd.ended()
})

test('[R18] it ends while it asks: nothing is left open, and a late answer is refused', async () => {
  await using odd = await playOdd([ask])
  const asked = await odd.world.ask(odd.session)
  process.kill(odd.world.state(odd.session).pid ?? 0, 'SIGTERM')
  await odd.world.until(odd.session, 'interrupted', ({ status }) => status === 'interrupted')
  expect(() => odd.world.decide(odd.session, asked, 'allow')).toThrow('approval_expired')
})

test('[R17] a call that nothing named before its request is a step all the same', async () => {
  await using odd = await playOdd([{ ...ask, announce: false }])
  const asked = await odd.world.ask(odd.session)
  expect(odd.world.events(odd.session, 'step.started').map(({ data }) => data.step)).toEqual([asked.data.step])
  odd.world.decide(odd.session, asked, 'deny')
  await odd.ended()
})

test('[R17] a line without an end is dropped, with word of how long it was', async () => {
  await using odd = await playOdd([
    { do: 'long', bytes: 300 * 1024 * 1024 },
    { do: 'say', text: 'after it' },
  ])
  await odd.ended()
  expect(odd.world.printed(odd.session, 'log')).toContain('Dropped a line of the agent with 314572800 bytes')
  expect(odd.world.said(odd.session)).toBe('after it')
})

test('[R17] words that come only whole, or more at the end than in pieces, are told once', async () => {
  const whole = (id: string, text: string): Act =>
    raw({ type: 'assistant', message: { id, content: [{ type: 'text', text }] }, parent_tool_use_id: null })
  const piece = (event: object): Act => raw({ type: 'stream_event', event, parent_tool_use_id: null })
  await using odd = await playOdd([
    whole('m1', 'only whole'),
    piece({ type: 'message_start', message: { id: 'm2' } }),
    piece({ type: 'content_block_start', index: 0, content_block: { type: 'text' } }),
    piece({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'begun' } }),
    whole('m2', 'begun and ended'),
    // What a sub-agent says to itself is not said to people.
    raw({
      type: 'assistant',
      message: { id: 'm3', content: [{ type: 'text', text: 'murmur' }] },
      parent_tool_use_id: 'x',
    }),
    raw({
      type: 'assistant',
      message: { id: 'm4', model: '<synthetic>', content: [{ type: 'text', text: 'API Error' }] },
      is_api_error_message: true,
    }),
  ])
  await odd.ended()
  expect(odd.world.said(odd.session)).toBe('only whole\nbegun and ended')
})

test('[R17] the model is silent and asked again: people see that', async () => {
  const retry = { type: 'system', subtype: 'api_retry', attempt: 1, max_retries: 10, retry_delay_ms: 616 }
  await using odd = await playOdd([raw({ ...retry, error_status: 529, error: 'overloaded' })])
  await odd.ended()
  expect(odd.world.printed(odd.session, 'log')).toContain(
    'The model did not answer: 529 overloaded. It is asked again in 0.6 s (1 of 10).',
  )
})

test('[AQ9] Claude Code reads that nobody answered where it reads a refusal', async () => {
  await using odd = await playOdd([ask])
  const { approval } = (await odd.world.ask(odd.session)).data
  odd.world.forge(odd.session, 'approval.timed_out', `approval:${approval}`, { approval })
  await odd.ended()
  expect(odd.has('ran')).toBe(false)
  expect(JSON.parse(readFileSync(join(odd.bench.cwd, 'answer-1.json'), 'utf8'))).toEqual({
    behavior: 'deny',
    message: 'This was refused. Nobody answered in time. No person has refused it.',
  })
})
