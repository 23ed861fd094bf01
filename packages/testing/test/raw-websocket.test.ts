import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { headerOf } from '../src/raw-http.ts'
import { openRawWebSocket, requestUpgrade } from '../src/raw-websocket.ts'
import type { RawWebSocket, UpgradeOptions } from '../src/raw-websocket.ts'
import { buildFrame, closePayload, opcodes } from '../src/websocket-frame.ts'
import type { FrameSpec } from '../src/websocket-frame.ts'

const maxPayloadBytes = 70_000

let server: WebSocketServer
let port: number
let messages: string[]
let serverCloses: number[]

beforeEach(async () => {
  // Captured, so that a late close of one test is not counted in the next.
  const ownMessages: string[] = []
  const ownCloses: number[] = []
  messages = ownMessages
  serverCloses = ownCloses
  server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    maxPayload: maxPayloadBytes,
    handleProtocols: (offered) => (offered.has('hotline.v1') ? 'hotline.v1' : false),
    verifyClient: (info: { origin: string }) => info.origin !== 'https://evil.example',
  })
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer, isBinary) => {
      ownMessages.push(data.toString())
      socket.send(data, { binary: isBinary })
    })
    socket.on('close', (code) => ownCloses.push(code))
    // ws reports what is wrong with a frame here and closes with the fitting code.
    socket.on('error', () => undefined)
  })
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  for (const client of server.clients) client.terminate()
  const closed = once(server, 'close')
  server.close()
  await closed
})

async function open(options: Partial<UpgradeOptions> = {}): Promise<RawWebSocket> {
  const socket = await openRawWebSocket({ port, ...options })
  onTestFinished(() => socket[Symbol.asyncDispose]())
  return socket
}

describe('the upgrade', () => {
  test('takes a subprotocol and headers of its own', async () => {
    const socket = await open({ protocols: ['other', 'hotline.v1'], headers: [['Origin', 'http://localhost']] })
    expect(socket.response.status).toBe(101)
    expect(headerOf(socket.response, 'sec-websocket-protocol')).toBe('hotline.v1')
  })

  test.each<[string, Partial<UpgradeOptions>, number]>([
    ['an origin that is not wanted', { headers: [['Origin', 'https://evil.example']] }, 401],
    ['an old version', { headers: [['sec-websocket-version', '7']] }, 400],
    ['no key', { without: ['Sec-WebSocket-Key'] }, 400],
    ['another method', { method: 'POST' }, 405],
  ])('refused for %s gives the response', async (_, options, status) => {
    const outcome = await requestUpgrade({ port, ...options })
    expect(outcome).toMatchObject({ kind: 'refused', response: { status } })
    await expect(openRawWebSocket({ port, ...options })).rejects.toThrow(`refused with ${status}`)
  })
})

describe('right frames', () => {
  test.each([0, 1, 125, 126, 127, 65_535, 65_536, maxPayloadBytes])('of %i bytes come back', async (sizeBytes) => {
    const socket = await open()
    const payload = 'x'.repeat(sizeBytes)
    await socket.send({ opcode: opcodes.text, payload })
    const frame = await socket.nextFrame()
    expect([frame.opcode, frame.fin, frame.masked, frame.reserved]).toEqual([opcodes.text, true, false, 0])
    expect(frame.payload.toString()).toBe(payload)
  })

  test('in fragments with a ping between them, and torn at each byte', async () => {
    const socket = await open()
    const bytes = Buffer.concat([
      buildFrame({ opcode: opcodes.text, payload: 'one, ', position: 'more' }),
      buildFrame({ opcode: opcodes.continuation, payload: 'two, ', position: 'more' }),
      buildFrame({ opcode: opcodes.ping, payload: 'there?' }),
      buildFrame({ opcode: opcodes.continuation, payload: 'three' }),
    ])
    for (const byte of bytes) await socket.sendBytes(Buffer.from([byte]))
    const pong = await socket.nextFrame()
    expect([pong.opcode, pong.payload.toString()]).toEqual([opcodes.pong, 'there?'])
    expect((await socket.nextFrame()).payload.toString()).toBe('one, two, three')
  })

  test('a close is answered with the same code and reason and the end of the stream', async () => {
    const socket = await open()
    await socket.send({ opcode: opcodes.close, payload: closePayload(4000, 'enough') })
    expect(await socket.waitForEnd()).toEqual({ code: 4000, reason: 'enough', stream: 'end' })
    // The server has said its last word and waits for ours.
    socket.finish()
    await expect.poll(() => serverCloses).toEqual([4000])
  })

  test('a close of the server is seen with code and reason', async () => {
    const socket = await open()
    for (const client of server.clients) client.close(4503, 'draining')
    expect((await socket.nextFrame()).opcode).toBe(opcodes.close)
    await socket.send({ opcode: opcodes.close, payload: closePayload(4503) })
    expect(await socket.waitForEnd()).toEqual({ code: 4503, reason: 'draining', stream: 'end' })
  })

  test('a close without a code is told from no close at all', async () => {
    const closing = await open()
    await closing.send({ opcode: opcodes.close })
    expect(await closing.waitForEnd()).toMatchObject({ code: 1005 })
    const broken = await open()
    await broken.send({ opcode: opcodes.ping })
    await broken.nextFrame()
    for (const client of server.clients) client.terminate()
    expect(await broken.waitForEnd()).toMatchObject({ code: undefined })
  })
})

describe('wrong frames', () => {
  const badText = Buffer.from([0x61, 0xc3, 0x28])
  test.each<[string, FrameSpec[], number]>([
    ['no mask', [{ opcode: opcodes.text, payload: 'x', mask: 'none' }], 1002],
    ['a reserved bit', [{ opcode: opcodes.text, payload: 'x', reserved: 1 }], 1002],
    ['the bit for compression, which was not agreed', [{ opcode: opcodes.text, payload: 'x', reserved: 4 }], 1002],
    ['an unknown opcode', [{ opcode: 0x3 }], 1002],
    ['a continuation of nothing', [{ opcode: opcodes.continuation, payload: 'x' }], 1002],
    [
      'a new message inside another',
      [
        { opcode: opcodes.text, payload: 'x', position: 'more' },
        { opcode: opcodes.text, payload: 'y' },
      ],
      1002,
    ],
    ['a ping in fragments', [{ opcode: opcodes.ping, position: 'more' }], 1002],
    ['a ping that is too long', [{ opcode: opcodes.ping, payload: 'x'.repeat(126) }], 1002],
    ['text that is not UTF-8', [{ opcode: opcodes.text, payload: badText }], 1007],
    ['a close code that may not be sent', [{ opcode: opcodes.close, payload: closePayload(1006) }], 1002],
    ['a close reason that is not UTF-8', [{ opcode: opcodes.close, payload: closePayload(1000, badText) }], 1007],
    ['half a close code', [{ opcode: opcodes.close, payload: Buffer.from([3]) }], 1002],
    ['one byte too many', [{ opcode: opcodes.text, payload: 'x'.repeat(maxPayloadBytes + 1) }], 1009],
    ['a declared length beyond all limits', [{ opcode: opcodes.binary, declaredBytes: 2n ** 63n - 1n }], 1009],
  ])('%s: closed with its code, and nothing is delivered', async (_, frames, code) => {
    const socket = await open()
    for (const frame of frames) await socket.send(frame)
    // The answer to the closing server; ws may be gone already.
    await socket.send({ opcode: opcodes.close, payload: closePayload(1000) }).catch(() => 'gone')
    expect(await socket.waitForEnd()).toMatchObject({ code })
    expect(messages).toEqual([])
  })

  test('a mask of zeros and a length in a field that is too wide go out as asked', () => {
    const frame = buildFrame({ opcode: opcodes.text, payload: 'hi', mask: Buffer.alloc(4), lengthBits: 64 })
    expect(frame.toString('hex')).toBe('81ff0000000000000002000000006869')
    expect(buildFrame({ opcode: opcodes.text, mask: 'none', lengthBits: 16 }).toString('hex')).toBe('817e0000')
  })

  test('a length that promises more than comes leaves the server waiting', async () => {
    const socket = await open()
    await socket.send({ opcode: opcodes.text, payload: 'abc', declaredBytes: 5, mask: Buffer.alloc(4) })
    await expect(socket.nextFrame({ deadlineMs: 20 })).rejects.toMatchObject({ why: 'deadline' })
    await socket.sendBytes(Buffer.from('de'))
    expect((await socket.nextFrame()).payload.toString()).toBe('abcde')
  })
})

test('a reader that has stopped is felt by the server, and gets everything when it goes on', async () => {
  const socket = await open()
  const [serverSide] = server.clients
  const block = Buffer.alloc(1_000_000)
  const count = 30
  for (let sent = 0; sent < count; sent += 1) serverSide?.send(block)
  await expect.poll(() => serverSide?.bufferedAmount).toBeLessThan(count * block.length)
  expect(serverSide?.bufferedAmount).toBeGreaterThan(5_000_000)
  for (let read = 0; read < count; read += 1) {
    const { payload } = await socket.nextFrame()
    expect(payload.length).toBe(block.length)
  }
  expect(serverSide?.bufferedAmount).toBe(0)
})

test('a reset ends the line for the server without a close frame', async () => {
  const socket = await open()
  socket.reset()
  await expect.poll(() => serverCloses).toEqual([1006])
})
