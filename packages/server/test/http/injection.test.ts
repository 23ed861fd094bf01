import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { uuidV7 } from '@hotline/client/uuid'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { shellPayloads } from '@hotline/testing/shell-payloads'
import { openRawWebSocket } from '@hotline/testing/raw-websocket'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { heard, say } from '@hotline/testing/raw-conversation'

let live: LiveServer
let dir: TempDir
let canary: string
let runner: HandRunner
let runnerKey: string

beforeAll(async () => {
  const many = '1000000'
  live = await startLiveServer({
    env: { HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: many, HOTLINE_LIMIT_REQUESTS_PER_NETWORK: many },
  })
  dir = await openTempDir('hl-')
  canary = join(dir.path, 'canary')
  runner = await live.startSession()
  runnerKey = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
  const password = 'a long walk over the wet meadow'
  expect((await send('POST', '/api/auth/confirm', { password })).status).toBe(204)
})
afterAll(async () => {
  await live[Symbol.asyncDispose]()
  await dir.remove()
})

interface Answered {
  status: number
  text: string
}

async function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const response = await fetch(new URL(path, live.url), {
    method,
    headers: {
      authorization: `Bearer ${live.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}

const command = (stream: string, type: string, data: unknown): Promise<Answered> =>
  send('POST', '/api/commands', { id: uuidV7(), stream, type, data })
const session = (): string => `session:${uuidV7()}`
const asRunner = (): Record<string, string> => ({ authorization: `Bearer ${runnerKey}` })
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const part = (text: string): string => encodeURIComponent(text)

type Field = [name: string, taken: 'taken' | 'refused' | 'either', send: (text: string) => Promise<Answered>]

/** Every field in which people, runners and agents give text to the server. */
const fields: readonly Field[] = [
  ['the name of a key', 'either', (name) => send('POST', '/api/keys', { kind: 'svc', name: name.slice(0, 100) })],
  ['the projects of a key', 'refused', (id) => send('POST', '/api/keys', { kind: 'pat', name: 'x', projects: [id] })],
  ['the name of an account', 'refused', (name) => send('POST', '/api/accounts', { name, password: 'x'.repeat(20) })],
  ['the id of an account', 'refused', (id) => send('POST', `/api/accounts/${part(id)}/disable`, {})],
  ['the name of a project', 'either', (name) => command(`project:p${uuidV7()}`, 'project.create', { name })],
  ['a member', 'refused', (account) => command('project:default', 'member.add', { account, role: 'viewer' })],
  ['the title of a session', 'either', (title) => command(runner.stream, 'session.rename', { title })],
  ['the folder of a session', 'either', (text) => start({ agent: 'command', cwd: `/${text}`, command: ['x'] })],
  ['a program and its arguments', 'either', (text) => start({ agent: 'command', cwd: '/', command: [text, text] })],
  ['a first message', 'taken', (prompt) => start({ agent: 'demo', prompt })],
  ['the name of an agent', 'refused', (agent) => start({ agent })],
  ['the name of a mode', 'refused', (mode) => start({ agent: 'demo', mode })],
  ['the name of a machine', 'refused', (machine) => start({ agent: 'demo', runner: machine })],
  [
    'a task',
    'either',
    (title) => command(`task:${uuidV7()}`, 'task.create', { project: 'default', title, description: title }),
  ],
  [
    'a message',
    'either',
    (text) => command(runner.stream, 'message.send', { text, metadata: { [text.slice(0, 100)]: text } }),
  ],
  ['a reason', 'either', (reason) => command(runner.stream, 'session.interrupt', { reason })],
  ['a stream', 'refused', (text) => command(`session:${text}`, 'message.send', { text })],
  ['an id in a path', 'refused', (id) => send('GET', `/api/sessions/${part(id)}`)],
  ['a digest in a path', 'refused', (digest) => send('GET', `/api/sessions/${runner.session}/content/${part(digest)}`)],
  ['a position', 'refused', (before) => send('GET', `/api/sessions?before=${part(before)}`)],
  [
    'an Idempotency-Key',
    'either',
    (text) => send('POST', '/api/keys', { kind: 'svc', name: 'x' }, { 'idempotency-key': part(text) }),
  ],
  [
    'a User-Agent',
    'taken',
    (text) => send('GET', '/api/me', undefined, { 'user-agent': text.replaceAll(/[^ -~]/g, '?') }),
  ],
  ['a long input', 'taken', putContent],
  ['what a runner says of itself', 'taken', announce],
  ['what an agent says', 'taken', report],
]

function start(more: object): Promise<Answered> {
  return command(session(), 'session.start', { project: 'default', ...more })
}

function putContent(text: string): Promise<Answered> {
  const path = `/api/sessions/${runner.session}/content/${sha256(text)}`
  return send('PUT', path, { text }, asRunner())
}

function announce(text: string): Promise<Answered> {
  const agents = [{ agent: 'a', name: text.slice(0, 100), description: text, available: true, hint: text }]
  const body = { name: text.slice(0, 100), version: text.slice(0, 50), platform: text.slice(0, 50), agents, holds: [] }
  return send('PUT', '/api/runner', body, asRunner())
}

async function report(text: string): Promise<Answered> {
  await runner.report(
    {
      type: 'step.started',
      data: { step: uuidV7(), kind: 'execute' },
      body: { title: text, input: { [text]: text }, locations: [text] },
    },
    { type: 'output.appended', data: { source: 'stdout', encoding: 'utf8', bytes: text.length }, body: { text } },
    { type: 'plan.updated', data: { entries: 1, done: 0 }, body: { entries: [{ text, status: 'pending' }] } },
    { type: 'session.profile_changed', data: { mode: text, modes: [{ id: text, name: text }], native: text } },
  )
  const { approval } = await runner.ask({
    tool: text,
    title: text,
    input: text,
    cwd: `/${text}`,
    envNames: [text],
    reason: text,
  })
  const digest = '0'.repeat(64)
  const refused = await command(runner.stream, 'approval.decide', { approval, digest, verdict: 'deny', reason: text })
  expect(refused.status).toBe(409)
  return await command(runner.stream, 'approval.decide', {
    approval,
    digest: await digestOf(approval),
    verdict: 'deny',
    reason: text,
  })
}

async function digestOf(approval: string): Promise<string> {
  const { text } = await send('GET', `/api/sessions/${runner.session}`)
  const { state } = JSON.parse(text) as { state: { approvals: { approval: string; digest: string }[] } }
  return state.approvals.find((one) => one.approval === approval)?.digest ?? ''
}

it.each(fields)('[T46] [T47] %s is stored or refused, and read by no shell', async (_name, taken, give) => {
  const payloads = shellPayloads(canary)
  expect(payloads.length).toBeGreaterThan(200)
  for (const text of payloads) {
    const { status, text: answer } = await give(text)
    expect(status < 500 && status !== 429, `${status} for "${text}": ${answer}`).toBe(true)
    if (taken === 'taken') expect(status, `"${text}": ${answer}`).toBeLessThan(300)
    if (taken === 'refused') expect(status, `"${text}": ${answer}`).toBeGreaterThanOrEqual(400)
    expect(existsSync(canary), `"${text}" was carried out`).toBe(false)
  }
})

it('[T46] the name of a client is only a name', async () => {
  const port = Number(new URL(live.url).port)
  for (const text of shellPayloads(canary)) {
    const headers = [['Host', `localhost:${port}`]] as const
    await using socket = await openRawWebSocket({ port, path: '/api/ws', protocols: ['hotline.v1'], headers })
    await say(socket, { t: 'hello', token: live.token, client: text.slice(0, 100) })
    await heard(socket, ({ t }) => t === 'welcome')
    expect(existsSync(canary), `"${text}" was carried out`).toBe(false)
  }
})
