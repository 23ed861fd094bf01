import { execFile } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import { LineClient } from '@hotline/testing/line-client'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openRawWebSocket, requestUpgrade, type UpgradeOptions } from '@hotline/testing/raw-websocket'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { opcodes } from '@hotline/testing/websocket-frame'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../../..')
const run = promisify(execFile)

let live: LiveServer
beforeAll(async () => {
  live = await startLiveServer()
})
afterAll(() => live[Symbol.asyncDispose]())

type Heard = LineClient['heard'][number]

const dial = (name: string, token = live.token): LineClient => new LineClient(live.url, name, token)

const capabilities = {
  input: 'lines',
  interrupt: false,
  pause: 'signal',
  resume: false,
  verdicts: [],
  denyReason: false,
  questions: false,
  screen: false,
}

/** A program that the test plays: what it is told to do it does at once. */
async function startProgram(title: string): Promise<HandRunner> {
  const runner = await live.startSession(title)
  const startedAt = new Date().toISOString()
  await runner.report({ type: 'session.profile_changed', data: { capabilities, pid: 4_711, startedAt } })
  return runner
}

/** Answers the control that was asked for last. */
async function obey(runner: HandRunner, to?: 'paused' | 'active' | 'interrupted'): Promise<void> {
  const asked = await waitFor(
    async () => {
      const events = await live.stored(runner.session)
      const done = new Set(events.filter(({ type }) => type === 'control.done').map(({ data }) => data['control']))
      return events.find(({ type, data }) => type === 'control.requested' && !done.has(data['control']))
    },
    { what: 'a control' },
  )
  const { control, action } = asked.data as { control: string; action: string }
  await runner.report({ type: 'control.done', data: { control, action } })
  if (!to) return
  const exit = { code: null, signal: 'SIGTERM' }
  const data = { from: 'active', to, reason: 'requested', ...(to === 'interrupted' ? { exit } : {}) }
  await runner.report({ type: 'session.state_changed', data, body: {} })
}

async function makeKey(scopes: readonly string[]): Promise<{ key: string; token: string }> {
  const call = async (path: string, body: object): Promise<unknown> => {
    const answer = await httpRequest<unknown>(live.url, { kind: 'token', token: live.token }, 'POST', path, body)
    if (!answer.ok) throw new Error(answer.problem.detail)
    return answer.value
  }
  await call('/api/auth/confirm', { password: 'a long walk over the wet meadow' })
  const made = (await call('/api/keys', { kind: 'svc', name: 'script', scopes })) as { key: string; token: string }
  return made
}

const upgrade = (name: string, more: Partial<UpgradeOptions> = {}): ReturnType<typeof requestUpgrade> => {
  const port = Number(new URL(live.url).port)
  const { headers = [['Authorization', `Bearer ${live.token}`]], ...rest } = more
  return requestUpgrade({
    port,
    path: `/ws/agents/${name}`,
    headers: [['Host', `localhost:${port}`], ...headers],
    ...rest,
  })
}

const refusal = async (name: string, more?: Partial<UpgradeOptions>): Promise<{ status: number; code: string }> => {
  const outcome = await upgrade(name, more)
  if (outcome.kind === 'open') {
    await outcome.socket[Symbol.asyncDispose]()
    return { status: 101, code: '' }
  }
  const body = JSON.parse(outcome.response.body.toString('utf8')) as { code: string }
  return { status: outcome.response.status, ...body }
}

describe('the line of an agent', () => {
  it('[AW1] three clients of one agent: each is answered by itself, and all hear of every change', async () => {
    const runner = await startProgram('three clients')
    await using a = dial('three-clients')
    await using b = dial(runner.session)
    await using c = dial('three-clients')
    for (const line of [a, b, c]) {
      const { data } = await line.opened()
      expect(data).toMatchObject({ status: 'active', pid: 4_711, turn: 'running', exit_code: null, signal: null })
    }
    a.command('get_state', 'one')
    expect(await a.answer('one')).toMatchObject({
      type: 'response',
      command: 'get_state',
      agent: 'three-clients',
      data: { session: runner.session, status: 'active', pid: 4_711 },
    })
    b.command('pause', 'two', { reason: 'lunch' })
    await obey(runner, 'paused')
    expect(await b.answer('two')).toMatchObject({ type: 'response', data: { success: true, result: 'done' } })
    for (const line of [a, b, c]) await line.next(({ type, data }) => type === 'status' && data['status'] === 'paused')
    expect(a.heard.some(({ request_id: id }) => id === 'two')).toBe(false)
    c.command('resume', 'three')
    await obey(runner, 'active')
    expect(await c.answer('three')).toMatchObject({ data: { success: true, result: 'done' } })
    a.command('kill', 'four')
    await obey(runner, 'interrupted')
    expect(await a.answer('four')).toMatchObject({ data: { success: true, result: 'done' } })
    for (const line of [a, b, c]) {
      const over = await line.next(({ type, data }) => type === 'status' && data['status'] === 'aborted')
      expect(over.data).toMatchObject({ signal: 'SIGTERM', exit_code: null, pid: null })
    }
    a.command('pause', 'five')
    expect(await a.answer('five')).toMatchObject({
      type: 'error',
      command: 'pause',
      data: { success: false, code: 'invalid_transition', status: 409 },
    })
  })

  it('[AW2] a name is an id, a title or an agent; several are refused with who they are', async () => {
    const one = await live.startSession('Same name!')
    const first = await refusal('same-name')
    expect(first.status).toBe(101)
    const two = await live.startSession('same-name')
    const both = (await refusal('same-name')) as { status: number; code: string; candidates?: { session: string }[] }
    expect(both).toMatchObject({ status: 409, code: 'ambiguous_name' })
    expect(both.candidates?.map(({ session }) => session).toSorted()).toEqual([one.session, two.session].toSorted())
    expect((await refusal(one.session)).status).toBe(101)
    // Several of this agent run.
    expect(await refusal('demo')).toMatchObject({ status: 409, code: 'ambiguous_name' })
    expect(await refusal('nobody')).toMatchObject({ status: 404, code: 'not_found' })
    for (const odd of ['..%2fetc', '../x', 'a/b', '-rf', 'x'.repeat(65), '%00', 'a%20b', '', '*']) {
      expect([odd, await refusal(odd)]).toMatchObject([odd, { status: 400, code: 'invalid_request' }])
    }
    const plain = await httpRequest(live.url, { kind: 'token', token: live.token }, 'GET', '/ws/agents/nobody')
    expect(plain).toMatchObject({ ok: false, problem: { code: 'invalid_request' } })
  })

  it('[AW3] what is commanded stands in the log, with who, through what, and what came of it', async () => {
    const runner = await startProgram('audited')
    const { token, key } = await makeKey(['read', 'write', 'decide'])
    await using line = dial('audited', token)
    await line.opened()
    line.command('send_input', 'in', { input: 'hello\n' })
    const { data } = await line.answer('in')
    expect(data).toMatchObject({ success: true, result: 'done' })
    line.command('pause', 'p', { reason: 'to look' })
    await obey(runner, 'paused')
    await line.answer('p')
    const events = await live.stored(runner.session)
    const typed = events.find(({ type }) => type === 'input.sent')
    expect(typed).toMatchObject({
      seq: data['seq'],
      cause: data['id'],
      actor: { kind: 'service' },
      channel: `api:${key}`,
      body: { text: 'hello\n' },
    })
    const asked = events.find(({ type }) => type === 'control.requested')
    expect(asked).toMatchObject({
      actor: { kind: 'service' },
      channel: `api:${key}`,
      data: { action: 'pause' },
      body: { reason: 'to look' },
    })
    const done = events.find(
      ({ type, data: of }) => type === 'control.done' && of['control'] === asked?.data['control'],
    )
    expect(done?.actor.kind).toBe('agent')
    // The other side says why it cannot.
    line.command('resume', 'r')
    const wanted = await waitFor(
      async () =>
        (await live.stored(runner.session)).find(
          ({ type, data: of }) => type === 'control.requested' && of['action'] === 'resume',
        ),
      { what: 'the control' },
    )
    const { control } = wanted.data as { control: string }
    await runner.report({
      type: 'control.failed',
      data: { control, action: 'resume' },
      body: { reason: 'It is frozen.' },
    })
    expect((await line.answer('r')).data).toMatchObject({ success: false, result: 'failed', reason: 'It is frozen.' })
  })

  it('[AW3] what is typed to an agent with turns is a message to it', async () => {
    const runner = await live.startSession('talker')
    await using line = dial('talker')
    await line.opened()
    line.command('send_input', 'm', { input: 'do it\n' })
    expect((await line.answer('m')).data).toMatchObject({ success: true, result: 'done' })
    const posted = (await live.stored(runner.session)).find(({ type }) => type === 'message.posted')
    expect(posted).toMatchObject({ data: { role: 'person', queued: true }, body: { text: 'do it' } })
    line.command('send_input', 'b', { input: 'AAEC', encoding: 'base64' })
    expect(await line.answer('b')).toMatchObject({ type: 'error', data: { code: 'unsupported' } })
  })

  it('[AW4] what cannot be read is answered, and the fifth of it ends the connection', async () => {
    await startProgram('broken')
    await using other = dial('broken')
    await using line = dial('broken')
    await Promise.all([line.opened(), other.opened()])
    line.command('explode', 'u')
    expect(await line.answer('u')).toMatchObject({
      type: 'error',
      command: 'explode',
      data: { code: 'invalid_request' },
    })
    line.say({ type: 'command', command: 'get_state', agent: 'somebody-else', request_id: 'o' })
    expect(await line.answer('o')).toMatchObject({ type: 'error', data: { code: 'invalid_request' } })
    const broken = [
      '{"type":"command"',
      '"text"',
      '{"type":"command","command":"get_state","__proto__":{}}',
      '{"type":"command","command":"send_input","request_id":"e","data":{"input":""}}',
      '{"type":"command","command":"get_state","extra":1}',
    ]
    for (const text of broken) line.say(text)
    expect(await line.end()).toMatchObject({ code: 4400 })
    expect(line.heard.filter(({ data }) => data['code'] === 'invalid_frame')).toHaveLength(5)
    expect(line.heard.find(({ request_id: id }) => id === 'e')).toMatchObject({
      command: 'send_input',
      data: { code: 'invalid_frame' },
    })
    other.command('get_state', 'fine')
    expect((await other.answer('fine')).type).toBe('response')
    await using binary = dial('broken')
    await binary.opened()
    binary.sayBytes(new Uint8Array([1]))
    expect(await binary.end()).toMatchObject({ code: 1003 })
  })

  it('[AW5] a thousand commands in a burst are answered one by one, and nobody else waits', async () => {
    const runner = await startProgram('burst')
    await using other = dial('burst')
    await using line = dial('burst')
    await Promise.all([line.opened(), other.opened()])
    for (let index = 0; index < 1_000; index += 1) {
      if (index % 2 === 0) line.command('get_state', `r${index}`)
      else line.command('send_input', `r${index}`, { input: `${index}\n` })
    }
    other.command('get_state', 'me too')
    expect((await other.answer('me too')).type).toBe('response')
    const answers = await waitFor(
      () => {
        const all = line.heard.filter(({ type }) => type === 'response' || type === 'error')
        return all.length >= 1_000 ? all : undefined
      },
      { what: 'a thousand answers' },
    )
    expect(new Set(answers.map(({ request_id: id }) => id)).size).toBe(1_000)
    expect(answers).toHaveLength(1_000)
    const done = answers.filter(({ type }) => type === 'response')
    expect(done.length).toBeGreaterThanOrEqual(200)
    for (const { type, data } of answers) {
      if (type === 'error')
        expect(data).toMatchObject({ code: 'rate_limited', retryAfterMs: expect.any(Number) as number })
    }
    // What was answered as done is in the log, once and in its order; nothing else is.
    const typed = (await live.stored(runner.session)).flatMap(({ type, body }) =>
      type === 'input.sent' ? [Number(body?.['text'])] : [],
    )
    const said = done.flatMap(({ command, request_id: id }) => (command === 'send_input' ? [Number(id.slice(1))] : []))
    expect(typed).toEqual(said.toSorted((a, b) => a - b))
    expect(line.closed).toBeUndefined()
  })

  it('[AW6] a connection that is cut in the middle of a command: sent again with its UUID, it happened once', async () => {
    const runner = await startProgram('cut')
    const request = uuidV7()
    const port = Number(new URL(live.url).port)
    const raw = await openRawWebSocket({
      port,
      path: '/ws/agents/cut',
      headers: [
        ['Host', `localhost:${port}`],
        ['Authorization', `Bearer ${live.token}`],
      ],
    })
    const message = { type: 'command', command: 'send_input', request_id: request, data: { input: 'once\n' } }
    await raw.send({ opcode: opcodes.text, payload: JSON.stringify(message) })
    raw.reset()
    await raw[Symbol.asyncDispose]()
    await using line = dial('cut')
    await line.opened()
    line.say(message)
    expect((await line.answer(request)).data).toMatchObject({ success: true, id: request })
    const typed = (): Promise<unknown[]> =>
      live.stored(runner.session).then((events) => events.filter(({ type }) => type === 'input.sent'))
    expect(await typed()).toHaveLength(1)
    // A control that is done is told to be so, however late it is asked for again.
    const pause = uuidV7()
    line.command('pause', pause)
    await obey(runner, 'paused')
    await line.answer(pause)
    await using later = dial('cut')
    await later.opened()
    later.command('pause', pause)
    expect((await later.answer(pause)).data).toMatchObject({ success: true, result: 'done' })
  })

  it('[AW7] a header or the first message says who it is; an address, a cookie or a foreign page does not', async () => {
    const { session } = await startProgram('door')
    expect(await refusal('door', { headers: [['Authorization', 'Bearer hl_pat_x']] })).toMatchObject({ status: 401 })
    const foreign: Partial<UpgradeOptions> = {
      headers: [
        ['Authorization', `Bearer ${live.token}`],
        ['Origin', 'http://evil.example'],
      ],
    }
    expect(await refusal('door', foreign)).toMatchObject({ status: 403, code: 'origin_refused' })
    // Without a header nothing is said of whether the name exists, and a token in the address is not read.
    for (const name of [`door?token=${live.token}`, 'nobody', session]) {
      await using stranger = dial(name, '')
      await stranger.greet({ type: 'command', command: 'get_state' })
      expect(await stranger.end()).toMatchObject({ code: 4401 })
      expect(stranger.heard.map(({ type, data }) => [type, data['code']])).toEqual([['error', 'unauthenticated']])
    }
    const ticket = await httpRequest<{ ticket: string }>(
      live.url,
      { kind: 'token', token: live.token },
      'POST',
      '/api/auth/ticket',
    )
    if (!ticket.ok) throw new Error(ticket.problem.detail)
    for (const [hello, type] of [
      [{ type: 'hello', ticket: ticket.value.ticket }, 'connected'],
      [{ type: 'hello', ticket: ticket.value.ticket }, 'error'],
      [{ type: 'hello', token: live.token }, 'connected'],
      [{ type: 'hello' }, 'error'],
      [{ type: 'command', command: 'get_state' }, 'error'],
    ] as const) {
      const port = Number(new URL(live.url).port)
      const raw = await openRawWebSocket({ port, path: '/ws/agents/door', headers: [['Host', `localhost:${port}`]] })
      await raw.send({ opcode: opcodes.text, payload: JSON.stringify(hello) })
      expect(JSON.parse((await raw.nextFrame()).payload.toString())).toMatchObject({ type })
      await raw[Symbol.asyncDispose]()
    }
  })

  it('[AW7] who may only read commands nothing, and a credential that ends takes its connection along', async () => {
    await startProgram('readers')
    const reader = await makeKey(['read'])
    await using line = dial('readers', reader.token)
    await line.opened()
    for (const command of ['pause', 'kill', 'resume']) {
      line.command(command, command)
      expect(await line.answer(command)).toMatchObject({ type: 'error', data: { code: 'forbidden' } })
    }
    line.command('get_state', 's')
    expect((await line.answer('s')).type).toBe('response')
    const revoked = await httpRequest(
      live.url,
      { kind: 'token', token: live.token },
      'DELETE',
      `/api/keys/${reader.key}`,
    )
    expect(revoked.ok).toBe(true)
    expect(await line.end()).toMatchObject({ code: 4401 })
    expect(line.heard.at(-1)).toMatchObject({ type: 'error', data: { code: 'unauthenticated' } })
  })

  it('[AW8] the connections are counted, and forgotten when they end', async () => {
    const { session } = await startProgram('counted')
    const stats = async (): Promise<{ agents: Record<string, number>; sessions: object[] }> => {
      const answer = await httpRequest<{ agents: Record<string, number>; sessions: object[] }>(
        live.url,
        { kind: 'token', token: live.token },
        'GET',
        '/api/ws/stats',
      )
      if (!answer.ok) throw new Error(answer.problem.detail)
      return answer.value
    }
    const a = dial('counted')
    const b = dial('counted')
    await Promise.all([a.opened(), b.opened()])
    const { agents, sessions } = await stats()
    expect(agents['counted']).toBe(2)
    expect(sessions).toContainEqual({ session, agent: 'counted', connections: 2 })
    await a[Symbol.asyncDispose]()
    await b[Symbol.asyncDispose]()
    await waitFor(async () => (await stats()).agents['counted'] === undefined, { what: 'no connection' })
  })
})

/** Of `websocat` what the example needs: lines in, messages out, headers, until the input ends. */
const standIn = `#!/usr/bin/env node
const at = process.argv.indexOf('-H')
const [name, value] = process.argv[at + 1].split(': ')
const ws = new WebSocket(process.argv.at(-1), { headers: { [name]: value } })
ws.onmessage = ({ data }) => console.log(data)
ws.onopen = async () => {
  let text = ''
  for await (const piece of process.stdin) {
    text += piece
    for (let end = text.indexOf('\\n'); end >= 0; end = text.indexOf('\\n')) {
      ws.send(text.slice(0, end))
      text = text.slice(end + 1)
    }
  }
  ws.close()
}
`

describe('the examples of docs/agent-line.md', () => {
  const examples = [
    ...readFileSync(join(root, 'docs/agent-line.md'), 'utf8').matchAll(/```(\w+)\n([^`]*(?:`[^`\n]+`[^`]*)*)```/g),
  ]
  const example = (language: string): string => {
    const text = examples.find(([, of]) => of === language)?.[2] ?? ''
    expect(text).toContain('localhost:8151')
    return text.replaceAll('localhost:8151', new URL(live.url).host)
  }

  it('[AW9] in JavaScript', async () => {
    await startProgram('my-agent')
    const text = `${example('javascript')}
      ws.addEventListener('message', ({ data }) => { if (JSON.parse(data).type === 'response') ws.close() })`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', text], {
      env: { ...process.env, HOTLINE_TOKEN: live.token },
    })
    expect(stdout).toContain('Connected')
    expect(stdout).toMatch(/type: 'connected'/)
    expect(stdout).toMatch(/type: 'response'[^]*request_id: '001'|request_id: '001'[^]*type: 'response'/)
  })

  it('[AW9] at the command line', async () => {
    const dir = await openTempDir('hotline-line-')
    const program = join(dir.path, 'websocat')
    writeFileSync(program, standIn)
    chmodSync(program, 0o755)
    const { stdout } = await run('bash', ['-c', example('bash')], {
      env: { ...process.env, HOTLINE_TOKEN: live.token, PATH: `${dir.path}:${process.env['PATH'] ?? ''}` },
    })
    const messages = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Heard)
    expect(messages.map(({ type }) => type)).toEqual(['connected', 'response'])
    expect(messages[1]).toMatchObject({ request_id: '001', command: 'get_state', data: { status: 'active' } })
    await dir.remove()
  })
})
