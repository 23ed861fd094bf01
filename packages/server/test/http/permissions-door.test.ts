import { execFile } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PermissionClient } from '@hotline/testing/permission-client'
import { requestUpgrade, type UpgradeOptions } from '@hotline/testing/raw-websocket'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Callers, openCallers, type Who } from './callers.ts'

const root = join(import.meta.dirname, '../../../..')
const exec = promisify(execFile)

let callers: Callers
beforeAll(async () => {
  callers = await openCallers()
})
afterAll(() => callers[Symbol.asyncDispose]())

const by = (name: string): Who => callers.who[name] ?? {}
const tokenOf = (name: string): string => by(name).token ?? ''
const dial = (name: string, way?: ConstructorParameters<typeof PermissionClient>[2]): PermissionClient =>
  new PermissionClient(callers.server.url, tokenOf(name), way)
const run = (command: string) => ({ tool: 'bash', title: command, input: JSON.stringify({ command }) })

async function asking(command: string): Promise<string> {
  const hand = await callers.server.startSession(command)
  const { approval } = await hand.ask(run(command))
  return `${hand.session}/${approval}`
}

async function refusal(path: string, more: Partial<UpgradeOptions> = {}): Promise<{ status: number; code: string }> {
  const { headers = [['Authorization', `Bearer ${callers.server.token}`]], ...rest } = more
  const outcome = await requestUpgrade({
    port: callers.port,
    path,
    headers: [['Host', `localhost:${callers.port}`], ...headers],
    ...rest,
  })
  if (outcome.kind === 'open') {
    await outcome.socket[Symbol.asyncDispose]()
    return { status: 101, code: '' }
  }
  return {
    status: outcome.response.status,
    ...(JSON.parse(outcome.response.body.toString('utf8')) as { code: string }),
  }
}

describe('who comes in to permissions.v1', () => {
  it('[PV8] a header or the first message says who it is; what else is offered is refused', async () => {
    const id = await asking('npm run door')
    for (const path of ['/ws/permissions', '/ws', '/']) {
      expect([path, await refusal(path)]).toMatchObject([path, { status: 101 }])
      expect(await refusal(path, { protocols: ['hotline.v1', 'permissions.v1'] })).toMatchObject({ status: 101 })
      expect(await refusal(path, { protocols: ['hotline.v1'] })).toMatchObject({
        status: 426,
        code: 'version_not_spoken',
      })
    }
    expect(await refusal('/ws/permissions/x')).toMatchObject({ status: 404 })
    expect(await refusal('/ws/permissions', { headers: [['Authorization', 'Bearer hl_pat_x']] })).toMatchObject({
      status: 401,
    })
    const foreign: Partial<UpgradeOptions> = {
      headers: [
        ['Authorization', `Bearer ${callers.server.token}`],
        ['Origin', 'http://evil.example'],
      ],
    }
    expect(await refusal('/', foreign)).toMatchObject({ status: 403, code: 'origin_refused' })
    expect((await callers.call('GET', '/ws/permissions', by('owner by token'))).body).toMatchObject({
      code: 'invalid_request',
    })
    // Neither in the address nor by a cookie alone.
    for (const way of [
      { path: `/ws/permissions?token=${callers.server.token}` },
      { headers: { cookie: by('owner in a browser').cookie ?? '', origin: callers.server.url } },
    ]) {
      await using nobody = new PermissionClient(callers.server.url, '', way)
      await nobody.greet({ type: 'ping' })
      expect(await nobody.end()).toMatchObject({ code: 4401 })
      expect(nobody.of('permission-request')).toEqual([])
    }
    const { ticket } = (await callers.call('POST', '/api/auth/ticket', by('owner in a browser'))).body as {
      ticket: string
    }
    await using page = new PermissionClient(callers.server.url, '', { headers: { origin: callers.server.url } })
    await page.greet({ type: 'hello', ticket })
    await page.about('permission-request', id)
    await using runner = dial('runner')
    expect(await runner.end()).toMatchObject({ code: 4403 })
  })

  it('[PV8] [PV3] each is told and may do what the role says', async () => {
    const id = await asking('rm -rf everything')
    await using stranger = dial('stranger by token')
    expect(await stranger.ready()).toMatchObject({ pending: 0 })
    for (const [name, code] of [
      ['viewer by token', 'forbidden'],
      ['operator by token', 'forbidden'],
      ['approver by token', 'forbidden'],
      ['service of admin', 'forbidden'],
    ] as const) {
      await using client = dial(name)
      await client.about('permission-request', id)
      client.respond(id, 'allow', { confirm: 'rm' })
      expect([name, await client.about('error', id)]).toMatchObject([name, { error: { code } }])
    }
    stranger.respond(id, 'deny')
    expect(await stranger.about('error', id)).toMatchObject({ error: { code: 'not_found' } })
    // What is asked in one's projects is shown whoever else is here, and nothing of others.
    expect(stranger.of('permission-request')).toEqual([])
    await using approver = dial('approver by token')
    await approver.about('permission-request', id)
    approver.respond(id, 'deny')
    expect(await approver.about('permission-resolved', id)).toMatchObject({ by: { name: 'approver' } })
  })

  it('[PV8] who becomes a member is told what is open there, and loses it with the membership', async () => {
    const id = await asking('npm run members')
    await using pawn = dial('stranger by token')
    await pawn.ready()
    const account = callers.accounts['stranger'] ?? ''
    const strangers = (await callers.call('GET', '/api/me', by('stranger in a browser'))).body as { id: string }
    const who = account === '' ? strangers.id : account
    await callers.command(callers.owner, 'project:default', 'member.add', { account: who, role: 'approver' })
    await pawn.about('permission-request', id)
    await callers.command(callers.owner, 'project:default', 'member.remove', { account: who })
    expect(await pawn.about('permission-cancelled', id)).toMatchObject({ reason: 'not_yours' })
    await pawn.next(({ type, pending, seq }) => type === 'permission-queue-status' && pending === 0 && seq > 2)
    pawn.respond(id, 'deny')
    expect(await pawn.about('error', id)).toMatchObject({ error: { code: 'not_found' } })
  })
})

describe('what cannot be read', () => {
  const broken: readonly string[] = [
    '',
    '{',
    '{"type":"permission-response"',
    '"text"',
    'null',
    '[]',
    '42',
    '{}',
    '{"type":"explode"}',
    '{"type":null}',
    '{"type":["permission-response"]}',
    '{"type":"permission-response"}',
    '{"type":"permission-response","requestId":"x","decision":"maybe"}',
    '{"type":"permission-response","requestId":"","decision":"allow"}',
    '{"type":"permission-response","requestId":7,"decision":"allow"}',
    '{"type":"permission-response","requestId":"x","decision":"allow","admin":true}',
    '{"type":"permission-response","requestId":"x","requestId":"y","decision":"allow"}',
    '{"type":"permission-response","requestId":"x","decision":"allow","__proto__":{}}',
    '{"type":"permission-response","requestId":"x","decision":"allow","digest":"short"}',
    '{"type":"permission-response","requestId":"x","decision":"allow","responseId":"../x"}',
    '{"type":"permission-response","requestId":"x","decision":"allow","updatedInput":[1]}',
    '{"type":"permission-response","requestId":"x","decision":"allow","scope":"world"}',
    `{"type":"permission-response","requestId":"x","decision":"allow","reason":"${'x'.repeat(2_001)}"}`,
    '{"type":"permission-response","requestId":"\\ud800","decision":"allow"}',
    `${'['.repeat(500)}${']'.repeat(500)}`,
    '{"type":"permission-ack"}',
    '{"type":"permission-ack","seq":-1}',
    '{"type":"permission-ack","seq":1.5}',
    '{"type":"permission-ack","seq":9007199254740993}',
    '{"type":"permission-ack","seq":1000000}',
    '{"type":"hello","token":"x"}',
    '{"type":"permission-request","id":"x"}',
  ]

  it('[PV6] each is answered, and the connection and all others go on', async () => {
    await using other = dial('owner by token')
    await using client = dial('owner by token')
    await Promise.all([client.ready(), other.ready()])
    for (const text of broken) client.say(text)
    await waitFor(() => client.of('error').length === broken.length, { what: 'an answer to each' })
    expect(client.of('error')[15]).toMatchObject({ requestId: 'x', error: { code: 'invalid_frame' } })
    const id = await asking('npm run after')
    for (const one of [client, other]) await one.about('permission-request', id)
    client.respond(id, 'deny')
    await other.about('permission-resolved', id)
    expect(other.of('error')).toEqual([])
    client.socket.send(Buffer.from([1]), { binary: true })
    expect(await client.end()).toMatchObject({ code: 1003 })
  })

  it('[PV6] of a burst each message is answered, others are served, and who does not stop loses the connection', async () => {
    await using other = dial('owner by token')
    await using client = dial('owner by token')
    await Promise.all([client.ready(), other.ready()])
    for (let at = 0; at < 600; at += 1) client.respond(`s/${at}`, 'deny')
    other.say({ type: 'ping' })
    await other.next(({ type }) => type === 'pong')
    await waitFor(() => client.of('error').length === 600, { what: 'as many answers' })
    const codes = client.of('error').map(({ error }) => (error as { code: string }).code)
    expect(new Set(codes)).toEqual(new Set(['not_found', 'rate_limited']))
    expect(codes.filter((code) => code === 'not_found').length).toBeGreaterThanOrEqual(200)
    expect(new Set(client.of('error').map(({ requestId }) => requestId)).size).toBe(600)
    for (let at = 0; at < 3_000 && client.closed === undefined; at += 1) client.say('{')
    expect(await client.end()).toMatchObject({ code: 4429 })
    expect(other.closed).toBeUndefined()
  })
})

/** Of `wscat` what the example needs: lines in, messages out, headers, until both an answer came and the input ended. */
const standIn = `#!/usr/bin/env node
const { WebSocket } = require(${JSON.stringify(join(root, 'node_modules/ws'))})
const given = process.argv.slice(2)
const [name, value] = given[given.indexOf('-H') + 1].split(': ')
const ws = new WebSocket(given[given.indexOf('-c') + 1], { headers: { [name]: value } })
ws.on('message', (data) => {
  console.log(String(data))
  if (JSON.parse(data).type === 'error') ws.close()
})
ws.on('open', async () => {
  let text = ''
  for await (const piece of process.stdin) text += piece
  for (const line of text.split('\\n').filter((one) => one !== '')) ws.send(line)
})
`

describe('the examples of docs/permissions.md', () => {
  const text = readFileSync(join(root, 'docs/permissions.md'), 'utf8')
  const example = (language: string): string => {
    const found = [...text.matchAll(/```(\w+)\n([^]*?)```/g)].find(([, of]) => of === language)?.[2] ?? ''
    expect(found).not.toBe('')
    return found.replaceAll('localhost:4680', new URL(callers.server.url).host)
  }
  const env = (more = {}): NodeJS.ProcessEnv => ({ ...process.env, HOTLINE_TOKEN: callers.server.token, ...more })

  it('[PV9] at the command line', async () => {
    const dir = await openTempDir('hotline-wscat-')
    const program = join(dir.path, 'wscat')
    writeFileSync(program, standIn)
    chmodSync(program, 0o755)
    writeFileSync(join(dir.path, 'line'), example('json'))
    const command = `${example('bash').trim()} < ${join(dir.path, 'line')}`
    const { stdout } = await exec('bash', ['-c', command], {
      env: env({ PATH: `${dir.path}:${process.env['PATH'] ?? ''}` }),
    })
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as object
    expect(last).toMatchObject({ type: 'error', requestId: 'test-123', error: { code: 'not_found' } })
    await dir.remove()
  })

  it('[PV9] in JavaScript: what only looks is allowed, whatever else is asked waits', async () => {
    const tame = await asking('ls')
    const other = await asking('npm run example')
    const program = `${example('javascript')}
      ws.on('message', (data) => { if (JSON.parse(data).type === 'permission-resolved') ws.close() })`
    const { stdout } = await exec(process.execPath, ['--input-type=module', '-e', program], { env: env(), cwd: root })
    expect(stdout).toContain("bash wants to run { command: 'ls' }")
    expect(stdout).toContain(`${tame}: allow, by dana`)
    expect(stdout).toContain("bash wants to run { command: 'npm run example' }")
    await using client = dial('owner by token')
    await client.about('permission-request', other)
  })
})
