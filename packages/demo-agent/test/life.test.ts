import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { JournalEntry } from '../src/journal.ts'
import type { Step } from '../src/script.ts'
import { choose, startAgent } from './agent-process.ts'
import type { AgentProcess, Update } from './agent-process.ts'

async function readJournal(file: string): Promise<(JournalEntry & { message: { method?: string; id?: unknown } })[]> {
  const text = await readFile(file, 'utf8')
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as never)
}

/** Starts another process on the same cwd and brings the session back. */
async function reopen(first: AgentProcess, method: string, session: string): Promise<AgentProcess> {
  const second = await startAgent({ cwd: first.cwd })
  await second.request('initialize', { protocolVersion: 1 })
  const reply = await second.request(method, { sessionId: session, cwd: first.cwd, mcpServers: [] })
  expect(reply.error).toBeUndefined()
  return second
}

/** The updates with the pieces of each message joined, as a replay joins them. */
function joined(updates: Update[]): string[] {
  const texts: string[] = []
  let last: unknown
  for (const { sessionUpdate, messageId, content, status } of updates) {
    if (sessionUpdate === 'available_commands_update') continue
    const text = (content as { text?: string } | undefined)?.text ?? ''
    if (messageId !== undefined && messageId === last) texts.push(`${texts.pop()}${text}`)
    else texts.push(`${sessionUpdate} ${status ?? text}`)
    last = messageId
  }
  return texts
}

/** The modes in which sessions were opened. */
function openedModes(agent: AgentProcess): unknown[] {
  return agent.messages.flatMap(({ result }) => {
    const modes = result?.['modes'] as { currentModeId: string } | undefined
    return modes ? [modes.currentModeId] : []
  })
}

test('load replays the transcript of a killed process, resume does not, an unknown session is refused', async () => {
  await using first = await startAgent({ answer: choose('allow_once') })
  const session = await first.open()
  await first.prompt(session, 'write hello.md')
  first.child.kill('SIGKILL')
  await first.exited()

  await using loaded = await reopen(first, 'session/load', session)
  const [user, ...rest] = joined(loaded.updates())
  expect(user).toBe('user_message_chunk write hello.md')
  expect(rest).toEqual(joined(first.updates()))
  const answer = loaded.messages.findIndex(({ result }) => result?.['modes'] !== undefined)
  expect(loaded.messages.slice(1, answer).map(({ method }) => method)).toEqual(
    loaded
      .updates()
      .slice(0, rest.length + 1)
      .map(() => 'session/update'),
  )
  await loaded.prompt(session, 'Nothing that a script would know about') // greeted before: no tour
  expect(loaded.said()).toContain('cannot make sense of it')

  await using resumed = await reopen(first, 'session/resume', session)
  expect(joined(resumed.updates())).toEqual([])
  for (const sessionId of ['demo-00000000-0000-0000-0000-000000000000', '../../etc/passwd']) {
    const { error } = await resumed.request('session/load', { sessionId, cwd: first.cwd, mcpServers: [] })
    expect(error?.code).toBe(-32002)
  }
})

test('modes survive a load, and forgetMode makes them not survive', async () => {
  await using first = await startAgent()
  const session = await first.open()
  await first.request('session/set_mode', { sessionId: session, modeId: 'auto-edit' })
  await using second = await reopen(first, 'session/load', session)
  expect(openedModes(second)).toEqual(['auto-edit'])

  await second.play(session, [{ do: 'mode', id: 'reviewer' }])
  expect(second.updates().at(-1)).toEqual({ sessionUpdate: 'current_mode_update', currentModeId: 'reviewer' })
  const ask: Step = { do: 'ask', title: 'x', kind: 'execute', input: {}, record: 'record.jsonl' }
  await second.play(session, [ask])
  expect(second.asked()).toEqual([])
  expect(await readFile(join(first.cwd, 'record.jsonl'), 'utf8')).toContain('"via":"mode"')

  await second.play(session, [{ do: 'forgetMode' }])
  await second.request('session/set_mode', { sessionId: session, modeId: 'ask' })
  await using third = await reopen(first, 'session/load', session)
  expect(openedModes(third)).toEqual(['auto-edit'])
})

test('the journal has every inbound message once, in order, across processes, and says what was answered', async () => {
  await using first = await startAgent()
  const file = join(first.cwd, 'journal.jsonl')
  await using agent = await startAgent({ cwd: first.cwd, args: ['--journal', file], answer: choose('allow_once') })
  const session = await agent.open()
  await agent.play(session, [{ do: 'ask', tool: 't1', title: 'x', kind: 'edit', input: {} }])
  agent.sendRaw('not json\n')
  agent.notify('session/cancel', { sessionId: session })
  void agent.play(session, [{ do: 'die', signal: 'SIGKILL' }]) // never answered
  expect(await agent.exited()).toEqual({ code: null, signal: 'SIGKILL' })
  await using again = await startAgent({ cwd: first.cwd, env: { HOTLINE_DEMO_JOURNAL: file } })
  await again.request('initialize', { protocolVersion: 1 })

  const entries = await readJournal(file)
  expect(entries.map(({ message, unparsed }) => message?.method ?? unparsed ?? 'answer')).toEqual([
    'initialize',
    'session/new',
    'session/prompt',
    'answer',
    'not json',
    'session/cancel',
    'session/prompt',
    'initialize',
  ])
  expect(entries[3]).toMatchObject({
    message: { result: { outcome: { outcome: 'selected', optionId: 'allow-once' } } },
    answerTo: { method: 'session/request_permission', toolCallId: 't1' },
  })
  expect(entries.map(({ at }) => at).toSorted()).toEqual(entries.map(({ at }) => at))
  expect(new Set(entries.map(({ pid }) => pid)).size).toBe(2)
})

test('a second prompt while one runs is refused, and the first goes on', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  const turn = agent.play(session, [{ do: 'hang' }])
  expect((await agent.prompt(session, 'Hello')).error?.code).toBe(-32600)
  const prompt = agent.messages.length
  agent.notify('$/cancel_request', { requestId: 3 }) // initialize, session/new, then the hanging prompt
  expect((await turn).result).toEqual({ stopReason: 'cancelled' })
  expect(agent.messages.length).toBe(prompt + 1)
})

test('two sessions work side by side', async () => {
  await using agent = await startAgent()
  const one = await agent.open()
  const { result } = await agent.request('session/new', { cwd: agent.cwd, mcpServers: [] })
  const two = String(result?.['sessionId'])
  const hanging = agent.play(one, [{ do: 'hang' }])
  expect((await agent.play(two, [{ do: 'say', text: 'two' }])).result).toEqual({ stopReason: 'end_turn' })
  agent.notify('session/cancel', { sessionId: two })
  agent.notify('session/cancel', { sessionId: one })
  expect((await hanging).result).toEqual({ stopReason: 'cancelled' })
})

test('bad input is answered and does no harm', async () => {
  await using agent = await startAgent()
  agent.sendRaw('this is not JSON\n[1,2]\nnull\n{"method":5,"id":1}\n')
  agent.sendRaw(`"${'x'.repeat(17 * 1024 * 1024)}"\n`)
  agent.sendRaw('{"jsonrpc":"2.0","id":999,"result":{}}\n') // answers nothing
  const unknown = await agent.request('session/unheard_of', {})
  expect(unknown.error?.code).toBe(-32601)
  expect(agent.messages.filter(({ id }) => id === null).map(({ error }) => error?.code)).toEqual([
    -32700, -32700, -32700, -32700, -32600,
  ])
  for (const cwd of ['relative', '/no/such/folder']) {
    expect((await agent.request('session/new', { cwd, mcpServers: [] })).error?.code).toBe(-32602)
  }
  expect((await agent.request('session/prompt', { sessionId: 'x', prompt: [] })).error?.code).toBe(-32002)
  expect((await agent.request('session/prompt', { prompt: 'x' })).error?.code).toBe(-32602)
  expect((await agent.request('initialize', { protocolVersion: 2 })).result).toMatchObject({ protocolVersion: 1 })
})

test.each<[string, Step[]]>([
  ['idle', []],
  ['hanging', [{ do: 'say', text: 'on' }, { do: 'hang' }]],
  [
    'deaf',
    [
      { do: 'say', text: 'on' },
      { do: 'hang', deaf: true },
    ],
  ],
  [
    'asking',
    [
      { do: 'say', text: 'on' },
      { do: 'ask', title: 'x', kind: 'edit', input: {} },
    ],
  ],
  [
    'running',
    [
      { do: 'say', text: 'on' },
      { do: 'run', argv: [process.execPath, '-e', 'setInterval(() => {}, 1000)'] },
    ],
  ],
])('ends when stdin ends and on SIGTERM: %s', async (_, steps) => {
  for (const way of ['stdin', 'SIGTERM'] as const) {
    await using agent = await startAgent()
    const session = await agent.open()
    if (steps.length > 0) {
      void agent.play(session, steps)
      await vi.waitFor(() => expect(agent.said()).toBe('on'), 30_000)
    }
    if (way === 'stdin') agent.child.stdin?.end()
    else agent.child.kill('SIGTERM')
    const expected = way === 'stdin' ? { code: 0, signal: null } : { code: null, signal: 'SIGTERM' }
    expect(await agent.exited()).toEqual(expected)
  }
})

test('a deaf turn ignores cancel; a stubborn agent also SIGTERM and the end of stdin', async () => {
  await using deaf = await startAgent()
  const session = await deaf.open()
  void deaf.play(session, [{ do: 'hang', deaf: true }])
  deaf.notify('session/cancel', { sessionId: session })
  await deaf.request('session/set_mode', { sessionId: session, modeId: 'ask' }) // handled after the cancel
  expect(deaf.messages.some(({ result }) => result?.['stopReason'])).toBe(false)

  await using agent = await startAgent()
  void agent.play(await agent.open(), [{ do: 'hang', stubborn: true }])
  await agent.request('initialize', { protocolVersion: 1 }) // handled after the hang has begun
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    agent.child.kill(signal)
    await vi.waitFor(() => expect(agent.stderr()).toContain(`${signal} is ignored`), 30_000)
  }
  agent.child.stdin?.end()
  await vi.waitFor(() => expect(agent.stderr()).toContain('the end is ignored'), 30_000)
  agent.child.kill('SIGKILL')
  expect(await agent.exited()).toEqual({ code: null, signal: 'SIGKILL' })
})

test.each([
  [{ do: 'die' }, { code: 1, signal: null }],
  [
    { do: 'die', code: 42 },
    { code: 42, signal: null },
  ],
  [
    { do: 'die', signal: 'SIGKILL' },
    { code: null, signal: 'SIGKILL' },
  ],
  [
    { do: 'die', signal: 'SIGTERM' },
    { code: null, signal: 'SIGTERM' },
  ],
  [
    { do: 'die', signal: 'SIGSEGV' },
    { code: null, signal: 'SIGSEGV' },
  ],
] as [Step, unknown][])('%o', async (step, expected) => {
  await using agent = await startAgent()
  void agent.play(await agent.open(), [{ do: 'say', text: 'last words' }, step])
  expect(await agent.exited()).toEqual(expected)
  expect(agent.said()).toBe('last words')
})

test('wrong options are refused with a sentence', async () => {
  for (const [options, expected] of [
    [{ args: ['--dance'] }, 'dance'],
    [{ args: ['--script', '/no/such/file'] }, 'ENOENT'],
    [{ env: { HOTLINE_DEMO_SCRIPT: '[{"do":"dance"}]' } }, 'not valid'],
    [{ env: { HOTLINE_DEMO_PACE: 'fast' } }, 'pace must be'],
  ] as const) {
    await using agent = await startAgent({ ...options, args: 'args' in options ? [...options.args] : [] })
    expect(await agent.exited()).toEqual({ code: 2, signal: null })
    expect(agent.stderr()).toContain(expected)
  }
})
