import { createHmac } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import type { WebhookDeliveries, WebhookPage, WebhookSecret, WebhookTried } from '@hotline/protocol/webhooks'
import { handClock } from '@hotline/testing/hand-clock'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { type NameServer, startNameServer } from '@hotline/testing/name-server'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HookKeys } from '../../src/channels/hooks/hook-keys.ts'
import { systemClock } from '../../src/machine/clock.ts'
import { isOutside, outsideLookup, targetRefusal } from '../../src/machine/outside-address.ts'
import { postOutside } from '../../src/machine/post-outside.ts'

interface Came {
  path: string
  headers: IncomingHttpHeaders
  text: string
  body: {
    type: string
    timestamp: string
    data: { project: string; task?: string; event?: { type: string; seq: number } }
  }
}

const came: Came[] = []
/** What it answers; 204 where it is undefined. */
let answer: { status: number; headers?: Record<string, string>; body?: string } | undefined
const receiver = createServer((request, response) => {
  void buffer(request).then((bytes) => {
    const text = bytes.toString('utf8')
    came.push({ path: request.url ?? '', headers: request.headers, text, body: JSON.parse(text) as Came['body'] })
    response.writeHead(answer?.status ?? 204, answer?.headers).end(answer?.body)
  })
})
let live: LiveServer
let target = ''
const hooks = '/api/projects/default/webhooks'

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  target = `127.0.0.1:${(receiver.address() as AddressInfo).port}`
  live = await startLiveServer({ env: { HOTLINE_WEBHOOK_TARGETS: target } })
})
afterAll(async () => {
  await live[Symbol.asyncDispose]()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})
beforeEach(async () => {
  for (const { webhook } of (await ask<WebhookPage>('GET', hooks)).webhooks) await ask('DELETE', `${hooks}/${webhook}`)
  came.length = 0
  answer = undefined
})

async function ask<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<T> {
  const outcome = await httpRequest<T>(live.url, { kind: 'token', token: live.token }, method, path, body)
  if (!outcome.ok) throw new Error(`${outcome.problem.code}: ${outcome.problem.detail}`)
  return outcome.value
}

/** Said again before each, since it is forgotten over a restart. */
const confirm = (): Promise<void> => ask('POST', '/api/auth/confirm', { password: 'a long walk over the wet meadow' })

const add = async (events = ['task.*']): Promise<WebhookSecret> => {
  await confirm()
  return ask('POST', hooks, { url: `http://${target}/in`, events, description: 'for the board' })
}

async function card(title = 'A card'): Promise<string> {
  const task = uuidV7()
  const data = { project: 'default', title }
  await ask('POST', '/api/commands', { id: uuidV7(), stream: `task:${task}`, type: 'task.create', data })
  return task
}

function signature(secret: string, { headers, text }: Came): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${text}`
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
}

const arrived = (type: string): Came[] => came.filter(({ body }) => body.type === type)
const first = (type: string): Promise<Came> => waitFor(() => arrived(type)[0], { what: type })

describe('a webhook of a project', () => {
  it('[WH1] is posted what it wants and what came after it was added, signed with its secret, and nothing else', async () => {
    await card('Before')
    const { webhook, secret } = await add()
    const task = await card('After')
    const one = await first('task.created')
    expect(one.headers['webhook-signature']).toBe(signature(secret, one))
    expect(one.headers['webhook-id']).toBe(`${webhook}.task:${task}.1`)
    expect(one.body.data).toMatchObject({ project: 'default', task, event: { type: 'task.created', seq: 1 } })
    await add(['approval.requested'])
    const second = await card('And another')
    await waitFor(() => arrived('task.created').length === 2, { what: 'the second card' })
    expect(arrived('task.created').map(({ body }) => body.data.task)).toEqual([task, second])
    expect(came.every(({ body }) => body.type.startsWith('task.'))).toBe(true)
  })

  it('[WH2] takes the password, for it sends what is said elsewhere', async () => {
    const { webhook } = await add()
    await live.restart()
    const body = { url: `http://${target}/in`, events: ['task.*'] }
    await expect(ask('POST', hooks, body)).rejects.toThrow('password_needed')
    await expect(ask('PUT', `${hooks}/${webhook}`, { url: body.url })).rejects.toThrow('password_needed')
    await expect(ask('POST', `${hooks}/${webhook}/rotate`)).rejects.toThrow('password_needed')
  })

  it('[WH2] shows its secret once, and neither the list nor the log has it', async () => {
    const { secret } = await add()
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    const log = await ask<object>('GET', '/api/audit?project=default')
    const texts = JSON.stringify([await ask<object>('GET', hooks), log])
    expect(texts).toContain('for the board')
    expect(texts).not.toContain(secret)
  })

  it('[WH4] a webhook of another project under the same id hears nothing of this one, and takes nothing from it', async () => {
    const { webhook } = await add()
    answer = { status: 500 }
    await card('Held up')
    const listed = (project: string): Promise<WebhookDeliveries> =>
      ask('GET', `/api/projects/${project}/webhooks/${webhook}/deliveries`)
    await waitFor(async () => (await listed('default')).deliveries.length === 1, { what: 'the failure' })
    const project = `other-${uuidV7()}`
    const send = (type: string, data: object): Promise<object> =>
      ask('POST', '/api/commands', { id: uuidV7(), stream: `project:${project}`, type, data })
    await send('project.create', { name: 'Other' })
    await send('webhook.add', { webhook, url: `http://${target}/theirs`, events: ['task.*', 'project.*'] })
    came.length = 0
    answer = undefined
    await send('project.rename', { name: 'Another' })
    await first('project.renamed')
    expect(came.filter(({ body }) => body.data.project === project).map(({ body }) => body.type)).toEqual([
      'project.renamed',
    ])
    expect((await listed(project)).deliveries).toEqual([])
    const task = await card('After it')
    await waitFor(() => came.some(({ body }) => body.data.task === task), { what: 'what its own project did' })
    const ours = came.filter(({ body }) => body.data.project === 'default')
    expect(ours.every(({ path }) => path === '/in')).toBe(true)
    await ask('DELETE', `/api/projects/${project}/webhooks/${webhook}`)
  })

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    '[WH2] %s is the id of none that nobody added',
    async (id) => {
      await confirm()
      await expect(ask('PUT', `${hooks}/${id}`, { url: `http://${target}/in`, enabled: true })).rejects.toThrow(
        'not_found',
      )
      await expect(ask('POST', `${hooks}/${id}/rotate`)).rejects.toThrow('not_found')
      await expect(ask('DELETE', `${hooks}/${id}`)).rejects.toThrow('not_found')
      expect((await ask<WebhookPage>('GET', hooks)).webhooks).toEqual([])
    },
  )

  it('[WH4] what came while it was off, in a stream that was new then, is posted once it is on again', async () => {
    const { webhook } = await add()
    await confirm()
    await ask('PUT', `${hooks}/${webhook}`, { enabled: false })
    const task = await card('While it was off')
    await ask('PUT', `${hooks}/${webhook}`, { enabled: true })
    await waitFor(() => came.some(({ body }) => body.data.task === task), { what: 'what came meanwhile' })
  })

  it('[WH3] gets a new secret beside the one before, which counts for another day', async () => {
    const { webhook, secret } = await add()
    const made = await ask<WebhookSecret>('POST', `${hooks}/${webhook}/rotate`)
    expect(made.secret).not.toBe(secret)
    await card()
    const one = await first('task.created')
    expect(one.headers['webhook-signature']).toBe(`${signature(made.secret, one)} ${signature(secret, one)}`)
    const keys = new HookKeys({ derive: (of) => Buffer.from(of) })
    const rotatedAt = '2026-01-01T00:00:00.000Z'
    const held = {
      project: 'p',
      webhook: 'w',
      url: '',
      events: [],
      description: '',
      enabled: true,
      addedAt: rotatedAt,
      generation: 2,
      rotatedAt,
    }
    const after = (hours: number): number => Date.parse(rotatedAt) + hours * 3_600_000
    expect(keys.secrets(held, after(23))).toHaveLength(2)
    expect(keys.secrets(held, after(24))).toEqual([keys.secret(held)])
    expect(keys.secret({ ...held, addedAt: '2026-01-02T00:00:00.000Z' })).not.toBe(keys.secret(held))
  })

  it('[WH4] what fails waits with what comes after it in its stream, visible, and other streams go on; it arrives after a restart', async () => {
    const { webhook } = await add()
    answer = { status: 500 }
    const task = await card('Held up')
    const failing = await waitFor(
      async () => (await ask<WebhookDeliveries>('GET', `${hooks}/${webhook}/deliveries`)).deliveries[0],
      { what: 'the failure' },
    )
    expect(failing).toMatchObject({
      state: 'waiting',
      tries: 1,
      why: 'it answered 500',
      stream: `task:${task}`,
      seq: 1,
    })
    answer = undefined
    const move = { id: uuidV7(), stream: `task:${task}`, type: 'task.change', data: { title: 'Later' } }
    await ask('POST', '/api/commands', move)
    const other = await card('On its way')
    await waitFor(() => came.some(({ body }) => body.data.task === other), { what: 'the other stream' })
    expect(arrived('task.changed')).toEqual([])
    await live.restart()
    await waitFor(() => arrived('task.changed').length === 1, { what: 'what waited' })
    const held = came.filter(({ body }) => body.data.task === task).map(({ headers }) => headers['webhook-id'])
    expect(held).toEqual([1, 1, 2].map((seq) => `${webhook}.task:${task}.${seq}`))
  })

  it('[WH5] 410 turns it off; what was given up is listed and posted again on demand', async () => {
    const { webhook } = await add()
    answer = { status: 410, body: 'do not tell anybody' }
    await card()
    await waitFor(async () => !(await ask<WebhookPage>('GET', hooks)).webhooks[0]?.enabled, { what: 'it to be off' })
    const { deliveries } = await ask<WebhookDeliveries>('GET', `${hooks}/${webhook}/deliveries?state=dead`)
    expect(deliveries).toMatchObject([{ state: 'dead', tries: 1, why: 'it answered 410' }])
    answer = undefined
    const replay = `${hooks}/${webhook}/deliveries/${deliveries[0]?.id}/replay`
    expect(await ask<WebhookTried>('POST', replay)).toEqual({ taken: true })
    expect(came.at(-1)?.headers['webhook-id']).toBe(deliveries[0]?.id)
    expect(await ask<WebhookDeliveries>('GET', `${hooks}/${webhook}/deliveries`)).toEqual({ deliveries: [] })
    await expect(ask('POST', replay)).rejects.toThrow('not_found')
  })

  it('[WH6] is tried with a test, which says whether it was taken and nothing of the answer', async () => {
    const { webhook } = await add()
    expect(await ask<WebhookTried>('POST', `${hooks}/${webhook}/test`)).toEqual({ taken: true })
    answer = { status: 302, headers: { location: 'http://169.254.169.254/' }, body: 'a secret of the receiver' }
    expect(await ask<WebhookTried>('POST', `${hooks}/${webhook}/test`)).toEqual({
      taken: false,
      why: 'it answered 302, and redirects are not followed',
    })
    expect(arrived('webhook.test')).toHaveLength(2)
  })

  it('[WH7] leads to no address of this network that the operator did not allow, and says no more', async () => {
    for (const url of ['http://127.0.0.1:1/x', 'https://10.0.0.1/', 'file:///etc/passwd', 'https://localhost/'])
      await expect(ask('POST', hooks, { url, events: ['task.*'] })).rejects.toThrow('invalid_request')
    await expect(ask('POST', hooks, { url: `http://${target}`, events: ['*'] })).rejects.toThrow('invalid_request')
    await expect(ask('POST', hooks, { url: `http://${target}`, events: ['task.*'], x: 1 })).rejects.toThrow('invalid')
  })
})

/** Looks names up at that server. */
function lookingAt(server: NameServer) {
  const lookup = outsideLookup(() => {
    const resolver = new Resolver({ timeout: 200, tries: 2 })
    resolver.setServers([server.address])
    return resolver
  })
  const look = (name: string): Promise<unknown> =>
    new Promise((resolve) => {
      lookup(name, { all: true }, (error, found) => resolve({ code: error?.code, found }))
    })
  return { names: server.names, look }
}

describe('the guard of what is posted', () => {
  it.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://0x7f000001/',
    'https://2130706433/',
    'https://017700000001/',
    'https://１２７.０.０.１/',
    'https://[::1]/',
    'https://[::ffff:7f00:1]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[2001:0:7f00:1::]/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://0.0.0.0/',
    'https://169.254.169.254/latest',
    'https://100.64.0.1/',
    'https://224.0.0.1/',
    'https://localhost./',
    'https://metadata.google.internal/',
    'https://intranet/',
    'https://example.org:8443/',
    'http://example.org/',
    'https://dana:x@example.org/',
    'gopher://example.org/',
    'example.org',
  ])('[WH8] refuses %s and does not give it back', async (url) => {
    const why = targetRefusal(url, [])
    expect(why).toMatch(/^[A-Z].*\.$/)
    expect(why).not.toContain(URL.parse(url)?.hostname || url)
    const at = { clock: systemClock, signal: new AbortController().signal, targets: [] }
    expect(await postOutside({ url, secrets: [], id: 'x', body: '{}' }, at)).toEqual({ failed: 'for now', why })
  })

  it('[WH8] lets through what is outside, and what the operator allows at that very port', () => {
    for (const url of ['https://example.org/in?x=1', 'https://93.184.215.14/', 'https://[2606:4700::1]/'])
      expect(targetRefusal(url, [])).toBe(undefined)
    expect(targetRefusal('http://127.0.0.1:8080/', ['127.0.0.1:8080'])).toBe(undefined)
    expect(targetRefusal('http://127.0.0.1:8081/', ['127.0.0.1:8080'])).not.toBe(undefined)
    expect(isOutside('8.8.8.8')).toBe(true)
  })

  it('[WH9] a name that leads inside connects to nothing, whatever it said before', async () => {
    await using server = await startNameServer()
    const { names, look } = lookingAt(server)
    names.set('outside.example', ['93.184.215.14', '1.1.1.1'])
    const both = ['93.184.215.14', '1.1.1.1'].map((address) => ({ address, family: 4 }))
    expect(await look('outside.example')).toEqual({ code: undefined, found: both })
    for (const inside of [['127.0.0.1'], ['93.184.215.14', '10.0.0.1'], ['169.254.169.254']]) {
      names.set('outside.example', inside)
      expect(await look('outside.example')).toEqual({ code: 'EINSIDE', found: [] })
    }
    names.set('nowhere.example', [])
    expect(await look('nowhere.example')).toEqual({ code: 'ENOTFOUND', found: [] })
  })

  it('[WH12] names for which nobody answers hold nobody else up', async () => {
    await using server = await startNameServer()
    const { names, look } = lookingAt(server)
    names.set('outside.example', ['93.184.215.14'])
    const silent = Array.from({ length: 20 }, (_, at) => look(`silent-${at}.example`))
    const order: string[] = []
    for (const one of silent) void one.then(() => order.push('silent'))
    for (let at = 0; at < 5; at += 1) await look('outside.example').then(() => order.push('answered'))
    expect(order).toEqual(Array.from({ length: 5 }, () => 'answered'))
    expect(await Promise.all(silent)).toEqual(silent.map(() => ({ code: 'ENOTFOUND', found: [] })))
  })

  it('[WH10] reads little of an answer and waits ten seconds for it', async () => {
    const at = { clock: systemClock, signal: new AbortController().signal, targets: [target] }
    const post = { url: `http://${target}/`, secrets: [], id: 'x', body: '{}' }
    answer = { status: 200, body: 'x'.repeat(5_000_000) }
    expect(await postOutside(post, at)).toBe('taken')
    const silent = createServer(() => clock.advance(10_000))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const clock = handClock()
    const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`
    const waiting = { ...at, clock, targets: [host] }
    expect(await postOutside({ ...post, url: `http://${host}/` }, waiting)).toMatchObject({
      why: 'it did not answer in time',
    })
    silent.closeAllConnections()
    await new Promise((resolve) => silent.close(resolve))
  })
})
