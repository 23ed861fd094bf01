import { execFileSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { openFile } from '@hotline/client/files'
import type { Link } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import type { Envelope } from '@hotline/protocol/event'
import { LineClient } from '@hotline/testing/line-client'
import type { LiveServer } from '@hotline/testing/live-server'
import type { TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHotlineProcess, startProcess } from './hotline-process.ts'
import { openRunnerScene, type RunnerScene } from './runner-scene.ts'

const agentFile = join(import.meta.dirname, 'mcp-agent.ts')
const hotline = join(import.meta.dirname, '../bin/hotline.js')

let runner: RunnerScene
let live: LiveServer
let dir: TempDir
let link: Link
/** An agent that several tests tell what to do, one after the other. */
let shared: Scene

beforeAll(async () => {
  runner = await openRunnerScene(({ dataDir }) => {
    mkdirSync(join(dataDir, 'agents'), { recursive: true, mode: 0o700 })
    const command = `command: ["${process.execPath}", "${agentFile}", "${hotline}"]`
    const interactive = 'interactive:\n  enabled: true\n  auto_exit_on: goal_complete\n'
    writeFileSync(join(dataDir, 'agents', 'ends.yaml'), `id: ends\n${command}\n${interactive}`, { mode: 0o600 })
  })
  ;({ live, dir } = runner)
  link = live.link()
  shared = await new Scene().start()
})
afterAll(async () => {
  await shared[Symbol.asyncDispose]()
  await runner[Symbol.asyncDispose]()
})

interface Result {
  id: string
  error?: string
  isError?: boolean
  content?: { text: string }[]
  structuredContent?: Record<string, unknown>
}

/** A session whose agent does what it is told. */
class Scene implements AsyncDisposable {
  readonly session = uuidV7()
  readonly stream = `session:${this.session}`
  cwd = dir?.path
  #line: LineClient | undefined

  async start(agent: 'pipe' | 'ends' = 'pipe', cwd: string = dir.path): Promise<this> {
    this.cwd = cwd
    const how = agent === 'pipe' ? { command: [process.execPath, agentFile, hotline] } : { unasked: true as const }
    const data = { project: 'default', agent, cwd, title: 'with tools', ...how }
    const started = await link.command(this.stream, 'session.start', data)
    if (!started.ok) throw new Error(started.problem.detail)
    await this.printed((value) => 'tools' in value)
    this.#line = new LineClient(live.url, this.session, live.token)
    await this.#line.opened()
    return this
  }

  get line(): LineClient {
    if (!this.#line) throw new Error('not started')
    return this.#line
  }

  events(): Promise<Envelope[]> {
    return live.stored(this.session)
  }

  event(type: string, fits: (event: Envelope) => boolean = () => true): Promise<Envelope> {
    return waitFor(async () => (await this.events()).find((event) => event.type === type && fits(event)), {
      what: type,
    })
  }

  say(what: object): void {
    this.line.command('send_input', uuidV7(), { input: `${JSON.stringify(what)}\n` })
  }

  call(id: string, tool: string, args: object): void {
    this.say({ id, tool, args })
  }

  result(id: string): Promise<Result> {
    return this.printed((value) => value['id'] === id) as Promise<unknown> as Promise<Result>
  }

  printed(fits: (value: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    const look = async (): Promise<Record<string, unknown> | undefined> => {
      const texts = (await this.events()).flatMap(({ type, data, body }) =>
        type === 'output.appended' && data['source'] === 'stdout' ? [String(body?.['text'])] : [],
      )
      const lines = texts.join('').split('\n').slice(0, -1)
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>).find(fits)
    }
    return waitFor(look, { what: 'a word of the agent' })
  }

  async decide(approval: Envelope, verdict: 'allow' | 'deny' | 'modify', more: object = {}): Promise<void> {
    const { approval: id, digest } = approval.data as { approval: string; digest: string }
    const decided = await link.command(this.stream, 'approval.decide', { approval: id, digest, verdict, ...more })
    if (!decided.ok) throw new Error(decided.problem.detail)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await link.command(this.stream, 'session.abort', {})
    await this.event('session.state_changed', ({ data }) => ['aborted', 'completed'].includes(String(data['to'])))
    await this.#line?.[Symbol.asyncDispose]()
  }
}

const tools = [
  'ask_human',
  'request_approval',
  'submit_draft',
  'notify',
  'send_file',
  'complete_goal',
  'permission_prompt',
]

describe('hotline mcp', () => {
  it('[MC1] an agent of a session asks a person, who answers, does not want to, or is not needed any more', async () => {
    const scene = shared
    expect(await scene.printed((value) => 'tools' in value)).toEqual({ tools })
    scene.call('a', 'ask_human', { question: 'Which port?', options: ['80', '443'] })
    const asked = await scene.event('question.asked')
    expect(asked).toMatchObject({ actor: { kind: 'agent' }, body: { text: 'Which port?' } })
    const question = String(asked.data['question'])
    const answer = { question, action: 'accept' as const, content: { answer: '443' } }
    expect((await link.command(scene.stream, 'question.answer', answer)).ok).toBe(true)
    expect(await scene.result('a')).toMatchObject({
      content: [{ type: 'text', text: '443' }],
      structuredContent: { action: 'accept', answer: '443' },
    })
    scene.call('b', 'ask_human', { question: 'Why?' })
    const second = await scene.event('question.asked', ({ body }) => body?.['text'] === 'Why?')
    const declined = { question: String(second.data['question']), action: 'decline' as const }
    expect((await link.command(scene.stream, 'question.answer', declined)).ok).toBe(true)
    expect((await scene.result('b')).structuredContent).toEqual({ action: 'decline' })
    // What the agent gives up is nobody's to answer.
    scene.call('c', 'ask_human', { question: 'Never mind?' })
    await scene.event('question.asked', ({ body }) => body?.['text'] === 'Never mind?')
    scene.say({ cancel: 'c' })
    const withdrawn = await scene.event('question.withdrawn')
    expect(withdrawn.data).toMatchObject({ reason: 'agent_withdrew' })
    expect((await scene.result('c')).error).toContain('abort')
  })

  it('[MC2] what it wants to do is an approval like all others; its outcomes are never mixed up', async () => {
    await using scene = await new Scene().start()
    const ask = async (id: string, more: object = {}): Promise<Envelope> => {
      scene.call(id, 'request_approval', { title: `Deploy ${id}`, input: `deploy --to ${id}`, ...more })
      return await scene.event('approval.requested', ({ body }) => body?.['title'] === `Deploy ${id}`)
    }
    const first = await ask('allowed', { reason: 'It is Friday' })
    expect(first).toMatchObject({
      data: { verdicts: ['allow', 'deny'], scopes: ['once'] },
      body: { tool: 'request_approval', input: 'deploy --to allowed', reason: 'It is Friday' },
    })
    await scene.decide(first, 'allow')
    expect((await scene.result('allowed')).structuredContent).toEqual({ outcome: 'allowed' })
    await scene.event('approval.dispatched')
    await scene.decide(await ask('denied'), 'deny', { reason: 'not today' })
    const denied = await scene.result('denied')
    expect(denied).toMatchObject({ structuredContent: { outcome: 'denied', reason: 'not today' } })
    expect(denied.content?.[0]?.text).toBe('Denied: not today')
    await scene.decide(await ask('changed', { modifiable: true }), 'modify', { input: 'deploy --to staging' })
    expect((await scene.result('changed')).structuredContent).toEqual({
      outcome: 'allowed_modified',
      input: 'deploy --to staging',
    })
    // The agent heard the reason; it is not told again as a message.
    expect((await scene.events()).some(({ type }) => type === 'message.posted')).toBe(false)
    // Its client goes: nobody waits for this any more.
    await ask('given up')
    scene.say({ exit: 'now' })
    expect((await scene.event('approval.cancelled')).data).toMatchObject({ reason: 'agent_withdrew' })
  })

  it('[MC2] where nobody answers in time the agent is told just that', async () => {
    const scene = new Scene()
    const command = [process.execPath, agentFile, hotline]
    const data = { project: 'default', agent: 'pipe', cwd: dir.path, command, approvalTimeoutMs: 1_000 }
    expect((await link.command(scene.stream, 'session.start', data)).ok).toBe(true)
    await scene.printed((value) => 'tools' in value)
    const text = `${JSON.stringify({ id: 'late', tool: 'request_approval', args: { title: 'x', input: 'y' } })}\n`
    expect((await link.command(scene.stream, 'input.send', { text })).ok).toBe(true)
    expect((await scene.result('late')).structuredContent).toEqual({ outcome: 'timed_out' })
    await scene[Symbol.asyncDispose]()
  })

  it('[MC7] [DR2] it has its changes reviewed, and hears what became of each', async () => {
    const cwd = join(dir.path, 'reviewed')
    mkdirSync(cwd)
    await using scene = await new Scene().start('pipe', cwd)
    scene.call('none', 'submit_draft', {})
    expect((await scene.result('none')).structuredContent).toEqual({ outcome: 'nothing', files: [] })
    writeFileSync(join(cwd, 'a.txt'), 'a\n')
    writeFileSync(join(cwd, 'b.txt'), 'b\n')
    scene.call('two', 'submit_draft', { note: 'Both are new.' })
    const ready = await scene.event('draft.ready')
    expect(ready).toMatchObject({ data: { waits: true, files: 2, added: 2 }, body: { note: 'Both are new.' } })
    const rows = await runner.run('ls')
    expect(rows.out).toContain('NEEDS YOU 1')
    expect(rows.out).toContain('waits for a review: hotline changes')
    // At the command line it is decided as it is shown to everybody.
    const args = [
      'changes',
      scene.session,
      '--keep',
      'a.txt',
      '--discard',
      'b.txt',
      '--reason',
      'One will do.',
      '--yes',
    ]
    const decided = await runner.run(...args)
    expect(decided).toMatchObject({ code: 0, err: '' })
    expect(decided.out).toContain('1 kept, 1 discarded, 0 open.')
    const result = await scene.result('two')
    const files = [
      { path: 'a.txt', outcome: 'kept' },
      { path: 'b.txt', outcome: 'discarded' },
    ]
    expect(result.structuredContent).toEqual({ outcome: 'reviewed', files, reason: 'One will do.' })
    expect(JSON.parse(result.content?.[0]?.text ?? '')).toEqual(result.structuredContent)
    expect(existsSync(join(cwd, 'b.txt'))).toBe(false)
    // What it gives up is nobody's to decide.
    writeFileSync(join(cwd, 'c.txt'), 'c\n')
    scene.call('given up', 'submit_draft', {})
    await scene.event('draft.ready', ({ data }) => data['draft'] !== ready.data['draft'])
    scene.say({ cancel: 'given up' })
    expect((await scene.event('draft.refused')).body).toMatchObject({ reason: expect.stringContaining('not wait') })
  })

  it("[MC3] [P30] Claude Code's permission prompt is answered with its JSON and nothing else", async () => {
    const scene = shared
    const prompt = async (id: string): Promise<Envelope> => {
      scene.call(id, 'permission_prompt', {
        tool_name: 'Bash',
        input: { command: `echo ${id}` },
        tool_use_id: 'toolu_1',
      })
      return await scene.event('approval.requested', ({ body }) => body?.['title'] === `Bash: echo ${id}`)
    }
    const answer = async (id: string): Promise<unknown> => JSON.parse((await scene.result(id)).content?.[0]?.text ?? '')
    const first = await prompt('one')
    expect(first.body).toMatchObject({ tool: 'Bash', input: '{\n  "command": "echo one"\n}' })
    await scene.decide(first, 'allow')
    expect(await answer('one')).toEqual({ behavior: 'allow', updatedInput: { command: 'echo one' } })
    await scene.decide(await prompt('two'), 'modify', { input: '{"command":"echo 2"}' })
    expect(await answer('two')).toEqual({ behavior: 'allow', updatedInput: { command: 'echo 2' } })
    await scene.decide(await prompt('three'), 'deny', { reason: 'too loud' })
    expect(await answer('three')).toEqual({ behavior: 'deny', message: 'Denied: too loud' })
    const fourth = await prompt('four')
    await expect(scene.decide(fourth, 'modify', { input: 'no json' })).rejects.toThrow('line 1, column 1')
    await scene.decide(fourth, 'deny')
    expect(await answer('four')).toMatchObject({ behavior: 'deny' })
  })

  it('[MC4] news are messages of the agent, and the goal is reached when it says so', async () => {
    const scene = shared
    scene.call('n', 'notify', { text: 'Half of it is done.' })
    await scene.result('n')
    const told = await scene.event('message.completed')
    expect(told).toMatchObject({ actor: { kind: 'agent' }, body: { text: 'Half of it is done.' } })
    scene.call('g', 'complete_goal', { summary: 'All of it.' })
    await scene.result('g')
    const goal = await scene.event('goal.completed')
    expect(goal).toMatchObject({ actor: { kind: 'agent' }, data: { by: 'agent' }, body: { summary: 'All of it.' } })
    // It stays until somebody ends it, for its profile does not say otherwise.
    scene.call('late', 'notify', { text: 'Still here.' })
    await scene.result('late')
    scene.call('bad', 'notify', {})
    expect((await scene.result('bad')).isError).toBe(true)
  })

  it('[MC8] a file of its folder becomes a message of the agent, and whoever follows can read it', async () => {
    const scene = await new Scene().start('pipe', mkdtempSync(join(dir.path, 'files-')))
    const { cwd } = scene
    writeFileSync(join(cwd, 'report.md'), '# What was done')
    scene.call('f', 'send_file', { path: 'report.md', text: 'Here it is.' })
    expect(await scene.result('f')).toMatchObject({
      content: [{ text: '"report.md" was sent (text/markdown, 15 bytes).' }],
    })
    const { actor, body } = await scene.event('message.completed')
    expect({ actor, body }).toMatchObject({
      actor: { kind: 'agent' },
      body: { text: 'Here it is.', attachments: [{ name: 'report.md', type: 'text/markdown', bytes: 15 }] },
    })
    const [named] = (body?.['attachments'] ?? []) as { digest: string }[]
    const digest = named?.digest ?? ''
    const credential = { kind: 'token', token: live.token } as const
    const signal = AbortSignal.timeout(10_000)
    const file = await openFile({ url: live.url, credential }, scene.session, { digest }, signal)
    expect(file.ok && (await file.value.text())).toBe('# What was done')
    await scene[Symbol.asyncDispose]()
  })

  it('[MC8] what lies elsewhere, in whatever way it is named, what is no file, and a secret are not sent', async () => {
    const scene = await new Scene().start('pipe', mkdtempSync(join(dir.path, 'files-')))
    const { cwd } = scene
    const outside = join(dir.path, 'outside.txt')
    writeFileSync(outside, 'not for anybody')
    symlinkSync(outside, join(cwd, 'link.txt'))
    symlinkSync(dir.path, join(cwd, 'folder'))
    linkSync(outside, join(cwd, 'hard.txt'))
    execFileSync('mkfifo', [join(cwd, 'pipe')])
    writeFileSync(join(cwd, 'empty.txt'), '')
    writeFileSync(join(cwd, 'large.bin'), '')
    truncateSync(join(cwd, 'large.bin'), 25 * 1024 * 1024 + 1)
    writeFileSync(join(cwd, 'key.txt'), `the key: ${live.token}`)
    const refusals = {
      [outside]: 'Only a file in the folder that you work in',
      '../outside.txt': 'Only a file in the folder that you work in',
      'link.txt': 'Only a file in the folder that you work in',
      'folder/outside.txt': 'Only a file in the folder that you work in',
      'hard.txt': 'a hard link',
      '.': 'Only a file in the folder that you work in',
      pipe: 'is no file',
      'empty.txt': 'The file is empty.',
      'large.bin': '26214400 are the limit',
      'missing.txt': 'There is no file "missing.txt"',
      'key.txt': 'holds a secret',
    }
    for (const [path, why] of Object.entries(refusals)) {
      scene.call(path, 'send_file', { path })
      const { isError, content } = await scene.result(path)
      expect({ path, isError, text: content?.[0]?.text }).toEqual({
        path,
        isError: true,
        text: expect.stringContaining(why) as string,
      })
    }
    expect((await scene.events()).filter(({ type }) => type === 'message.completed')).toEqual([])
    await scene[Symbol.asyncDispose]()
  })

  it('[MC4] a program by lines that ends well has reached its goal, and no other', async () => {
    const ends = async (command: string[]): Promise<unknown[]> => {
      const scene = new Scene()
      const data = { project: 'default', agent: 'pipe', cwd: dir.path, command }
      expect((await link.command(scene.stream, 'session.start', data)).ok).toBe(true)
      await scene.event('session.state_changed', ({ data: of }) => ['completed', 'failed'].includes(String(of['to'])))
      return (await scene.events()).flatMap(({ type, data: of }) => (type === 'goal.completed' ? [of] : []))
    }
    expect(await ends(['true'])).toEqual([{ by: 'program' }])
    expect(await ends(['false'])).toEqual([])
  })

  it('[AP10] with `goal_complete` a session whose agent has the tools ends when it says so', async () => {
    const scene = await new Scene().start('ends')
    scene.call('n', 'notify', { text: 'Not yet.' })
    await scene.result('n')
    scene.call('g', 'complete_goal', {})
    const over = await scene.event('session.state_changed', ({ data }) => data['to'] === 'completed')
    expect(over.data).toMatchObject({ reason: 'goal_reached' })
    expect((await scene.events()).some(({ type }) => type === 'goal.completed')).toBe(true)
    await scene[Symbol.asyncDispose]()
  })

  it('[MC5] the way to people is for this user, for this session, and as long as its agent runs', async () => {
    const desks = join(live.dataDir, 'runner', 'desks')
    const scene = await new Scene().start()
    const files = readdirSync(desks).filter((name) => name.endsWith('.json'))
    const file = files.find((name) => readFileSync(join(desks, name), 'utf8').includes(scene.session)) ?? ''
    const place = JSON.parse(readFileSync(join(desks, file), 'utf8')) as { socket: string; token: string }
    expect(statSync(desks).mode & 0o777).toBe(0o700)
    expect(statSync(join(desks, file)).mode & 0o777).toBe(0o600)
    expect(statSync(place.socket).mode & 0o777).toBe(0o600)
    // Without the secret nothing is heard, and the line is cut.
    const question = { id: 1, method: 'ask_human', params: { text: 'Forged?' } }
    for (const first of [{ token: 'x'.repeat(place.token.length) }, question, 'no object']) {
      const socket = createConnection(place.socket)
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.on('error', () => undefined)
      socket.write(`${JSON.stringify(first)}\n${JSON.stringify(question)}\n`)
      await closed
    }
    expect((await scene.events()).some(({ type }) => type === 'question.asked')).toBe(false)
    await scene[Symbol.asyncDispose]()
    await waitFor(() => !existsSync(place.socket) && !existsSync(join(desks, file)), { what: 'nothing left' })
    const late = startHotlineProcess(['mcp'], { ...runner.env, HOTLINE_SESSION: join(desks, file) })
    const hello = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
    late.type(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: hello }))
    await late.says('"id":1')
    const call = { name: 'notify', arguments: { text: 'hello?' } }
    late.type(JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: call }))
    await late.says('"isError":true')
    late.endInput()
    expect((await late.ended).code).toBe(0)
    const nowhere = startHotlineProcess(['mcp'], runner.env)
    nowhere.endInput()
    expect(await nowhere.ended).toMatchObject({ code: 2 })
  })

  it('[MC6] an agent from elsewhere has a session of its own, from its first call until it goes', async () => {
    const sessions = async (): Promise<string[]> => {
      const { out } = await startHotlineProcess(['--json', 'ls', '--all'], runner.env).ended
      return (JSON.parse(out) as { session: string; agent: string }[]).flatMap(({ session, agent }) =>
        agent === 'mcp' ? [session] : [],
      )
    }
    const elsewhere = startProcess(process.execPath, [agentFile, hotline, '--new', '--title', 'An editor'], runner.env)
    await elsewhere.says('"tools"')
    expect(await sessions()).toEqual([])
    elsewhere.type(JSON.stringify({ id: 'a', tool: 'request_approval', args: { title: 'Push', input: 'git push' } }))
    const [session = ''] = await waitFor(
      async () => {
        const found = await sessions()
        return found.length > 0 ? found : undefined
      },
      { what: 'a session' },
    )
    const stored = (type: string): Promise<Envelope> =>
      waitFor(async () => (await live.stored(session)).find((event) => event.type === type), { what: type })
    const asked = await stored('approval.requested')
    const { approval, digest } = asked.data as { approval: string; digest: string }
    await link.command(`session:${session}`, 'approval.decide', { approval, digest, verdict: 'allow' })
    await elsewhere.says('"outcome":"allowed"')
    elsewhere.endInput()
    await elsewhere.ended
    const over = await waitFor(
      async () =>
        (await live.stored(session)).find(
          ({ type, data }) => type === 'session.state_changed' && data['to'] === 'completed',
        ),
      { what: 'the end' },
    )
    expect(over.data).toMatchObject({ reason: 'agent_exited' })
    // That it has gone says nothing of a goal.
    expect((await live.stored(session)).some(({ type }) => type === 'goal.completed')).toBe(false)
  })

  it('[AW1] [AW3] over its line a program is seen, paused, fed and ended', async () => {
    await using scene = await new Scene().start()
    const { line } = scene
    const { data } = await line.next(({ type }) => type === 'connected')
    const pid = Number(data['pid'])
    expect(statSync(`/proc/${pid}`).isDirectory()).toBe(true)
    line.command('pause', 'p')
    expect((await line.answer('p')).data).toMatchObject({ success: true, result: 'done' })
    await line.next(({ type, data: of }) => type === 'status' && of['status'] === 'paused')
    expect((await scene.event('control.done')).data).toMatchObject({ action: 'pause', kind: 'frozen' })
    line.command('resume', 'r')
    expect((await line.answer('r')).data).toMatchObject({ success: true, result: 'done' })
    await line.next(({ type, data: of }) => type === 'status' && of['status'] === 'active')
    scene.call('n', 'notify', { text: 'fed' })
    await scene.result('n')
    line.command('kill', 'k')
    expect((await line.answer('k')).data).toMatchObject({ success: true, result: 'done' })
    await line.next(({ type, data: of }) => type === 'status' && of['status'] === 'aborted')
    expect(existsSync(`/proc/${pid}`)).toBe(false)
  })
})
