import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { scriptPrompt } from '../src/script.ts'
import type { Ask, Step } from '../src/script.ts'
import { choose, startAgent } from './agent-process.ts'
import type { AgentProcess } from './agent-process.ts'

function aboutWriting(path: string, more: Partial<Ask> = {}): Ask {
  return {
    tool: `ask-${path}`,
    title: `Write ${path}`,
    kind: 'edit',
    input: { path, content: 'x' },
    record: 'record.jsonl',
    onAllow: [{ do: 'write', path, content: 'x' }],
    ...more,
  }
}

function askToWrite(path: string, more: Partial<Ask> = {}): Step {
  return { do: 'ask', ...aboutWriting(path, more) }
}

function question(): Step {
  return {
    do: 'question',
    message: 'Well?',
    schema: { properties: {} },
    record: 'record.jsonl',
    onAccept: [{ do: 'say', text: 'got {{answer}} ' }],
    onDecline: [{ do: 'say', text: 'declined ' }],
  }
}

async function readRecords(agent: AgentProcess): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(agent.cwd, 'record.jsonl'), 'utf8')
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('ask acts on the decision, in the tool call that was asked about, and records it', async () => {
  const kinds = ['allow_once', 'reject_once', 'nothing that was offered']
  await using agent = await startAgent({
    answer: (request) =>
      choose(kinds.shift() ?? '')(request) ?? { outcome: { outcome: 'selected', optionId: 'strange' } },
  })
  const session = await agent.open()
  const { result } = await agent.play(session, [
    askToWrite('a.txt'),
    askToWrite('b.txt', { onDeny: [{ do: 'say', text: 'no b' }] }),
    askToWrite('c.txt'),
  ])
  expect(result).toEqual({ stopReason: 'end_turn' })
  expect(await readRecords(agent)).toMatchObject([
    { tool: 'ask-a.txt', outcome: 'allow', via: 'answer', kind: 'allow_once' },
    { tool: 'ask-b.txt', outcome: 'deny', via: 'answer', kind: 'reject_once' },
    { tool: 'ask-c.txt', outcome: 'deny', via: 'answer', optionId: 'strange' },
  ])
  expect((await readdir(agent.cwd)).toSorted()).toEqual(['.hotline-demo', 'a.txt', 'record.jsonl'])
  const about = (tool: string): unknown[] =>
    agent.updates().flatMap(({ toolCallId, sessionUpdate, status }) => {
      return toolCallId === tool ? [`${sessionUpdate} ${status}`] : []
    })
  expect(about('ask-a.txt')).toEqual([
    'tool_call pending',
    'tool_call_update in_progress',
    'tool_call_update completed',
  ])
  expect(about('ask-b.txt')).toEqual(['tool_call pending', 'tool_call_update failed'])
  expect(agent.said()).toBe('no b')
})

test('ask can be as terse as some agents are: no announcement, no word after a refusal', async () => {
  await using agent = await startAgent({ answer: choose('reject_once') })
  const session = await agent.open()
  await agent.play(session, [askToWrite('a.txt', { announce: false, closeOnDeny: false })])
  expect(agent.asked()).toHaveLength(1)
  expect(agent.updates().filter(({ toolCallId }) => toolCallId !== undefined)).toEqual([])
})

test('a cancel takes an open ask back, closes its tool call and answers the prompt', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  const turn = agent.play(session, [askToWrite('a.txt')])
  await vi.waitFor(() => expect(agent.asked()).toHaveLength(1), 30_000)
  agent.notify('session/cancel', { sessionId: session })
  expect((await turn).result).toEqual({ stopReason: 'cancelled' })
  expect(agent.asked('$/cancel_request')[0]?.params).toEqual({ requestId: agent.asked()[0]?.id })
  expect(agent.updates().at(-1)).toMatchObject({ toolCallId: 'ask-a.txt', status: 'failed' })
  expect(await readRecords(agent)).toMatchObject([{ outcome: 'cancelled', via: 'withdrawn' }])

  agent.send({ id: agent.asked()[0]?.id ?? 0, result: { outcome: { outcome: 'selected', optionId: 'allow-once' } } })
  await agent.play(session, [{ do: 'say', text: 'next' }])
  expect(await readdir(agent.cwd)).not.toContain('a.txt')
})

test('an ask that awaits the answer ends only with it, and does not act on an allow after the cancel', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  const turn = agent.play(session, [askToWrite('a.txt', { whenCancelled: 'await' })])
  await vi.waitFor(() => expect(agent.asked()).toHaveLength(1), 30_000)
  agent.notify('session/cancel', { sessionId: session })
  const probe = await agent.request('session/set_mode', { sessionId: session, modeId: 'ask' }) // handled after the cancel
  expect(probe.result).toEqual({})
  expect(agent.messages.filter(({ result }) => result?.['stopReason'])).toEqual([])
  agent.send({ id: agent.asked()[0]?.id ?? 0, result: { outcome: { outcome: 'selected', optionId: 'allow-once' } } })
  expect((await turn).result).toEqual({ stopReason: 'cancelled' })
  expect(await readRecords(agent)).toMatchObject([{ outcome: 'cancelled', via: 'answer', optionId: 'allow-once' }])
  expect(await readdir(agent.cwd)).not.toContain('a.txt')
})

test('askTwo has two requests open at once and takes their answers in any order', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  const turn = agent.play(session, [{ do: 'askTwo', asks: [aboutWriting('a.txt'), aboutWriting('b.txt')] }])
  await vi.waitFor(() => expect(agent.asked()).toHaveLength(2), 30_000)
  for (const [request, kind] of [
    [agent.asked()[1], 'allow_once'],
    [agent.asked()[0], 'reject_once'],
  ] as const) {
    if (request) agent.send({ id: request.id ?? 0, result: choose(kind)(request) ?? {} })
  }
  expect((await turn).result).toEqual({ stopReason: 'end_turn' })
  expect(await readdir(agent.cwd)).toContain('b.txt')
  expect(await readdir(agent.cwd)).not.toContain('a.txt')
})

test('files outside of cwd are neither read nor written, also not through links', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  const outside = await mkdtemp(join(tmpdir(), 'demo-agent-outside-'))
  try {
    await writeFile(join(outside, 'secret'), 'SECRET')
    await symlink(outside, join(agent.cwd, 'link'))
    await symlink(join(outside, 'new'), join(agent.cwd, 'dangling'))
    await agent.play(session, [
      { do: 'read', path: join(outside, 'secret') },
      { do: 'read', path: 'link/secret' },
      { do: 'read', path: '../..//etc/hostname' },
      { do: 'write', path: join(outside, 'new'), content: 'x' },
      { do: 'write', path: 'link/new', content: 'x' },
      { do: 'write', path: 'dangling', content: 'x' },
      { do: 'write', path: 'inside/deep/new', content: 'x' },
    ])
    const statuses = agent.updates().flatMap(({ status }) => (status === 'in_progress' ? [] : [status]))
    expect(statuses.filter((status) => status !== undefined)).toEqual([
      ...Array.from({ length: 6 }, () => 'failed'),
      'completed',
    ])
    expect(agent.lines.join('\n')).not.toContain('SECRET')
    expect(await readdir(outside)).toEqual(['secret'])
    expect(await readFile(join(agent.cwd, 'inside/deep/new'), 'utf8')).toBe('x')
  } finally {
    await rm(outside, { recursive: true })
  }
})

test('say cuts between characters and joins to the same text; plan, think, tool and usage show', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  const text = 'Grüße, 👩‍🚀 und 日本!'
  await agent.play(session, [
    { do: 'say', text, chunks: 7 },
    { do: 'say', text: '', anonymous: true },
    { do: 'think', text: 'hm' },
    { do: 'plan', entries: [{ content: 'one', status: 'completed' }, { content: 'two' }] },
    { do: 'tool', tool: 't1', title: 'Look', kind: 'search', input: { q: 1 }, output: 'found' },
    { do: 'tool', tool: 't2', title: 'Hang about', kind: 'fetch', status: 'pending' },
    { do: 'usage', used: 10, size: 100, cost: { amount: 0, currency: 'USD' } },
  ])
  expect(agent.said()).toBe(text)
  const chunks = agent.updates().filter(({ sessionUpdate }) => sessionUpdate === 'agent_message_chunk')
  expect(chunks).toHaveLength(8)
  expect(new Set(chunks.slice(0, 7).map(({ messageId }) => messageId))).toHaveProperty('size', 1)
  expect(chunks[7]).not.toHaveProperty('messageId')
  expect(agent.updates().slice(9)).toMatchObject([
    { sessionUpdate: 'agent_thought_chunk' },
    { sessionUpdate: 'plan', entries: [{ content: 'one', status: 'completed' }, { status: 'pending' }] },
    { sessionUpdate: 'tool_call', toolCallId: 't1', status: 'pending', rawInput: { q: 1 } },
    { sessionUpdate: 'tool_call_update', toolCallId: 't1', status: 'completed', rawOutput: 'found' },
    { sessionUpdate: 'tool_call', toolCallId: 't2', status: 'pending' },
    { sessionUpdate: 'usage_update', used: 10, size: 100 },
  ])
})

test('run shows output and exit code, without a shell, and a cancel ends the program', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  const program = 'console.log(process.argv[1]); console.error("err"); process.exitCode = 3'
  await agent.play(session, [
    { do: 'run', argv: [process.execPath, '-e', program, '$HOME; exit 1'] },
    { do: 'run', argv: ['no-such-program'] },
  ])
  const results = agent.updates().filter(({ status }) => status === 'failed')
  expect(results).toMatchObject([{ rawOutput: { exitCode: 3 } }, { rawOutput: { problem: /ENOENT/ } }])
  expect(JSON.stringify(results[0]?.content)).toMatch(/\$HOME; exit 1.*err/)

  const sleeper = 'require("node:fs").writeFileSync("pid", String(process.pid)); setTimeout(() => {}, 60_000)'
  const turn = agent.play(session, [{ do: 'run', argv: [process.execPath, '-e', sleeper] }])
  const pid = await vi.waitFor(async () => Number(await readFile(join(agent.cwd, 'pid'), 'utf8')), 30_000)
  agent.notify('session/cancel', { sessionId: session })
  expect((await turn).result).toEqual({ stopReason: 'cancelled' })
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})

test('run shows output while the program still runs', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  const program = 'console.log("so far"); setInterval(() => {}, 1000)'
  const turn = agent.play(session, [{ do: 'run', argv: [process.execPath, '-e', program] }])
  await vi.waitFor(() => {
    const last = agent.updates().at(-1)
    expect(last).toMatchObject({ sessionUpdate: 'tool_call_update', status: 'in_progress' })
    expect(JSON.stringify(last?.content)).toContain('so far')
  }, 30_000)
  agent.notify('session/cancel', { sessionId: session })
  expect((await turn).result).toEqual({ stopReason: 'cancelled' })
})

test('wait, waitFile and tick take their time and react to cancel', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  const turn = agent.play(session, [
    { do: 'waitFile', path: 'go' },
    { do: 'tick', everyMs: 5, count: 3, text: 'tock' },
    { do: 'wait', ms: 3_600_000 },
  ])
  await writeFile(join(agent.cwd, 'go'), '')
  await vi.waitFor(() => expect(agent.said()).toBe('tock 1tock 2tock 3'), 30_000)
  agent.notify('session/cancel', { sessionId: session })
  expect((await turn).result).toEqual({ stopReason: 'cancelled' })
})

test('end and error decide how the prompt is answered', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  const play = (...steps: Step[]): Promise<unknown> =>
    agent.play(session, [...steps, { do: 'say', text: 'not reached' }])
  expect(await play({ do: 'end', stopReason: 'refusal' })).toMatchObject({ result: { stopReason: 'refusal' } })
  expect(await play({ do: 'error', message: 'overloaded' })).toMatchObject({
    error: { code: -32603, message: 'overloaded' },
  })
  expect(agent.said()).toBe('')
})

test('env writes the environment down, spawnChild leaves a child behind, stderr goes to stderr', async () => {
  await using agent = await startAgent({ env: { MARK: 'm1' } })
  const session = await agent.open()
  await agent.play(session, [
    { do: 'env', file: 'env.json' },
    { do: 'spawnChild', argv: [process.execPath, '-e', 'setInterval(() => {}, 1000)'], detached: true, pidFile: 'pid' },
    { do: 'stderr', text: 'grumble\n' },
  ])
  const env = JSON.parse(await readFile(join(agent.cwd, 'env.json'), 'utf8')) as Record<string, string>
  expect(Object.keys(env).toSorted()).toEqual(['HOTLINE_DEMO_PACE', 'MARK', 'PATH'])
  expect(env['MARK']).toBe('m1')
  await vi.waitFor(() => expect(agent.stderr()).toBe('grumble\n'), 30_000)
  const pid = Number(await readFile(join(agent.cwd, 'pid'), 'utf8'))
  agent.child.stdin?.end()
  await agent.exited()
  process.kill(pid, 'SIGKILL') // throws if it is gone: it outlived its agent
})

test('question: form, refusal, record, and the steps after it know the answer', async () => {
  const answers = [{ action: 'accept', content: { a: 'yes', b: 2 } }, { action: 'decline' }]
  await using agent = await startAgent({ answer: () => answers.shift() ?? null })
  const session = await agent.open({ elicitation: { form: {} } })
  await agent.play(session, [question(), { do: 'say', text: 'still {{answer}} ' }, question()])
  expect(agent.said()).toBe('got {"a":"yes","b":2} still {"a":"yes","b":2} declined ')
  expect(await readRecords(agent)).toMatchObject([{ action: 'accept' }, { action: 'decline' }])
})

test('scripts come from a file, from the environment, and from the prompt, which wins', async () => {
  const script = JSON.stringify([{ do: 'say', text: 'from outside' }])
  const folder = await mkdtemp(join(tmpdir(), 'demo-agent-script-'))
  try {
    await writeFile(join(folder, 'script.json'), script)
    for (const start of [
      { args: ['--script', join(folder, 'script.json')] },
      { env: { HOTLINE_DEMO_SCRIPT: script } },
    ]) {
      await using agent = await startAgent(start)
      const session = await agent.open()
      await agent.prompt(session, 'anything')
      expect(agent.said()).toBe('from outside')
      const two = [scriptPrompt([{ do: 'say', text: ' one :END' }]), scriptPrompt([{ do: 'say', text: ' two' }])]
      await agent.prompt(session, `Somebody wrote: ${two.join('\nand then: ')}\nThat is all.`)
      expect(agent.said()).toBe('from outside one :END two')
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})

test.each([
  ['SCRIPT:[{"do":"dance"}]:END', 'dance|do'],
  ['SCRIPT:[{"do":"wait","ms":1,"colour":"red"}]:END', 'colour'],
  ['SCRIPT:[{"do":"wait"', 'not JSON'],
])('a wrong script is refused with what is wrong: %s', async (text, expected) => {
  await using agent = await startAgent()
  const session = await agent.open()
  const { error } = await agent.prompt(session, text)
  expect(error).toMatchObject({ code: -32602, message: expect.stringMatching(expected) })
  expect(agent.said()).toBe('')
})

test('a script plays without the scratch project of the demonstration', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  await mkdir(join(agent.cwd, 'sub'))
  await agent.play(session, [{ do: 'say', text: 'hi' }])
  expect((await readdir(agent.cwd)).toSorted()).toEqual(['.hotline-demo', 'sub'])
})
