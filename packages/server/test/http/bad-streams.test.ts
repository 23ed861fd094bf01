import { request as openRequest } from 'node:http'
import { uuidV7 } from '@hotline/client/uuid'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { sendRawRequest } from '@hotline/testing/raw-http'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerOf, rawBytes } from './http-stack.ts'

/** What is wrong in a request for server-sent events, and what agents and people may write without becoming one. */
let live: LiveServer
let port: number
let hand: HandRunner
beforeAll(async () => {
  live = await startLiveServer()
  port = Number(new URL(live.url).port)
  hand = await live.startSession()
})
afterAll(() => live[Symbol.asyncDispose]())

describe('Last-Event-ID', () => {
  it.each<[what: string, value: string, statuses: readonly number[]]>([
    ['is not a cursor', 'nonsense', [400]],
    ['is a number alone', '12', [400]],
    ['is not a number', 'abcdefgh.NaN', [400]],
    ['is negative', 'abcdefgh.-1', [400]],
    ['is a fraction', 'abcdefgh.1.5', [400]],
    ['has an exponent', 'abcdefgh.1e3', [400]],
    ['is hexadecimal', 'abcdefgh.0x10', [400]],
    ['is empty', '', [400]],
    ['is longer than any number', `abcdefgh.${'9'.repeat(400)}`, [400]],
    ['has a NUL', 'abcdefgh.1\u0000', [400]],
    ['has a line end', 'abcdefgh.1\nX-Other: 1', [400]],
    ['has a folded line', 'abcdefgh.1\r\n 2', [400]],
    ['has a carriage return', 'abcdefgh.1\r2', [400]],
    ['has 10 kB', 'a'.repeat(10_000), [400, 431]],
    ['is there twice', 'abcdefgh.1\r\nLast-Event-ID: abcdefgh.2', [400]],
  ])('[W22] that %s is refused', async (_what, value, statuses) => {
    for (const path of [`/api/sessions/${hand.session}/stream`, `/api/sessions/${hand.session}/stream?after=0`]) {
      const headers = [
        ['Authorization', `Bearer ${live.token}`],
        ['Last-Event-ID', value],
      ] as const
      const answer = answerOf(
        await sendRawRequest({ port }, rawBytes({ target: path, headers }, port), { method: 'GET' }),
      )
      // An answer like any other, and no stream.
      expect(statuses).toContain(answer.status)
    }
  })

  it('[W22] [W21] of another life, or ahead of the log, gets a reset, and no silent gap', async () => {
    const [first] = await live.stored(hand.session)
    expect(first?.seq).toBe(1)
    for (const cursor of ['zzzzzzzz.1', `${await epoch()}.999999`]) {
      const text = await readStream({ 'last-event-id': cursor }, (soFar) => soFar.includes('"t":"reset"'))
      expect(text).not.toContain('"t":"events"')
    }
  })
})

async function epoch(): Promise<string> {
  const response = await fetch(new URL(`/api/sessions/${hand.session}/events?after=0`, live.url), {
    headers: { authorization: `Bearer ${live.token}` },
  })
  return ((await response.json()) as { epoch: string }).epoch
}

/** The bytes of a stream as they come, until there is enough of them. */
function readStream(headers: Record<string, string>, enough: (text: string) => boolean): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const path = `/api/sessions/${hand.session}/stream`
  const asked = openRequest(
    { port, path, headers: { authorization: `Bearer ${live.token}`, ...headers } },
    (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (piece: string) => {
        text += piece
        if (enough(text)) {
          resolve(text)
          asked.destroy()
        }
      })
      answer.on('close', () => resolve(text))
    },
  )
  asked.on('error', reject)
  asked.end()
  return waitFor(() => promise, { what: 'enough of the stream' })
}

describe('text that looks like the form of the stream', () => {
  const nasty = [
    'x\n\nevent: evil\ndata: {"t":"reset"}\n\n',
    'x\r\rid: zzzzzzzz.9\rdata: {}\r\r',
    'x\r\n\r\nretry: 1\r\n\r\n',
    ': heartbeat\n',
    '\ndata: \n',
    'a\u2028data: b\u2029\u0085id: c',
    '\ufeffdata: {}',
    'data: '.repeat(1_000),
  ]

  it('[W26] stays text: whatever agents and people write, no line of the stream is theirs', async () => {
    const source = { source: 'stdout', encoding: 'utf8' } as const
    for (const text of nasty) {
      await hand.report({
        type: 'output.appended',
        data: { ...source, bytes: Buffer.byteLength(text) },
        body: { text },
      })
      const send = { id: uuidV7(), stream: hand.stream, type: 'message.send', data: { text: `said ${text}` } }
      const sent = await fetch(new URL('/api/commands', live.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${live.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(send),
      })
      expect([200, 400]).toContain(sent.status)
    }
    await hand.report({ type: 'turn.started', data: { turn: 'the-last-of-them' } })
    const text = await readStream({}, (soFar) => soFar.includes('the-last-of-them'))
    const whole = text.slice(0, text.lastIndexOf('\n\n'))
    // As a reader of the standard ends its lines.
    for (const line of whole.split(/\r\n|\r|\n/)) {
      expect(line).toMatch(/^(?:|:.*|retry: 500|id: [A-Za-z0-9]+\.\d+|data: \{[^\r\n]*\})$/u)
    }
    const frames = whole
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)) as { t: string; events?: { type: string; body?: { text?: string } }[] })
    expect(new Set(frames.map(({ t }) => t)).has('reset')).toBe(false)
    const printed = frames
      .flatMap(({ events = [] }) => events)
      .filter(({ type }) => type === 'output.appended')
      .map(({ body }) => body?.text)
    expect(printed).toEqual(nasty)
  })
})
