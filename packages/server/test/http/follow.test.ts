import { limits } from '@hotline/protocol/limits'
import { CreatedKey, FollowAnswer } from '@hotline/protocol/http'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owner } from './http-stack.ts'

/** Streams over plain HTTP, of a whole server. */
let live: LiveServer
let hand: HandRunner
beforeAll(async () => {
  live = await startLiveServer()
})
beforeEach(async () => {
  hand = await live.startSession()
})
afterAll(() => live[Symbol.asyncDispose]())

interface Frame {
  t: string
  stream?: string
  epoch: string
  from: number
  to: number
  seq: number
  head: number
  events?: { seq: number }[]
  problem?: { code: string }
  reason?: string
}

/** One answer of server-sent events, as it comes. */
interface EventStream extends AsyncDisposable {
  readonly status: number
  readonly headers: Headers
  /** `id` and `data` of each event so far. */
  readonly heard: { id: string | undefined; data: string; frame: Frame }[]
  readonly ended: boolean
  /** Waits for a frame of that kind that was not taken before. */
  take(kind: string): Promise<Frame>
}

function request(path: string, more: RequestInit & { token?: string } = {}): Promise<Response> {
  const { token = live.token, headers, ...rest } = more
  const json = rest.body === undefined ? {} : { 'content-type': 'application/json' }
  return fetch(new URL(path, live.url), {
    ...rest,
    headers: { authorization: `Bearer ${token}`, ...json, ...(headers as Record<string, string> | undefined) },
  })
}

async function openStream(path: string, more: RequestInit & { token?: string } = {}): Promise<EventStream> {
  const gone = new AbortController()
  const response = await request(path, { ...more, signal: gone.signal })
  const heard: EventStream['heard'] = []
  let ended = false
  let taken = 0
  const read = async (): Promise<void> => {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const bytes of response.body ?? []) {
      rest += decoder.decode(bytes as Uint8Array, { stream: true })
      const parts = rest.split('\n\n')
      rest = parts.pop() ?? ''
      for (const part of parts) {
        const fields = new Map(
          part.split('\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]),
        )
        const data = fields.get('data')
        if (data !== undefined) heard.push({ id: fields.get('id'), data, frame: JSON.parse(data) as Frame })
      }
    }
    ended = true
  }
  read().catch(() => {
    ended = true
  })
  return {
    status: response.status,
    headers: response.headers,
    heard,
    get ended() {
      return ended
    },
    take: (kind) =>
      waitFor(
        () => {
          const at = heard.findIndex(({ frame }, index) => index >= taken && frame.t === kind)
          if (at === -1) return undefined
          taken = at + 1
          return heard[at]?.frame
        },
        { what: `a frame ${kind} after ${heard.map(({ frame }) => frame.t).join()}` },
      ),
    [Symbol.asyncDispose]: async () => {
      gone.abort()
    },
  }
}

const follow = (follows: readonly { stream: string; after: string }[], wait?: number): RequestInit => ({
  method: 'POST',
  body: JSON.stringify({ follows, ...(wait === undefined ? {} : { wait }) }),
})

async function poll(follows: readonly { stream: string; after: string }[], wait: number): Promise<Frame[]> {
  const response = await request('/api/follow', follow(follows, wait))
  expect(response.status).toBe(200)
  const answer = (await response.json()) as { frames: Frame[] }
  FollowAnswer.parse(answer)
  return answer.frames
}

/** Says something as the agent, and answers what it is. */
async function say(text: string): Promise<void> {
  const data = { source: 'stdout', encoding: 'utf8', bytes: text.length } as const
  await hand.report({ type: 'output.appended', data, body: { text } })
}

function seqsOf({ events = [] }: Frame): number[] {
  return events.map(({ seq }) => seq)
}

describe('server-sent events', () => {
  it('[Y1] carry the frames of a socket with the same bytes, and the id is the cursor', async () => {
    await say('before')
    await using stream = await openStream(`/api/sessions/${hand.session}/stream`)
    expect(stream.status).toBe(200)
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(stream.headers.get('x-accel-buffering')).toBe('no')
    expect(stream.headers.get('cache-control')).toBe('no-store')
    await stream.take('welcome')
    const first = await stream.take('events')
    const caughtUp = await stream.take('caught_up')
    expect(first.from).toBe(1)
    expect(caughtUp.seq).toBe(first.to)
    await say('after')
    const second = await stream.take('events')
    expect(second.from).toBe(first.to + 1)
    const ids = stream.heard.flatMap(({ id }) => (id === undefined ? [] : [id]))
    expect(ids).toEqual([`${first.epoch}.${first.to}`, `${first.epoch}.${second.to}`])
    // Byte for byte what a socket would have got, which is what is stored.
    const stored = await live.stored(hand.session)
    expect(stream.heard.flatMap(({ frame }) => frame.events ?? [])).toEqual(stored)
  })

  it('[Y2] go on after Last-Event-ID, which goes before the address', async () => {
    await say('one')
    await say('two')
    const stored = await live.stored(hand.session)
    const [frame] = (await poll([{ stream: hand.stream, after: '0' }], 0)).filter(({ t }) => t === 'events')
    const at = stored.length - 1
    const headers = { 'last-event-id': `${frame?.epoch}.${at}` }
    await using stream = await openStream(`/api/sessions/${hand.session}/stream?after=0`, { headers })
    expect((await stream.take('events')).from).toBe(at + 1)
    const wrong = await request(`/api/sessions/${hand.session}/stream`, { headers: { 'last-event-id': 'nonsense' } })
    expect(wrong.status).toBe(400)
    expect(await wrong.text()).toContain('Last-Event-ID')
  })

  it('[Y1] several streams go over one answer, and what cannot be followed does not disturb the others', async () => {
    const other = await live.startSession()
    const follows = [
      { stream: hand.stream, after: 'now' },
      { stream: 'session:nowhere', after: '0' },
      { stream: other.stream, after: 'aaaaaaaa.5' },
      { stream: 'project:default', after: '0' },
    ]
    await using stream = await openStream('/api/follow', follow(follows))
    expect(await stream.take('unfollowed')).toMatchObject({ stream: 'session:nowhere', problem: { code: 'not_found' } })
    const kinds = (): string[] => stream.heard.map(({ frame }) => `${frame.t} ${frame.stream}`)
    await expect.poll(kinds).toContain(`reset ${other.stream}`)
    await expect.poll(kinds).toContain('events project:default')
    await expect.poll(kinds).toContain(`caught_up ${hand.stream}`)
    await say('here')
    await expect.poll(kinds).toContain(`events ${hand.stream}`)
  })

  it('[Y2] what is not there, or not theirs, is refused before anything is sent', async () => {
    const missing = await request('/api/sessions/nowhere/stream')
    expect([missing.status, missing.headers.get('content-type')]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ])
    const follows = Array.from({ length: limits.followsPerSocket + 1 }, (_, index) => ({
      stream: `session:s${index}`,
      after: '0',
    }))
    expect((await request('/api/follow', follow(follows))).status).toBe(400)
  })

  it('[Y4] a reader that takes nothing holds a bounded queue, and the others are not kept waiting', async () => {
    const response = await request(`/api/sessions/${hand.session}/stream`)
    const stalled = response.body?.getReader()
    await using other = await openStream(`/api/sessions/${hand.session}/stream?after=now`)
    await other.take('caught_up')
    const text = 'x'.repeat(60_000)
    for (let index = 0; index < 150; index += 1) await say(text)
    const head = (await live.stored(hand.session)).length
    await expect.poll(() => other.heard.findLast(({ frame }) => frame.t === 'events')?.frame.to).toBe(head)
    // It reads on at last, and nothing is missing.
    const decoder = new TextDecoder()
    const seqs: number[] = []
    let rest = ''
    while (seqs.at(-1) !== head) {
      const part = await stalled?.read()
      rest += decoder.decode(part?.value, { stream: true })
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line.startsWith('data: ')) seqs.push(...seqsOf(JSON.parse(line.slice(6)) as Frame))
      }
    }
    expect(seqs).toEqual(Array.from({ length: head }, (_, index) => index + 1))
    await stalled?.cancel()
  })

  it('[Y5] end for whoever loses the credential', async () => {
    const confirmed = await request('/api/auth/confirm', {
      method: 'POST',
      body: JSON.stringify({ password: owner.password }),
    })
    expect(confirmed.status).toBe(204)
    const made = await request('/api/keys', { method: 'POST', body: JSON.stringify({ kind: 'pat', name: 'lost' }) })
    const { key, token } = CreatedKey.parse(await made.json())
    await using stream = await openStream(`/api/sessions/${hand.session}/stream`, { token })
    await stream.take('caught_up')
    const waiting = poll([{ stream: hand.stream, after: 'now' }], 25)
    await using polled = await openStream('/api/follow', { ...follow([{ stream: hand.stream, after: 'now' }]), token })
    await polled.take('caught_up')
    expect((await request(`/api/keys/${key}`, { method: 'DELETE' })).status).toBe(204)
    for (const one of [stream, polled]) {
      expect((await one.take('problem')).problem?.code).toBe('unauthenticated')
      await expect.poll(() => one.ended).toBe(true)
    }
    // Somebody else's goes on.
    await say('still here')
    expect((await waiting).some(({ t }) => t === 'events')).toBe(true)
  })
})

describe('polls', () => {
  it('[Y3] answer at once with what is there, and later as soon as there is news', async () => {
    await say('there')
    const there = await poll([{ stream: hand.stream, after: '0' }], 0)
    expect(there.map(({ t }) => t)).toEqual(['welcome', 'events', 'caught_up'])
    const { epoch, seq } = there.at(-1) ?? {}
    const waiting = poll([{ stream: hand.stream, after: `${epoch}.${seq}` }], 25)
    await waitFor(() => watched(hand.stream), { what: 'a poll that waits' })
    await say('news')
    const news = (await waiting).find(({ t }) => t === 'events')
    expect(news?.from).toBe((seq ?? 0) + 1)
  })

  it('[Y3] answer after their wait where nothing comes', async () => {
    const quiet = await poll([{ stream: hand.stream, after: 'now' }], 1)
    expect(quiet.map(({ t }) => t).filter((t) => t !== 'ephemeral')).toEqual(['welcome', 'caught_up'])
  })

  it('[Y3] one answer has an end: the rest comes with the next', async () => {
    const text = 'x'.repeat(60_000)
    for (let index = 0; index < 20; index += 1) await say(text)
    const head = (await live.stored(hand.session)).length
    const seqs: number[] = []
    let after = '0'
    let answers = 0
    for (;;) {
      const frames = await poll([{ stream: hand.stream, after }], 0)
      const pages = frames.filter(({ t }) => t === 'events')
      seqs.push(...pages.flatMap(seqsOf))
      const last = pages.at(-1)
      if (!last) break
      after = `${last.epoch}.${last.to}`
      answers += 1
    }
    expect(seqs).toEqual(Array.from({ length: head }, (_, index) => index + 1))
    expect(answers).toBeGreaterThan(2)
  })

  it('[Y6] one stream alone is polled with `wait`, too', async () => {
    const before = await (await request(`/api/sessions/${hand.session}/events`)).json()
    const { next } = before as { next: string }
    const waiting = request(`/api/sessions/${hand.session}/events?after=${next}&wait=25`)
    await say('news')
    const page = (await (await waiting).json()) as { events: unknown[]; next: string }
    expect(page.events).toHaveLength(1)
    const quiet = await request(`/api/sessions/${hand.session}/events?after=${page.next}&wait=1`)
    expect(await quiet.json()).toMatchObject({ events: [], next: page.next })
    expect((await request(`/api/sessions/${hand.session}/events?wait=26`)).status).toBe(400)
  })
})

describe('a server that goes down', () => {
  it('[Y7] says goodbye to streams and polls', async () => {
    const going = await startLiveServer()
    const { session, stream: name } = await going.startSession()
    const headers = { authorization: `Bearer ${going.token}` }
    const stream = await fetch(new URL(`/api/sessions/${session}/stream`, going.url), { headers })
    const waiting = fetch(new URL('/api/follow', going.url), {
      ...follow([{ stream: name, after: 'now' }], 25),
      headers: { ...headers, 'content-type': 'application/json' },
    })
    await using link = going.link()
    const watching = Promise.withResolvers<void>()
    link.ephemeral(({ kind }) => kind === 'watching' && watching.resolve())
    link.follow(name, 'now', { events: () => undefined })
    await watching.promise
    await going[Symbol.asyncDispose]()
    expect(await stream.text()).toMatch(/data: \{"t":"goodbye","code":"draining","retryAfterMs":1000\}\n\n$/)
    expect(await (await waiting).json()).toMatchObject({
      frames: expect.arrayContaining([expect.objectContaining({ t: 'goodbye' })]),
    })
  })
})

/** Whether anybody is told to follow the stream now. */
async function watched(stream: string): Promise<true | undefined> {
  await using link = live.link()
  const heard = Promise.withResolvers<true | undefined>()
  link.ephemeral((frame) => frame.kind === 'watching' && heard.resolve(true))
  link.follow(stream, 'now', { events: () => undefined })
  // Before the link is closed.
  return await heard.promise
}
