import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { PermissionClient } from '@hotline/testing/permission-client'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'

let live: LiveServer
beforeAll(async () => {
  live = await startLiveServer({ env: { HOTLINE_LIMIT_OPEN_APPROVALS: '50' } })
})
afterAll(() => live[Symbol.asyncDispose]())

const dial = (query = ''): PermissionClient =>
  new PermissionClient(live.url, live.token, { path: `/ws/permissions${query}` })

/** So many requests of one session; their names. */
async function asking(count: number, input = 'ls'): Promise<readonly string[]> {
  const hand = await live.startSession(`${count} requests`)
  const ids: string[] = []
  for (let at = 0; at < count; at += 1) {
    const { approval } = await hand.ask({ tool: 'note', title: `Request ${at}`, input: JSON.stringify({ at, input }) })
    ids.push(`${hand.session}/${approval}`)
  }
  return ids
}

/** Connects by hand; every text that came, and with which code it ended. */
async function raw(
  path: string,
  options: object,
): Promise<{ socket: WebSocket; heard: string[]; bytesRead: () => number; ended: () => number | undefined }> {
  const socket = new WebSocket(`${live.url.replace('http', 'ws')}${path}`, ['permissions.v1'], {
    headers: { Authorization: `Bearer ${live.token}` },
    ...options,
  })
  let code: number | undefined
  const heard: string[] = []
  socket.on('message', (data: Buffer) => heard.push(data.toString('utf8')))
  socket.on('close', (given) => (code = given))
  let bytesRead = (): number => 0
  socket.on('upgrade', ({ socket: line }) => {
    bytesRead = () => line.bytesRead
  })
  socket.on('error', () => undefined)
  await waitFor(() => socket.readyState === WebSocket.OPEN, { what: 'a connection' })
  return { socket, heard, bytesRead: () => bytesRead(), ended: () => code }
}

describe('several messages in one frame', () => {
  it('[PV10] come to who asks for it, in the same order and with the same numbers as one by one', async () => {
    await asking(40)
    await using plain = dial()
    await using together = dial('?batch=true')
    for (const client of [plain, together]) await client.ready()
    expect(plain.batches).toEqual([])
    expect(Math.max(...together.batches)).toBeGreaterThan(1)
    expect(together.heard.map(({ seq }) => seq)).toEqual(together.heard.map((_, at) => at + 1))
    const ids = (client: PermissionClient): unknown[] => client.of('permission-request').map(({ id }) => id)
    expect(ids(together)).toEqual(ids(plain))
    expect(ids(together).length).toBeGreaterThanOrEqual(40)
    expect(Math.max(...together.batches)).toBeLessThanOrEqual(50)
    together.say({ type: 'permission-ack', seq: together.heard.at(-1)?.seq })
    together.say({ type: 'ping' })
    await together.next(({ type }) => type === 'pong')
    expect(together.of('error')).toEqual([])
  })

  it('[PV10] are taken from who asks for it, each answered by itself, and a wrong one takes none with it', async () => {
    const [first = '', second = '', third = ''] = await asking(3)
    await using client = dial('?batch=true')
    await client.ready()
    const response = (requestId: string, decision: string) => ({ type: 'permission-response', requestId, decision })
    const messages = [
      response(first, 'deny'),
      { type: 'permission-response', requestId: second, decision: 'perhaps' },
      'nothing',
      { type: 'permission-batch', messages: [response(second, 'allow')] },
      response(first, 'deny'),
      response(third, 'deny'),
      { type: 'ping' },
    ]
    client.say({ type: 'permission-batch', messages })
    await client.about('permission-ack', first)
    await client.about('permission-ack', third)
    await client.next(({ type }) => type === 'pong')
    await waitFor(() => client.of('error').length === 4, { what: 'an answer to each' })
    expect(client.of('permission-ack')).toMatchObject([{ requestId: first }, { requestId: third }])
    const codes = client.of('error').map(({ requestId, error }) => [requestId, (error as { code: string }).code])
    expect(codes).toEqual([
      [second, 'invalid_frame'],
      [undefined, 'invalid_frame'],
      [undefined, 'invalid_frame'],
      [first, 'already_resolved'],
    ])
    for (const wrong of [[], Array.from({ length: 51 }, () => ({ type: 'ping' })), { type: 'ping' }]) {
      client.say({ type: 'permission-batch', messages: wrong })
    }
    await waitFor(() => client.of('error').length === 7, { what: 'a refusal of each' })
    expect(client.of('pong')).toHaveLength(1)
    client.respond(second, 'deny')
    await client.about('permission-ack', second)
  })

  it('[PV10] count one by one against the limit of messages', async () => {
    await using client = dial('?batch=true')
    await client.ready()
    const messages = Array.from({ length: 50 }, () => ({ type: 'ping' }))
    for (let at = 0; at < 10; at += 1) client.say({ type: 'permission-batch', messages })
    await waitFor(() => client.of('pong').length + client.of('error').length === 500, { what: 'as many answers' })
    expect(client.of('error')[0]).toMatchObject({ error: { code: 'rate_limited' } })
  })

  it('[PV10] are no message where nobody asked for them, and a wish that cannot be read is refused', async () => {
    await using client = dial()
    await client.ready()
    client.say({ type: 'permission-batch', messages: [{ type: 'ping' }] })
    await waitFor(() => client.of('error').length === 1, { what: 'a refusal' })
    expect(client.of('pong')).toEqual([])
    for (const query of ['?batch=yes', '?compress=1', '?batch=']) {
      const refused = new WebSocket(`${live.url.replace('http', 'ws')}/ws/permissions${query}`, {
        headers: { Authorization: `Bearer ${live.token}` },
      })
      const status = await new Promise((resolve) => {
        refused.on('error', () => undefined)
        refused.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
      })
      expect(status).toBe(400)
      refused.terminate()
    }
  })
})

describe('large messages', () => {
  it('[PV11] come compressed to who asks for it and offers it, each by itself, and to nobody else', async () => {
    const [id = ''] = await asking(1, 'x'.repeat(50_000))
    const bytesOf = async (path: string, options: object): Promise<{ extensions: string; bytes: number }> => {
      const { socket, heard, bytesRead } = await raw(path, options)
      await waitFor(() => heard.some((text) => text.includes(`"id":"${id}"`)), { what: 'the request' })
      const bytes = bytesRead()
      const { extensions } = socket
      socket.close()
      expect(heard.join('').length).toBeGreaterThan(50_000)
      return { extensions, bytes }
    }
    const offered = { perMessageDeflate: true }
    const plain = await bytesOf('/ws/permissions', offered)
    expect(plain.extensions).toBe('')
    expect(plain.bytes).toBeGreaterThan(50_000)
    expect((await bytesOf('/ws/permissions?compress=true', { perMessageDeflate: false })).bytes).toBeGreaterThan(50_000)
    for (const query of ['?compress=true', '?compress=true&batch=true']) {
      const small = await bytesOf(`/ws/permissions${query}`, offered)
      expect(small.extensions).toBe('permessage-deflate')
      expect(small.bytes).toBeLessThan(plain.bytes - 45_000)
    }
  })

  it('[PV11] of a client are bounded by what they are once inflated; a small one counts as ever', async () => {
    const options = { perMessageDeflate: { threshold: 0 } }
    const { socket, heard, ended } = await raw('/ws/permissions?compress=true', options)
    socket.send(JSON.stringify({ type: 'ping' }))
    await waitFor(() => heard.some((text) => text.includes('"pong"')), { what: 'an answer' })
    // Some fifty kilobytes on the way, fifty megabytes behind it.
    socket.send(Buffer.alloc(50_000_000, 0x20).toString('utf8'))
    await waitFor(() => ended() !== undefined, { what: 'the end of the connection' })
    expect(ended()).toBe(1009)
  })
})
