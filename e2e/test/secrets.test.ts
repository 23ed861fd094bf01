import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { openApprovals } from '@hotline/core/session/state'
import { openRawWebSocket } from '@hotline/testing/raw-websocket'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { opcodes } from '@hotline/testing/websocket-frame'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Hotline, owner, startHotline } from '../src/hotline.ts'

/** Files whose only content is a secret; everything else that is written must hold none. */
const secretFiles = ['cli-token', 'runner-key', 'bootstrap-code', 'signing-keys']

const agentSecrets = {
  ANTHROPIC_API_KEY: 'sk-ant-0123456789-abcdef-secret',
  OPENAI_API_KEY: 'sk-oai-9876543210-secret',
}

let dir: TempDir
let hotline: Hotline
/** Every secret of the run, by what it is. */
const secrets = new Map<string, string>()
/** What the server answered and said, without the one place where it hands a secret out. */
const said: string[] = []

function keep(what: string, secret: string | undefined): string {
  if (secret === undefined || secret.length < 12) throw new Error(`no ${what}`)
  secrets.set(what, secret)
  return secret
}

interface Call {
  cookie?: string
  token?: string
  body?: unknown
  raw?: string
  headers?: Record<string, string>
}

/** A request; its answer is kept, but for the member that `handsOut`. */
async function call(
  method: string,
  path: string,
  { cookie, token, body, raw, headers }: Call = {},
  handsOut?: 'token' | 'ticket' | 'link' | 'deviceCode',
): Promise<{ status: number; secret: string | undefined; cookie: string | undefined }> {
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(new URL(path, hotline.url), {
    method,
    redirect: 'manual',
    headers: {
      origin: hotline.url,
      ...(cookie === undefined ? {} : { cookie }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(content === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(content === undefined ? {} : { body: content }),
  })
  let text = await response.text()
  let secret: string | undefined
  if (handsOut) {
    const { [handsOut]: found, ...rest } = JSON.parse(text) as Record<string, unknown>
    secret = typeof found === 'string' ? found : undefined
    text = JSON.stringify(rest)
  }
  const kept = [...response.headers].filter(([name]) => name !== 'set-cookie')
  said.push(JSON.stringify([response.status, kept, text]))
  return { status: response.status, secret, cookie: response.headers.getSetCookie()[0]?.split(';', 1)[0] }
}

/** Says a frame first on a socket and keeps what comes back until it ends or has said something. */
async function sayOnSocket(frame: object, headers: readonly (readonly [string, string])[] = []): Promise<void> {
  const { host, port } = new URL(hotline.url)
  await using socket = await openRawWebSocket({
    port: Number(port),
    path: '/api/ws',
    protocols: ['hotline.v1'],
    headers: [['Host', host], ...headers],
  })
  await socket.send({ opcode: opcodes.text, payload: JSON.stringify(frame) })
  said.push((await socket.nextFrame()).payload.toString('utf8'))
}

/** An agent of a name that there is, found before any real one, that says its secrets wherever it can. */
function plantAgent(name: string, lines: string[]): void {
  const file = join(dir.path, 'bin', name)
  writeFileSync(file, ['#!/bin/sh', ...lines, ''].join('\n'))
  chmodSync(file, 0o755)
}

beforeAll(async () => {
  dir = await openTempDir('hotline-secrets-')
  mkdirSync(join(dir.path, 'bin'))
  const demo = join(import.meta.dirname, '../../packages/demo-agent/bin/demo-agent.js')
  plantAgent('opencode', ['echo "I start with $ANTHROPIC_API_KEY" >&2', `exec "${process.execPath}" "${demo}"`])
  plantAgent('codex-acp', ['echo "cannot start with $OPENAI_API_KEY" >&2', 'exit 3'])
  for (const [name, value] of Object.entries(agentSecrets)) keep(name, value)
  hotline = await startHotline({
    bootstrap: false,
    env: { ...agentSecrets, PATH: `${dir.path}/bin:${process.env['PATH'] ?? ''}`, HOTLINE_DEBUG: '*' },
  })
})
afterAll(async () => {
  await hotline[Symbol.asyncDispose]()
  await dir.remove()
})

describe('every secret of a run', () => {
  it('[T07] is used at its door, and tried at every other one', async () => {
    const code = keep('bootstrap code', decodeURIComponent(hotline.bootstrapLink.split('#bootstrap=')[1] ?? ''))
    keep('password', owner.password)
    const first = await call('POST', '/api/auth/bootstrap', { body: { code, ...owner } })
    expect(first.status).toBe(200)
    keep('session', first.cookie?.split('=')[1])
    keep('token of this machine', await waitFor(() => secretIn('cli-token'), { what: 'a token' }))
    keep('key of the runner', secretIn('runner-key'))
    const second = await call('POST', '/api/auth/sign-in', { body: owner })
    const cookie = second.cookie ?? ''
    keep('second session', cookie.split('=')[1])
    for (const kind of ['pat', 'svc', 'run']) {
      const made = await call('POST', '/api/keys', { cookie, body: { kind, name: kind } }, 'token')
      keep(`key ${kind}`, made.secret)
    }
    const signed = await call('POST', '/api/auth/token', { token: secrets.get('key svc') ?? '' }, 'token')
    keep('signed token of a service', signed.secret)
    const signing = JSON.parse(secretIn('signing-keys') ?? '{}') as { keys?: { seed: string }[] }
    keep('key that signs', signing.keys?.[0]?.seed)
    keep('code of a program', (await call('POST', '/api/auth/device', { body: { machine: 'x' } }, 'deviceCode')).secret)
    const invite = { name: 'kim', project: 'default' }
    const invited = await call('POST', '/api/invitations', { cookie, body: invite }, 'link')
    keep('invitation', invited.secret?.split('#invite=')[1])
    const member = { name: 'erin', password: keep('password of another', 'a kettle under the blue bridge') }
    expect((await call('POST', '/api/accounts', { cookie, body: member })).status).toBe(201)
    keep('session of another', (await call('POST', '/api/auth/sign-in', { body: member })).cookie?.split('=')[1])
    keep('unused ticket', (await call('POST', '/api/auth/ticket', { cookie }, 'ticket')).secret)
    const ticket = keep('used ticket', (await call('POST', '/api/auth/ticket', { cookie }, 'ticket')).secret)
    await sayOnSocket({ t: 'hello', ticket }, [['Origin', hotline.url]])
    const next = keep('next password', 'seven grey herons over the weir')
    const changed = await call('POST', '/api/auth/password', {
      cookie,
      body: { current: owner.password, next },
    })
    const session = keep('session after the new password', changed.cookie?.split('=')[1])

    for (const secret of secrets.values()) {
      const text = encodeURIComponent(secret)
      for (const path of [
        `/?token=${text}`,
        `/${text}`,
        `/api/me?token=${text}`,
        `/api/${text}`,
        `/api/keys/${text}`,
        `/api/sessions/${text}/events?after=${text}`,
        `/api/sessions?before=${text}`,
        `/api/ws?token=${text}`,
        `/assets/${text}.js`,
      ]) {
        await call('GET', path)
        await call('GET', path, { cookie: `hotline-local=${session}` })
      }
      for (const raw of [
        `{"name":"x","password":"${secret}"`,
        `{"name":"${secret}","password":"${secret}"}`,
        `{"name":5,"password":["${secret}"]}`,
        `{"code":"${secret}","name":"a","password":"b"}`,
        `"${secret}"`,
        secret,
      ]) {
        await call('POST', '/api/auth/sign-in', { raw, headers: { 'x-forwarded-for': secret } })
        await call('POST', '/api/auth/bootstrap', { raw })
        await call('POST', '/api/commands', { raw, cookie: `hotline-local=${session}` })
      }
      const basic = Buffer.from(`x:${secret}`).toString('base64')
      await call('GET', '/api/me', {
        headers: { authorization: `Basic ${basic}`, 'x-api-key': text, 'user-agent': text },
      })
      await call('GET', '/api/me', { token: text })
      await call('GET', '/api/me', { cookie: `hotline-local=${text}` })
      await call('GET', '/api/me', { headers: { origin: `http://${text.toLowerCase()}.example` } })
      await sayOnSocket({ t: 'hello', token: `${secret}x` })
      await sayOnSocket({ t: 'hello', ticket: `x${secret}` })
      await sayOnSocket({ t: secret })
    }
    await call('GET', '/metrics', { cookie: `hotline-local=${session}` })
    await call('GET', '/api/keys', { cookie: `hotline-local=${session}` })
    await call('GET', '/api/people', { cookie: `hotline-local=${session}` })
    expect(secrets.size).toBeGreaterThanOrEqual(15)
  })

  it('[T07] [R20] is said by an agent, in its work and in its last words', async () => {
    const { api } = hotline
    const session = await api.start(
      'opencode',
      scriptPrompt([
        { do: 'run', argv: ['sh', '-c', 'echo "my keys: $ANTHROPIC_API_KEY, $OPENAI_API_KEY"; env'] },
        { do: 'ask', title: 'Go', kind: 'execute', input: { command: 'x' } },
      ]),
      { cwd: dir.path },
    )
    const asking = await api.until(session, 'a question', (state) => openApprovals(state).length === 1)
    const [open] = openApprovals(asking)
    const { approval = '', digest = '' } = open ?? {}
    await api.command(`session:${session}`, 'approval.decide', { approval, digest, verdict: 'deny' })
    await api.until(session, 'the end', ({ turn, counts }) => counts.turns === 1 && !turn)
    const events = JSON.stringify(await api.events(session))
    // It did say them.
    expect(events).toContain('my keys: [redacted:ANTHROPIC_API_KEY], [redacted:OPENAI_API_KEY]')
    expect(events).toContain('I start with [redacted:ANTHROPIC_API_KEY]')
    said.push(events)
    const broken = await api.start('codex-acp', '', { cwd: dir.path })
    await api.until(broken, 'the failed start', ({ status }) => status === 'failed')
    const failed = JSON.stringify(await api.events(broken))
    expect(failed).toContain('cannot start with [redacted:OPENAI_API_KEY]')
    said.push(failed)
  })

  it('[T07] is in no answer, no log at any level, no file but its own and no command line', async () => {
    const commandLines = ['server', 'runner'].map((part) => {
      const pid = hotline.pidOf(part === 'server' ? 'server' : 'runner') ?? 0
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    })
    await hotline.interrupt()
    // The one line that is meant to hold one: the link for whoever has started a fresh server.
    const printed = hotline.printed.replaceAll(hotline.bootstrapLink, '')
    expect(printed).toContain('"level":"debug"')
    expect(printed).toContain('"area":"http"')
    expect(printed).toContain('"area":"link"')
    const files = filesIn(hotline.dataDir)
    expect(files.map(({ path }) => path)).toContain('hotline.db')
    const places: [where: string, text: string][] = [
      ['what was printed', printed],
      ['what was answered', said.join('\n')],
      ['a command line', commandLines.join('\n')],
      ...files.map(({ path, text }): [string, string] => [`the file ${path}`, text]),
    ]
    expect(said.length).toBeGreaterThan(500)
    const found: string[] = []
    for (const [what, secret] of secrets) {
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
        for (const [where, text] of places) if (text.includes(form)) found.push(`${what} in ${where}`)
      }
    }
    expect([...new Set(found)]).toEqual([])
    expect(printed).not.toMatch(/hl_[a-z]{3}_[A-Za-z0-9-]+_/)
  })
})

function secretIn(file: string): string {
  return readFileSync(join(hotline.dataDir, file), 'utf8').trim()
}

/** Everything that lies in a folder but the files of secrets, as bytes that can be searched. */
function filesIn(folder: string): { path: string; text: string }[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !secretFiles.includes(path) && statSync(join(folder, path)).isFile())
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'latin1') }))
}
