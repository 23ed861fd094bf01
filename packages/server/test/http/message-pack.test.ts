import type { Socket } from 'node:net'
import { encode, ExtData } from '@msgpack/msgpack'
import { messagePackFrames } from '@hotline/client/message-pack'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openOracleClient } from '@hotline/testing/oracle-client'
import { randomSeed } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { parseMessagePack, writeMessagePack } from '../../src/http/message-pack.ts'

const bytes = (...parts: (number | string | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part as string))))
const nested = (levels: number): Buffer => Buffer.concat([Buffer.alloc(levels, 0x91), Buffer.from([0xc0])])
const double = (value: number): Buffer => {
  const made = Buffer.alloc(9, 0xcb)
  made.writeDoubleBE(value, 1)
  return made
}
const whole64 = (type: number, value: bigint): Buffer => {
  const made = Buffer.alloc(9, type)
  if (type === 0xcf) made.writeBigUInt64BE(value, 1)
  else made.writeBigInt64BE(value, 1)
  return made
}
const map32 = (length: number): Buffer => {
  const made = Buffer.alloc(5, 0xdf)
  made.writeUInt32BE(length, 1)
  return made
}

const rows: [title: string, input: Uint8Array][] = [
  ['[J01] nested one deeper than the limit', nested(65)],
  ['[J01] nested 100,000 times', nested(100_000)],
  ['[J02] a member __proto__', bytes(0x81, 0xa9, '__proto__', 0x80)],
  ['[J02] a member __proto__, deep inside', bytes(0x81, 0xa1, 'a', 0x91, 0x81, 0xa9, '__proto__', 0xc0)],
  ['[J02] a member __proto__ with a longer head', bytes(0x81, 0xd9, 9, '__proto__', 0xc0)],
  ['[J03] constructor.prototype', bytes(0x81, 0xab, 'constructor', 0x81, 0xa9, 'prototype', 0x80)],
  ['[J04] a member twice', bytes(0x82, 0xa1, 'a', 1, 0xa1, 'a', 2)],
  ['[J04] a member twice, with heads of two lengths', bytes(0x82, 0xa1, 'a', 1, 0xd9, 1, 'a', 2)],
  ['[J07] a whole number above 2^53', whole64(0xcf, 2n ** 53n)],
  ['[J07] the largest whole number', whole64(0xcf, 2n ** 64n - 1n)],
  ['[J07] a whole number below -2^53', whole64(0xd3, -(2n ** 53n))],
  ['[J08] infinity', double(Number.POSITIVE_INFINITY)],
  ['[J08] no number', double(Number.NaN)],
  ['[J08] minus zero', double(-0)],
  ['[J08] infinity in four bytes', bytes(0xca, 0x7f, 0x80, 0, 0)],
  ['[J09] half a character', bytes(0xa3, Buffer.from([0xed, 0xa0, 0x80]))],
  ['[J09] bytes that are not UTF-8', bytes(0xa1, Buffer.from([0xff]))],
  ['[J09] a character in too many bytes', bytes(0xa2, Buffer.from([0xc0, 0x80]))],
  ['[J11] nothing', bytes()],
  ['[J11] two values', bytes(0x80, 0x80)],
  ['[J11] a type that was never used', bytes(0xc1)],
  ['[J11] bytes', bytes(0xc4, 1, 0)],
  ['[J11] an extension', encode(new ExtData(5, new Uint8Array(8)))],
  ['[J11] an extension of one byte', bytes(0xd4, 5, 0)],
  ['[J11] a time', encode(new Date(0))],
  ['[J11] a name that is a number', bytes(0x81, 1, 2)],
  ['[J11] a name that is a map', bytes(0x81, 0x80, 2)],
  ['[J11] a name that is nothing', bytes(0x81, 0xc0, 2)],
  ['[J17] a map of four thousand million members', map32(0xffff_ffff)],
  ['[J17] an array of four thousand million', bytes(0xdd, 0xff, 0xff, 0xff, 0xff)],
  ['[J17] 30,000 elements', encode(Array.from({ length: 30_000 }, () => 1))],
  ['[J11] a text that ends too early', bytes(0xdb, 0xff, 0xff, 0xff, 0xff, 'x')],
  ['[J11] a map that ends too early', bytes(0x82, 0xa1, 'a', 1)],
]

describe('MessagePack from outside', () => {
  it.each(rows)('%s is refused', (_title, input) => {
    expect(parseMessagePack(input)).toEqual({ detail: expect.any(String) as string })
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  it('[Y8] is what JSON is, and every part of it is refused', () => {
    const seed = randomSeed('MessagePack')
    const plain = fc
      .jsonValue({ maxDepth: 8, stringUnit: 'grapheme' })
      .map((value) => JSON.parse(JSON.stringify(value)))
    fc.assert(
      fc.property(plain, (value) => {
        const hasProto = JSON.stringify(value).includes('"__proto__"')
        fc.pre(!hasProto)
        const written = writeMessagePack(value)
        expect(parseMessagePack(written)).toEqual({ value })
        for (let end = 0; end < Math.min(written.length, 200); end += 1) {
          expect(parseMessagePack(written.subarray(0, end))).toHaveProperty('detail')
        }
      }),
      { seed, numRuns: 200 },
    )
  })

  it('[Y8] a hundred thousand odd pieces are read or refused, and never more', () => {
    const seed = randomSeed('odd MessagePack')
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (input) => {
        const parsed = parseMessagePack(input)
        // What is taken is what JSON could have said.
        if ('value' in parsed) expect(JSON.parse(JSON.stringify(parsed.value))).toEqual(parsed.value)
      }),
      { seed, numRuns: 20_000 },
    )
  })
})

describe('MessagePack on the way', () => {
  let live: LiveServer
  let hand: HandRunner
  beforeAll(async () => {
    live = await startLiveServer({ env: { HOTLINE_COMPRESS_BATCHES: 'true' } })
    hand = await live.startSession()
  })
  afterAll(() => live[Symbol.asyncDispose]())

  const says = (text: string): Parameters<HandRunner['report']>[0] => ({
    type: 'output.appended',
    data: { source: 'stdout', encoding: 'utf8', bytes: text.length },
    body: { text },
  })

  it('[Y8] [N1] [N2] everything arrives once, in either form, and commands are carried out', async () => {
    const packed = openOracleClient(live.link({ frames: messagePackFrames }), 'MessagePack')
    const plain = openOracleClient(live.link(), 'JSON')
    for (const oracle of [packed, plain]) oracle.follow(hand.stream)
    await hand.report(says('grüße 👋🏽 \u0000'))
    expect(await packed.command(hand.stream, 'message.send', { text: 'in MessagePack' })).toMatchObject({ ok: true })
    expect(await packed.command(hand.stream, 'message.send', { text: ' ' })).toMatchObject({ ok: false })
    const events = await live.stored(hand.session)
    for (const oracle of [packed, plain]) {
      await waitFor(() => oracle.at(hand.stream) === events.length, { what: 'everything' })
      expect(oracle.violations(hand.stream, events)).toEqual([])
    }
  })

  /** A raw client: what it heard, and how it ended. */
  async function dial(
    protocol: string,
    deflate: boolean,
  ): Promise<{
    socket: WebSocket
    heard: { text: string; binary: boolean }[]
    ended: Promise<number>
    rawBytes: () => number
  }> {
    const { port } = new URL(live.url)
    const socket = new WebSocket(`ws://localhost:${port}/api/ws`, protocol, {
      headers: { authorization: `Bearer ${live.token}` },
      perMessageDeflate: deflate,
    })
    const heard: { text: string; binary: boolean }[] = []
    let line: Socket | undefined
    // Not listened to: whoever hears what comes takes the first frame from the WebSocket.
    socket.on('upgrade', (response) => (line = response.socket))
    socket.on('message', (data: Buffer, binary) => heard.push({ text: data.toString('latin1'), binary }))
    const ended = new Promise<number>((resolve) => socket.on('close', resolve))
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    await waitFor(() => heard.length > 0, { what: 'the welcome' })
    return { socket, heard, ended, rawBytes: () => line?.bytesRead ?? 0 }
  }

  it('[Y8] [W18] each form has its own kind of message', async () => {
    const packed = await dial('hotline.v1.msgpack', false)
    expect(packed.heard[0]?.binary).toBe(true)
    packed.socket.send(JSON.stringify({ t: 'ping' }))
    expect(await packed.ended).toBe(1003)
    const plain = await dial('hotline.v1', false)
    plain.socket.send(encode({ t: 'ping' }))
    expect(await plain.ended).toBe(1003)
  })

  it('[Y8] [W19] what is not understood is answered, and the fifth ends the connection', async () => {
    const { socket, heard, ended } = await dial('hotline.v1.msgpack', false)
    for (let at = 0; at < 5; at += 1) socket.send(bytes(0xc1))
    expect(await ended).toBe(4400)
    expect(heard.at(-1)?.text).toContain('invalid_frame')
  })

  it('[Y9] a large batch is compressed for who takes it so, in either form, and small frames are not', async () => {
    const session = await live.startSession()
    const text = 'the same words over and over, '.repeat(50)
    await session.report(...Array.from({ length: 60 }, () => says(text)))
    const sizes = new Map<string, number>()
    for (const protocol of ['hotline.v1', 'hotline.v1.msgpack']) {
      for (const deflate of [false, true]) {
        const { socket, heard, rawBytes } = await dial(protocol, deflate)
        expect(socket.extensions.includes('permessage-deflate')).toBe(deflate)
        const follow = { t: 'follow', stream: session.stream, after: '0' }
        socket.send(protocol === 'hotline.v1' ? JSON.stringify(follow) : encode(follow))
        await waitFor(() => heard.some((one) => one.text.includes('caught_up')), { what: 'the end' })
        const words = heard.map((one) => one.text.split('the same words').length - 1)
        expect(words.reduce((sum, count) => sum + count, 0)).toBe(60 * 50)
        sizes.set(`${protocol} ${deflate ? 'compressed' : 'plain'}`, rawBytes())
        socket.terminate()
      }
    }
    expect(sizes.get('hotline.v1 compressed')).toBeLessThan((sizes.get('hotline.v1 plain') ?? 0) / 5)
    expect(sizes.get('hotline.v1.msgpack compressed')).toBeLessThan((sizes.get('hotline.v1.msgpack plain') ?? 0) / 5)
  })

  it('[Y8] what is read over HTTP comes in it where it is asked for by name; refusals are JSON', async () => {
    const ask = async (
      path: string,
      accept: string,
    ): Promise<{ type: string | null; body: Buffer; tag: string | null }> => {
      const headers = { authorization: `Bearer ${live.token}`, accept }
      const answer = await fetch(new URL(path, live.url), { headers })
      const { headers: given } = answer
      return { type: given.get('content-type'), body: Buffer.from(await answer.arrayBuffer()), tag: given.get('etag') }
    }
    for (const path of [`/api/sessions/${hand.session}/events?after=0`, '/api/sessions?limit=5', '/api/me']) {
      const packed = await ask(path, 'application/msgpack')
      const plain = await ask(path, 'application/json')
      expect([packed.type, plain.type]).toEqual(['application/msgpack', 'application/json; charset=utf-8'])
      expect(parseMessagePack(packed.body)).toEqual({ value: JSON.parse(plain.body.toString('utf8')) })
      if (plain.tag !== null) expect(packed.tag).not.toBe(plain.tag)
    }
    const refused = await ask('/api/sessions/none/events', 'application/msgpack')
    expect(refused.type).toMatch(/^application\/problem\+json/)
    expect((await ask('/api/me', '*/*')).type).toBe('application/json; charset=utf-8')
  })
})
