import { setTimeout as pause } from 'node:timers/promises'
import type { Link } from '@hotline/client/link'
import { openSessionList, type SessionList } from '@hotline/client/session-list'
import { openSessionView, type SessionView } from '@hotline/client/session-view'
import type { ApprovalItem, Item, MessageItem } from '@hotline/core/transcript/item'
import { emptyTranscript, foldTranscript } from '@hotline/core/transcript/transcript'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { FaultProxy } from '../src/fault-proxy.ts'
import type { HandRunner } from '../src/hand-runner.ts'
import { type LiveServer, startLiveServer } from '../src/live-server.ts'
import { waitFor } from '../src/wait-for.ts'

let live: LiveServer
let proxy: FaultProxy
const open: Disposable[] = []

beforeAll(async () => {
  live = await startLiveServer()
  proxy = live.proxy
})
afterEach(() => {
  proxy.restore()
  for (const one of open.splice(0)) one[Symbol.dispose]()
})
afterAll(async () => {
  await live[Symbol.asyncDispose]()
})

/** A link over the bad network. */
const link = (): Link => live.link({ url: live.proxyUrl })

/** A link whose frames, or whose answers over HTTP, come so many milliseconds later than they could. */
function lateLink(late: { events: number; answers: number }): Link {
  class LateWebSocket extends WebSocket {
    override addEventListener(type: string, listener: Parameters<EventTarget['addEventListener']>[1]): void {
      const later = (event: Event): void => {
        setTimeout(() => typeof listener === 'function' && listener(event), late.events)
      }
      super.addEventListener(type, type === 'message' && late.events > 0 ? later : listener)
    }
  }
  const prompt = live.link({ webSocket: LateWebSocket })
  return {
    ...prompt,
    request: async (...asked) => {
      const answer = await prompt.request(...asked)
      await pause(late.answers)
      return answer as never
    },
  }
}

function view(over: Link, { session }: HandRunner): SessionView {
  const opened = openSessionView(over, session)
  open.push(opened)
  return opened
}

const texts = (items: readonly Item[]): string[] =>
  items.filter((item): item is MessageItem => item.kind === 'message').map(({ text }) => text)
const isLive = (opened: SessionView): Promise<unknown> =>
  waitFor(() => opened.picture.value.status === 'live', { what: 'the view' })
/** Deltas of one message. */
const says = (message: string, ...pieces: string[]): Parameters<HandRunner['report']> =>
  pieces.map((text) => ({ type: 'message.delta' as const, data: { message }, body: { text } }))

describe('a view of one session', () => {
  it('[U1] shows at every moment what a replay of the whole log would show', async () => {
    const runner = await live.startSession()
    await runner.report(...says('m1', 'It ', 'was '))
    const opened = view(link(), runner)
    await isLive(opened)
    await runner.report(...says('m1', 'a dark ', 'night.'))
    await runner.report({
      type: 'message.completed',
      data: { message: 'm1', chars: 22 },
      body: { text: 'It was a dark night.' },
    })
    const { approval, digest } = await runner.ask({ tool: 'run', title: 'Run it', input: 'ls' })
    await waitFor(() => opened.picture.value.state?.approvals.length === 1, { what: 'the approval' })
    expect(await opened.decide(approval, digest, 'allow')).toMatchObject({ ok: true })
    await waitFor(() => opened.picture.value.state?.approvals[0]?.outcome === 'allowed', { what: 'the decision' })
    const stored = await live.stored(runner.session)
    await waitFor(() => opened.picture.value.transcript.seq === stored.length, { what: 'the end' })
    expect(opened.picture.value.transcript.items).toEqual(foldTranscript(emptyTranscript, stored).items)
    const snapshot = await live.link().request<{ state: unknown }>('GET', `/api/sessions/${runner.session}`)
    expect(snapshot).toMatchObject({
      ok: true,
      value: { state: JSON.parse(JSON.stringify(opened.picture.value.state)) },
    })
  })

  it.each([
    ['events come later than windows', { events: 40, answers: 0 }],
    ['windows come later than events', { events: 0, answers: 40 }],
  ] as const)('[U2] windows of a long session are joined to what came after them: %s', async (_name, late) => {
    const runner = await live.startSession()
    // One message that is streamed over the borders of three windows, with others in between.
    for (let round = 0; round < 55; round += 1) {
      await runner.report(
        ...says('long', `${round} `),
        ...Array.from({ length: 9 }, (_, at) => ({
          type: 'message.posted' as const,
          data: { message: `m${round}-${at}`, role: 'agent', chars: 1, queued: false },
          body: { text: `${round}.${at}` },
        })),
      )
    }
    const opened = view(lateLink(late), runner)
    await isLive(opened)
    expect(opened.picture.value.hasOlder).toBe(true)
    let round = 0
    while (opened.picture.value.hasOlder) {
      // The message goes on just before and while the window is read.
      await runner.report(...says('long', `before ${round} `))
      const [problem] = await Promise.all([opened.loadOlder(), runner.report(...says('long', `and ${round} `))])
      expect(problem).toBe(undefined)
      round += 1
    }
    await runner.report(...says('long', 'end.'))
    const stored = await live.stored(runner.session)
    await waitFor(() => opened.picture.value.transcript.seq === stored.length, { what: 'the end' })
    const whole = foldTranscript(emptyTranscript, stored)
    expect(opened.picture.value.transcript.items).toEqual(whole.items)
    expect(await opened.loadOlder()).toBe(undefined)
  })

  it('[U3] an approval in an old window shows that it was decided since', async () => {
    const runner = await live.startSession()
    const { approval, digest } = await runner.ask({ tool: 'run', title: 'Run it', input: 'ls' })
    for (let round = 0; round < 25; round += 1) {
      await runner.report(
        ...Array.from({ length: 10 }, (_, at) => ({
          type: 'output.appended' as const,
          data: { source: 'stdout', encoding: 'utf8', bytes: 2 },
          body: { text: `${at}\n` },
        })),
      )
    }
    const opened = view(link(), runner)
    await isLive(opened)
    const [, outcome] = await Promise.all([
      opened.loadOlder(),
      opened.decide(approval, digest, 'deny', { reason: 'no' }),
    ])
    expect(outcome).toMatchObject({ ok: true })
    const card = (): ApprovalItem | undefined =>
      opened.picture.value.transcript.items.find((item): item is ApprovalItem => item.kind === 'approval')
    await waitFor(() => card()?.outcome === 'denied', { what: 'the card to close' })
    expect(card()).toMatchObject({ request: { input: 'ls' }, reason: 'no' })
  })

  it('[U4] a message shows at once as unsent, and in the conversation once, whatever the network does', async () => {
    const runner = await live.startSession()
    const opened = view(link(), runner)
    await isLive(opened)
    const seen: string[] = []
    opened.picture.watch(({ unsent, transcript }) => {
      seen.push(`${unsent.length}+${texts(transcript.items).filter((text) => text === 'hello').length}`)
    })
    proxy.dropAnswer()
    const outcome = opened.send('hello')
    expect(opened.picture.value.unsent.map(({ text }) => text)).toEqual(['hello'])
    proxy.cut()
    proxy.restore()
    expect(await outcome).toMatchObject({ ok: true })
    await waitFor(() => opened.picture.value.unsent.length === 0, { what: 'the message in the conversation' })
    expect(texts(opened.picture.value.transcript.items)).toEqual(['hello'])
    expect(new Set(seen)).toEqual(new Set(['1+0', '0+1', ...seen.filter((one) => one === '1+1')]))
    expect(seen.at(-1)).toBe('0+1')
  })

  it('[U4] one that another tab or visit gave does not blink either when its answer is faster than its event', async () => {
    const runner = await live.startSession()
    const prompt = link()
    const late: Link = {
      ...prompt,
      follow: (stream, after, follower) =>
        prompt.follow(stream, after, {
          ...follower,
          events: (events, epoch) => void setTimeout(() => follower.events(events, epoch), 200),
        }),
    }
    const opened = view(late, runner)
    await isLive(opened)
    const seen: string[] = []
    opened.picture.watch(({ unsent, transcript }) => {
      seen.push(`${unsent.length}+${texts(transcript.items).filter((text) => text === 'hello').length}`)
    })
    // As other tabs give it: this view hears of it by the outbox alone.
    const { stream } = runner
    expect(await prompt.command(stream, 'message.send', { text: 'hello' })).toMatchObject({ ok: true })
    await waitFor(() => seen.at(-1) === '0+1', { what: 'the message in the conversation' })
    expect(seen[0]).toBe('1+0')
    expect(seen.slice(seen.indexOf('1+0'))).not.toContain('0+0')
    // What is refused has no event, and goes all the same.
    expect(await prompt.command(stream, 'message.send', { text: ' ' })).toMatchObject({ ok: false })
    await waitFor(() => opened.picture.value.unsent.length === 0, { what: 'the refused one to go' })
  })

  it('[U4] a refused message stays with its reason until it is thrown away', async () => {
    const runner = await live.startSession()
    const opened = view(link(), runner)
    await isLive(opened)
    expect(await opened.send(' ')).toMatchObject({ ok: false, problem: { code: 'message_empty' } })
    expect(opened.picture.value.unsent).toMatchObject([{ text: ' ', problem: { code: 'message_empty' } }])
    await opened.discard(opened.picture.value.unsent[0]?.id ?? '')
    expect(opened.picture.value.unsent).toEqual([])
  })

  it('[U5] while the server is away it waits; what is shown stays', async () => {
    const runner = await live.startSession()
    proxy.refuse()
    proxy.cut()
    const opened = view(link(), runner)
    await waitFor(() => opened.picture.value.problem?.code === 'unreachable', { what: 'the problem' })
    expect(opened.picture.value.status).toBe('loading')
    proxy.restore()
    await isLive(opened)
    expect(opened.picture.value.problem).toBe(undefined)
    proxy.cut()
    await waitFor(() => opened.connection.value.status !== 'open', { what: 'the loss' })
    expect(opened.picture.value.status).toBe('live')
    await runner.report(...says('m1', 'while you were away'))
    await waitFor(() => texts(opened.picture.value.transcript.items).length === 1, { what: 'what was missed' })
  })

  it('[U5] a session that is not there fails with the reason', async () => {
    const opened = openSessionView(link(), 'none')
    open.push(opened)
    await waitFor(() => opened.picture.value.status === 'failed', { what: 'the refusal' })
    expect(opened.picture.value.problem?.code).toBe('not_found')
  })

  it('[U6] a flood of events is folded in few steps, and watchers hear of whole pictures only', async () => {
    const runner = await live.startSession()
    const opened = view(link(), runner)
    await isLive(opened)
    let told = 0
    opened.picture.watch(() => (told += 1))
    for (let round = 0; round < 10; round += 1) {
      await runner.report(...Array.from({ length: 100 }, () => says('m', 'x')[0]).filter((one) => one !== undefined))
    }
    await waitFor(() => texts(opened.picture.value.transcript.items)[0]?.length === 1_000, { what: 'the flood' })
    expect(told).toBeLessThanOrEqual(60)
  })

  it('[U7] two views of one session over one link see the same', async () => {
    const runner = await live.startSession()
    const over = link()
    const first = view(over, runner)
    await isLive(first)
    await runner.report(...says('m1', 'one'))
    const second = view(over, runner)
    await isLive(second)
    await runner.report(...says('m1', ' two'))
    await waitFor(
      () => [first, second].every(({ picture }) => texts(picture.value.transcript.items)[0] === 'one two'),
      {
        what: 'both',
      },
    )
    first[Symbol.dispose]()
    await runner.report(...says('m1', ' three'))
    await waitFor(() => texts(second.picture.value.transcript.items)[0] === 'one two three', { what: 'the second' })
    expect(texts(first.picture.value.transcript.items)).toEqual(['one two'])
  })
})

describe('the list of sessions', () => {
  const list = (): SessionList => {
    const opened = openSessionList(link())
    open.push(opened)
    return opened
  }

  it('[U8] shows every session as it stands, the last one that changed first, and goes on by itself', async () => {
    const first = await live.startSession('the first')
    const opened = list()
    const row = (runner: HandRunner): { title: string; openApprovals: string[]; status: string } | undefined =>
      opened.picture.value.sessions.find(({ session }) => session === runner.session)
    await waitFor(() => row(first), { what: 'the first session' })
    const second = await live.startSession('the second')
    await waitFor(() => row(second)?.status === 'active', { what: 'the second session' })
    expect(opened.picture.value.sessions[0]?.session).toBe(second.session)
    const { approval } = await first.ask({ tool: 'run', title: 'Run it', input: 'ls' })
    await waitFor(() => row(first)?.openApprovals.length === 1, { what: 'the approval' })
    expect(row(first)?.openApprovals).toEqual([approval])
    expect(opened.picture.value.sessions[0]?.session).toBe(first.session)
    proxy.cut()
    const over = live.link()
    await over.command(first.stream, 'session.rename', { title: 'another name' })
    await waitFor(() => row(first)?.title === 'another name', { what: 'the new name after a reconnect' })
    const answer = await over.request<{ sessions: object[] }>('GET', '/api/sessions?limit=200')
    const rows = answer.ok ? answer.value.sessions : []
    expect(opened.picture.value.sessions.map((one) => ({ ...one, createdAt: '', updatedAt: '' }))).toEqual(
      rows.map((one) => ({ ...one, createdAt: '', updatedAt: '' })),
    )
  })

  it('[U8] waits while the server is away, and reads anew when asked', async () => {
    await live.startSession('while it is away')
    proxy.refuse()
    proxy.cut()
    const opened = list()
    await waitFor(() => opened.picture.value.problem?.code === 'unreachable', { what: 'the problem' })
    proxy.restore()
    await waitFor(() => opened.picture.value.status === 'live', { what: 'the list' })
    expect(opened.picture.value.problem).toBe(undefined)
    const before = opened.picture.value
    opened.refresh()
    await waitFor(() => opened.picture.value !== before, { what: 'the new list' })
    await waitFor(() => opened.picture.value.sessions.length > 0, { what: 'its rows' })
  })
})
