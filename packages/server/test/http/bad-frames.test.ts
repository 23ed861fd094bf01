import { deflateRawSync } from 'node:zlib'
import type { Link } from '@hotline/client/link'
import type { Envelope } from '@hotline/protocol/event'
import { limits } from '@hotline/protocol/limits'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { headerOf } from '@hotline/testing/raw-http'
import { openRawWebSocket } from '@hotline/testing/raw-websocket'
import { waitFor } from '@hotline/testing/wait-for'
import { buildFrame, closePayload, type FrameSpec, opcodes } from '@hotline/testing/websocket-frame'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { closing, enterRaw, roundTrip, textFrame } from '@hotline/testing/raw-conversation'

/** A whole server, and somebody else who follows a session on it and must not notice any of this. */
let server: LiveServer
let port: number
let runner: HandRunner
let bystander: Link
let renamed = 0
const seen: Envelope[] = []

beforeAll(async () => {
  server = await startLiveServer()
  port = Number(new URL(server.url).port)
  runner = await server.startSession()
  bystander = server.link()
  bystander.follow(runner.stream, '0', { events: (events) => void seen.push(...events) })
})
afterAll(() => server[Symbol.asyncDispose]())
afterEach(async () => {
  const title = `still here ${(renamed += 1)}`
  expect(await bystander.command(runner.stream, 'session.rename', { title })).toMatchObject({ ok: true })
  await waitFor(() => seen.some(({ body }) => body?.['title'] === title), { what: 'the other client to hear of it' })
  expect(bystander.connection.value.status).toBe('open')
})

const { continuation, text, binary, close, ping, pong } = opcodes
const message = (): string =>
  JSON.stringify({ t: 'command', id: 'bad', stream: runner.stream, type: 'message.send', data: { text: 'never' } })
const fragments = (count: number, sizeBytes: number): FrameSpec[] =>
  Array.from({ length: count }, (_, at) => ({
    opcode: at === 0 ? text : continuation,
    payload: Buffer.alloc(sizeBytes, 0x20),
    position: 'more',
  }))
/** 50 MB in 48 kB. */
const inflates = (): Buffer => deflateRawSync(Buffer.alloc(50_000_000, 0x20))

describe('frames that break RFC 6455', () => {
  it.each<[title: string, frames: () => FrameSpec[], code: number]>([
    ['[W06] a frame without a mask', () => [{ opcode: text, payload: message(), mask: 'none' }], 1002],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, () => FrameSpec[], number] => [
      `[W07] opcode ${opcode}`,
      () => [{ opcode }],
      1002,
    ]),
    ...[1, 2, 3, 4, 5, 6, 7].map((reserved): [string, () => FrameSpec[], number] => [
      `[W07] reserved bits ${reserved}`,
      () => [{ opcode: text, payload: message(), reserved }],
      1002,
    ]),
    ['[W08] text that is not UTF-8', () => [{ opcode: text, payload: Buffer.from([0x22, 0xc3, 0x28, 0x22]) }], 1007],
    ['[W08] text that ends in half a character', () => [{ opcode: text, payload: Buffer.from([0xe2, 0x82]) }], 1007],
    [
      '[W08] a reason that is not UTF-8',
      () => [{ opcode: close, payload: closePayload(1000, Buffer.from([0xff, 0xfe])) }],
      1007,
    ],
    ['[W09] a ping in fragments', () => [{ opcode: ping, payload: 'a', position: 'more' }], 1002],
    ['[W09] a pong in fragments', () => [{ opcode: pong, payload: 'a', position: 'more' }], 1002],
    ['[W09] a close in fragments', () => [{ opcode: close, payload: closePayload(1000), position: 'more' }], 1002],
    ['[W09] a ping of 126 bytes', () => [{ opcode: ping, payload: Buffer.alloc(126) }], 1002],
    ['[W10] a continuation of nothing', () => [{ opcode: continuation, payload: message() }], 1002],
    [
      '[W10] a message inside of another',
      () => [
        { opcode: text, payload: '{"t":', position: 'more' },
        { opcode: text, payload: message() },
      ],
      1002,
    ],
    ['[W11] 2^53 bytes', () => [{ opcode: text, declaredBytes: 2n ** 53n, lengthBits: 64 }], 1009],
    ['[W11] 2^53 - 1 bytes', () => [{ opcode: text, declaredBytes: 2n ** 53n - 1n, lengthBits: 64 }], 1009],
    ['[W11] 2^64 - 1 bytes', () => [{ opcode: text, declaredBytes: 2n ** 64n - 1n, lengthBits: 64 }], 1009],
    [
      '[W12] one byte over the limit',
      () => [{ opcode: text, payload: ' '.repeat(limits.inboundFrameBytes + 1) }],
      1009,
    ],
    ['[W12] the same, said but not sent', () => [{ opcode: text, declaredBytes: limits.inboundFrameBytes + 1 }], 1009],
    ['[W13] 9,000 fragments over the limit', () => fragments(9_000, 8), 1009],
    ['[W15] a close of one byte', () => [{ opcode: close, payload: Buffer.from([3]) }], 1002],
    ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535].map((code): [string, () => FrameSpec[], number] => [
      `[W15] the close code ${code}`,
      () => [{ opcode: close, payload: closePayload(code) }],
      1002,
    ]),
    ['[W17] 48 kB that inflate to 50 MB', () => [{ opcode: text, payload: inflates(), reserved: 4 }], 1002],
    ['[W18] a binary frame', () => [{ opcode: binary, payload: message() }], 1003],
    ['[W18] an empty binary frame', () => [{ opcode: binary }], 1003],
  ])('%s', async (_title, frames, code) => {
    await using socket = await enterRaw(port, server.token)
    // What comes right behind it is not carried out either.
    await socket.sendBytes(Buffer.concat([...frames().map(buildFrame), textFrame(JSON.parse(message()) as object)]))
    expect(await closing(socket)).toMatchObject({ code })
    const events = await server.stored(runner.session)
    expect(events.filter(({ type }) => type === 'message.posted')).toEqual([])
  })

  it('[W17] compression is not taken up where it is offered', async () => {
    const headers = [
      ['Host', `localhost:${port}`],
      ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'],
    ] as const
    await using socket = await openRawWebSocket({ port, path: '/api/ws', protocols: ['hotline.v1'], headers })
    expect(headerOf(socket.response, 'sec-websocket-extensions')).toBeUndefined()
  })
})

describe('too much', () => {
  it('[W16] pings are answered, and 20,000 at once end the connection with 4429', async () => {
    await using socket = await enterRaw(port, server.token)
    for (let at = 0; at < 50; at += 1) await roundTrip(socket)
    await socket.sendBytes(Buffer.concat(Array.from({ length: 20_000 }, () => buildFrame({ opcode: ping }))))
    expect(await closing(socket)).toMatchObject({ code: 4429, problem: { code: 'rate_limited' } })
  })

  it('[W16] so do 20,000 pongs that nobody asked for', async () => {
    await using socket = await enterRaw(port, server.token)
    await socket.sendBytes(Buffer.concat(Array.from({ length: 20_000 }, () => buildFrame({ opcode: pong }))))
    expect(await closing(socket)).toMatchObject({ code: 4429, problem: { code: 'rate_limited' } })
  })

  it('[W16] [W28] pings before hello are not answered', async () => {
    const headers = [['Host', `localhost:${port}`]] as const
    await using socket = await openRawWebSocket({ port, path: '/api/ws', protocols: ['hotline.v1'], headers })
    await socket.sendBytes(Buffer.concat(Array.from({ length: 20_000 }, () => buildFrame({ opcode: ping }))))
    await socket.sendBytes(textFrame({ t: 'hello', token: server.token }))
    const first = await socket.nextFrame()
    expect(JSON.parse(first.payload.toString('utf8'))).toMatchObject({ t: 'welcome' })
  })

  it('[W20] nobody follows 10,000 streams', async () => {
    await using socket = await enterRaw(port, server.token)
    const follow = (at: number): Buffer => textFrame({ t: 'follow', stream: `session:none${at}`, after: '0' })
    await socket.sendBytes(Buffer.concat(Array.from({ length: 10_000 }, (_, at) => follow(at))))
    expect(await closing(socket)).toMatchObject({ code: 4429, problem: { code: 'rate_limited' } })
  })
})

describe('cursors', () => {
  it.each([
    ['negative', (epoch: string) => `${epoch}.-1`],
    ['NaN', (epoch: string) => `${epoch}.NaN`],
    ['a fraction', (epoch: string) => `${epoch}.1.5`],
    ['too large to count', (epoch: string) => `${epoch}.99999999999999999`],
    ['without an epoch', () => '7'],
    ['a number', () => 7],
    ['absent', () => undefined],
  ])('[W21] one that is %s is said to be wrong, and nothing is followed', async (_title, after) => {
    const head = await bystander.request<{ cursor: string }>('GET', `/api/sessions/${runner.session}`)
    const epoch = head.ok ? (head.value.cursor.split('.')[0] ?? '') : ''
    await using socket = await enterRaw(port, server.token)
    await socket.sendBytes(textFrame({ t: 'follow', stream: runner.stream, after: after(epoch) }))
    const answer = JSON.parse((await socket.nextFrame()).payload.toString('utf8')) as object
    expect(answer).toMatchObject({ t: 'problem', problem: { code: 'invalid_frame' } })
    expect(JSON.stringify(answer)).toContain('after')
    await socket.sendBytes(textFrame({ t: 'ping' }))
    expect(JSON.parse((await socket.nextFrame()).payload.toString('utf8'))).toEqual({ t: 'pong' })
  })

  it.each([
    ['ahead of the log', (epoch: string, seq: number) => `${epoch}.${seq + 1}`, 'ahead'],
    ['far ahead of the log', (epoch: string) => `${epoch}.9007199254740991`, 'ahead'],
    ['of another epoch', (epoch: string, seq: number) => `${epoch === 'zzzzzzzz' ? 'y' : 'z'}zzzzzzz.${seq}`, 'epoch'],
  ])('[W21] one that is %s gets a reset with where the log stands', async (_title, after, reason) => {
    const head = await bystander.request<{ cursor: string }>('GET', `/api/sessions/${runner.session}`)
    const [epoch = '', seq = ''] = head.ok ? head.value.cursor.split('.') : []
    await using socket = await enterRaw(port, server.token)
    await socket.sendBytes(textFrame({ t: 'follow', stream: runner.stream, after: after(epoch, Number(seq)) }))
    const answer = JSON.parse((await socket.nextFrame()).payload.toString('utf8')) as object
    expect(answer).toEqual({ t: 'reset', stream: runner.stream, reason, epoch, head: Number(seq) })
  })
})
