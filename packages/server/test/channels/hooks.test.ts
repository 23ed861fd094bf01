import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import type { WebhookDeliveries, WebhookSecret } from '@hotline/protocol/webhooks'
import { handClock } from '@hotline/testing/hand-clock'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { waitFor } from '@hotline/testing/wait-for'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { waitsMs } from '../../src/channels/hooks/hook-line.ts'

interface Came {
  id: string
  headers: IncomingHttpHeaders
  text: string
}

const postgres = await openTestPostgres()
const came: Came[] = []
let status = 204
const receiver = createServer((request, response) => {
  void buffer(request).then((bytes) => {
    const { headers } = request
    came.push({ id: String(headers['webhook-id']), headers, text: bytes.toString('utf8') })
    response.writeHead(status).end()
  })
})
await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
const target = `127.0.0.1:${(receiver.address() as AddressInfo).port}`
afterEach(() => {
  came.length = 0
  status = 204
})
afterAll(async () => {
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
  await postgres.stop()
})

const hooks = '/api/projects/default/webhooks'

function askerOf(live: LiveServer) {
  const ask = async <T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<T> => {
    const outcome = await httpRequest<T>(live.url, { kind: 'token', token: live.token }, method, path, body)
    if (!outcome.ok) throw new Error(`${outcome.problem.code}: ${outcome.problem.detail}`)
    return outcome.value
  }
  const confirm = (): Promise<void> => ask('POST', '/api/auth/confirm', { password: 'a long walk over the wet meadow' })
  const command = (stream: string, type: string, data: object): Promise<void> =>
    ask('POST', '/api/commands', { id: uuidV7(), stream, type, data })
  return {
    ask,
    confirm,
    add: async (events = ['task.*']): Promise<WebhookSecret> => {
      await confirm()
      return ask('POST', hooks, { url: `http://${target}/in`, events })
    },
    card: async (): Promise<string> => {
      const task = uuidV7()
      await command(`task:${task}`, 'task.create', { project: 'default', title: 'A card' })
      return task
    },
    rename: (task: string): Promise<void> => command(`task:${task}`, 'task.change', { title: 'Another' }),
    deliveries: async (webhook: string) =>
      (await ask<WebhookDeliveries>('GET', `${hooks}/${webhook}/deliveries`)).deliveries,
  }
}

describe.each(['SQLite', 'PostgreSQL'] as const)('webhooks on %s', (kind) => {
  const start = async (clock = handClock()) => {
    const env = kind === 'SQLite' ? {} : { HOTLINE_DATABASE_URL: await postgres.createDatabase() }
    const live = await startLiveServer({ clock, env: { ...env, HOTLINE_WEBHOOK_TARGETS: target } })
    return { live, clock, ...askerOf(live), [Symbol.asyncDispose]: () => live[Symbol.asyncDispose]() }
  }

  it('[WH13] what fails is tried eight times, each when its wait is over, and is a dead letter then; its stream goes on', async () => {
    await using scene = await start()
    const { add, card, rename, deliveries, clock, ask } = scene
    const { webhook } = await add()
    status = 503
    const task = await card()
    await rename(task)
    for (const [at, waitMs] of waitsMs.entries()) {
      const noted = async (): Promise<boolean> => (await deliveries(webhook))[0]?.tries === at + 1
      await waitFor(noted, { what: `try ${at + 1}` })
      expect(came).toHaveLength(at + 1)
      clock.advance(waitMs - 1_000)
      await noted()
      expect(came).toHaveLength(at + 1)
      if (at === waitsMs.length - 1) status = 204
      if (at === waitsMs.length - 1) break
      clock.advance(1_000)
    }
    // The last one is refused as well.
    status = 500
    clock.advance(1_000)
    const dead = await waitFor(async () => (await deliveries(webhook)).find(({ state }) => state === 'dead'), {
      what: 'a dead letter',
    })
    const id = `${webhook}.task:${task}.1`
    expect(dead).toMatchObject({ id, tries: 8, why: 'it answered 500', seq: 1 })
    status = 204
    // What comes after it in its stream had to wait, and goes out now.
    clock.advance(waitsMs[0] ?? 0)
    await waitFor(() => came.some((one) => one.id === `${webhook}.task:${task}.2`), { what: 'the next of the stream' })
    expect(came.filter((one) => one.id === id)).toHaveLength(8)
    expect(await ask('POST', `${hooks}/${webhook}/deliveries/${dead.id}/replay`)).toEqual({ taken: true })
    expect(came.at(-1)?.id).toBe(id)
    await waitFor(async () => (await deliveries(webhook)).length === 0, { what: 'nothing that waits' })
  })

  it('[WH14] what is posted is verified by another program, with both secrets after a new one, and nothing else is', async () => {
    await using scene = await start()
    const { add, card, ask } = scene
    const { webhook, secret } = await add()
    await card()
    const first = await waitFor(() => came[0], { what: 'a post' })
    const headers = first.headers as Record<string, string>
    expect(new Webhook(secret).verify(first.text, headers)).toMatchObject({ type: 'task.created' })
    expect(() => new Webhook(secret).verify(`${first.text} `, headers)).toThrow()
    const late = { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 600) }
    expect(() => new Webhook(secret).verify(first.text, late)).toThrow()
    const rotated = await ask<WebhookSecret>('POST', `${hooks}/${webhook}/rotate`)
    came.length = 0
    await card()
    const second = await waitFor(() => came[0], { what: 'another post' })
    for (const one of [secret, rotated.secret]) {
      expect(new Webhook(one).verify(second.text, second.headers as Record<string, string>)).toBeTruthy()
    }
    const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
    expect(() => new Webhook(other).verify(second.text, second.headers as Record<string, string>)).toThrow()
  })

  it('[WH16] of one that is removed nothing is kept, and one that is set up anew under its id begins anew', async () => {
    await using scene = await start()
    const { card, deliveries, ask, confirm, clock } = scene
    const webhook = 'mine'
    const put = async (): Promise<void> => {
      await confirm()
      const data = { webhook, url: `http://${target}/in`, events: ['task.*'] }
      await ask('POST', '/api/commands', { id: uuidV7(), stream: 'project:default', type: 'webhook.add', data })
    }
    await put()
    status = 410
    await card()
    await waitFor(async () => (await deliveries(webhook)).length === 1, { what: 'a dead letter' })
    await ask('PUT', `${hooks}/${webhook}`, { enabled: true })
    status = 500
    await card()
    await waitFor(async () => (await deliveries(webhook)).length === 2, { what: 'one that waits' })
    await ask('DELETE', `${hooks}/${webhook}`)
    clock.advance(1_000)
    await put()
    await waitFor(async () => (await deliveries(webhook)).length === 0, { what: 'nothing' })
    status = 204
    came.length = 0
    const task = await card()
    await waitFor(() => came.length > 0, { what: 'a post' })
    expect(came.map(({ id }) => id)).toEqual([`${webhook}.task:${task}.1`])
  })
})

it('[WH11] a filter that names no events is refused, and says which', async () => {
  await using live = await startLiveServer({ env: { HOTLINE_WEBHOOK_TARGETS: target } })
  const { add, ask } = askerOf(live)
  await expect(add(['task.*', 'task.craeted'])).rejects.toThrow('There are no events "task.craeted"')
  await expect(add(['tasks.*'])).rejects.toThrow('There are no events "tasks.*"')
  const { webhook } = await add(['approval.requested', 'task.*'])
  await expect(ask('PUT', `${hooks}/${webhook}`, { events: ['nothing.at_all'] })).rejects.toThrow('invalid_request')
})
