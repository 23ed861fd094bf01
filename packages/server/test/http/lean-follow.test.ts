import type { Envelope } from '@hotline/protocol/event'
import { openLink, type LinkOptions } from '@hotline/client/open-link'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { enterRaw, heard, say, type Said } from '@hotline/testing/raw-conversation'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let live: LiveServer
beforeAll(async () => {
  live = await startLiveServer()
})
afterAll(() => live[Symbol.asyncDispose]())

const output = { source: 'stdout', encoding: 'utf8', bytes: 4 } as const
const left = ['output.appended', 'screen.saved', 'message.delta', 'step.finished']

/** What an agent reports and, last, what its runner cannot know by itself. */
async function fill(hand: HandRunner): Promise<void> {
  await hand.report(
    { type: 'output.appended', data: output, body: { text: 'text' } },
    { type: 'screen.saved', data: { cols: 80, rows: 24 }, body: { text: 'text', plain: 'text' } },
    { type: 'message.delta', data: { message: 'm1' }, body: { text: 'te","hash":"xt' } },
    { type: 'step.started', data: { step: 's1', kind: 'execute' }, body: { title: 'List', input: 'ls' } },
    { type: 'step.finished', data: { step: 's1', outcome: 'done' }, body: { output: 'text' } },
  )
  const { stream } = hand
  const sent = await live.link().command(stream, 'message.send', { text: 'hello' })
  expect(sent).toMatchObject({ ok: true })
}

function lean({ body, ...event }: Envelope): Envelope {
  return left.includes(event.type) || event.type === 'step.started' ? event : { ...event, ...(body && { body }) }
}

const enter = (): ReturnType<typeof enterRaw> => enterRaw(Number(new URL(live.url).port), live.token)

async function eventsUntil(socket: Awaited<ReturnType<typeof enter>>, last: number): Promise<Envelope[]> {
  const events: Envelope[] = []
  while (events.at(-1)?.seq !== last) {
    const frame: Said = await heard(socket, ({ t }) => t === 'events')
    events.push(...(frame['events'] as Envelope[]))
  }
  return events
}

describe('a follow that leaves output out', () => {
  it('[F6] gets every event in its place and with its hash, of what agents print and say without the body, early and late', async () => {
    const hand = await live.startSession()
    await using early = await enter()
    await using whole = await enter()
    await fill(hand)
    const old = await live.stored(hand.session)
    const before = old.length
    // The same page of the store, first whole and then without.
    await say(whole, { t: 'follow', stream: hand.stream, after: '0' })
    expect(await eventsUntil(whole, before)).toEqual(old)
    await say(early, { t: 'follow', stream: hand.stream, after: '0', without: 'output' })
    expect(await eventsUntil(early, before)).toEqual(old.map(lean))
    await fill(hand)
    const stored = await live.stored(hand.session)
    const fresh = stored.slice(before)
    expect(fresh.map(({ type }) => type)).toEqual(expect.arrayContaining(left))
    expect(await eventsUntil(early, stored.length)).toEqual(fresh.map(lean))
    expect(await eventsUntil(whole, stored.length)).toEqual(fresh)
    await using late = await enter()
    await say(late, { t: 'follow', stream: hand.stream, after: '0', without: 'output' })
    expect(await eventsUntil(late, stored.length)).toEqual(stored.map(lean))
    // Asked for anew, it is whole again.
    await say(late, { t: 'follow', stream: hand.stream, after: '0' })
    expect(await eventsUntil(late, stored.length)).toEqual(stored)
  })

  it('[F6] is taken over HTTP as well, and what cannot be left out is refused', async () => {
    const hand = await live.startSession()
    await fill(hand)
    const stored = await live.stored(hand.session)
    const ask = (without: string): Promise<Response> =>
      fetch(new URL('/api/follow', live.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${live.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ follows: [{ stream: hand.stream, after: '0', without }], wait: 0 }),
      })
    const { frames } = (await (await ask('output')).json()) as { frames: Said[] }
    expect(frames[0]).toMatchObject({ t: 'welcome', without: ['output'] })
    expect(frames.flatMap(({ events = [] }) => events)).toEqual(stored.map(lean))
    expect((await ask('everything')).status).toBe(400)
    await using socket = await enter()
    await say(socket, { t: 'follow', stream: hand.stream, after: '0', without: 'everything' })
    expect(await heard(socket, ({ t }) => t === 'problem')).toMatchObject({ problem: { code: 'invalid_frame' } })
  })

  it.each(['websocket', 'stream', 'poll'] as const)(
    '[F6] is what a link asks for that wants it, over a %s too',
    async (transport) => {
      const hand = await live.startSession()
      await fill(hand)
      const stored = await live.stored(hand.session)
      const follow = async (options: Partial<LinkOptions>): Promise<Envelope[]> => {
        const credential = { kind: 'token', token: live.token } as const
        const link = openLink({ url: live.url, credential, transports: [transport], ...options })
        try {
          const events: Envelope[] = []
          link.follow(hand.stream, '0', { events: (more) => void events.push(...more) })
          await waitFor(() => events.length === stored.length, { what: 'all events' })
          return events
        } finally {
          await link[Symbol.asyncDispose]()
        }
      }
      expect(await follow({ without: 'output' })).toEqual(stored.map(lean))
      expect(await follow({})).toEqual(stored)
    },
  )
})
