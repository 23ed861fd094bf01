import type { Link } from '@hotline/client/link'
import { sessionCommands } from '@hotline/client/session-commands'
import { openSessionList, type SessionList } from '@hotline/client/session-list'
import { openSessionView } from '@hotline/client/session-view'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { HandRunner } from '../src/hand-runner.ts'
import { type LiveServer, startLiveServer } from '../src/live-server.ts'
import { waitFor } from '../src/wait-for.ts'

let live: LiveServer
const open: Disposable[] = []

beforeAll(async () => {
  live = await startLiveServer({ env: { HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: '100000' } })
})
afterEach(() => {
  live.proxy.restore()
  for (const one of open.splice(0)) one[Symbol.dispose]()
})
afterAll(() => live[Symbol.asyncDispose]())

function listOver(link: Link): SessionList {
  const list = openSessionList(link)
  open.push(list)
  return list
}

const isLive = (list: SessionList): Promise<unknown> =>
  waitFor(() => list.picture.value.status === 'live', { what: 'a live list' })

const rowOf = (list: SessionList, { session }: HandRunner) =>
  list.picture.value.sessions.find((row) => row.session === session)

it('[C17] a list of sessions knows at once what others start, and what changes there', async () => {
  const list = listOver(live.link())
  await isLive(list)
  const hand = await live.startSession('Started by another')
  await waitFor(() => rowOf(list, hand)?.status === 'active', { what: 'its row' })
  const before = rowOf(list, hand)
  expect(before).toMatchObject({ title: 'Started by another', turn: 'idle', openApprovals: [] })
  await hand.ask({ tool: 'bash', title: 'Run it', input: 'ls' })
  await waitFor(() => rowOf(list, hand)?.openApprovals.length === 1, { what: 'its question' })
  expect(rowOf(list, hand)).toMatchObject({ turn: 'waiting', createdAt: before?.createdAt, title: before?.title })
  expect(list.picture.value.sessions[0]?.session).toBe(hand.session)
})

it('[C17] a list says what agents do, and nothing of it while the connection is away', async () => {
  const list = listOver(live.link({ url: live.proxyUrl }))
  await isLive(list)
  const hand = await live.startSession('At work')
  const doing = () => list.picture.value.doing.get(hand.session)
  await hand.report(
    { type: 'turn.started', data: { turn: 't1' } },
    { type: 'step.started', data: { step: 's1', kind: 'read' }, body: { title: 'a.ts' } },
  )
  await waitFor(() => doing() !== undefined, { what: 'what it does' })
  expect(doing()?.step).toMatchObject({ kind: 'read', object: 'a.ts', over: false })
  live.proxy.refuse()
  live.proxy.cut()
  await waitFor(() => doing() === undefined, { what: 'nothing, out of contact' })
  live.proxy.restore()
  await waitFor(() => doing() !== undefined, { what: 'it again' })
  await hand.report({ type: 'turn.ended', data: { turn: 't1', end: 'end' } })
  await waitFor(() => doing() === undefined, { what: 'nothing after its turn' })
})

it('[C17] older sessions come page by page; those that can go on are there from the start', async () => {
  const first = await live.startSession('The first of many')
  // A page holds two hundred.
  const others: HandRunner[] = []
  for (let at = 0; at < 205; at += 1) others.push(await live.startSession(`Session ${at}`))
  for (const hand of others) {
    await hand.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'interrupted', reason: 'agent_lost' },
      body: {},
    })
  }
  const list = listOver(live.link())
  await isLive(list)
  expect(rowOf(list, first)?.title).toBe('The first of many')
  const { length } = list.picture.value.sessions
  expect(list.picture.value.hasOlder).toBe(true)
  expect(await list.loadOlder()).toBeUndefined()
  expect(list.picture.value.sessions.length).toBeGreaterThanOrEqual(length)
  while (list.picture.value.hasOlder) await list.loadOlder()
  expect(new Set(list.picture.value.sessions.map(({ session }) => session)).size).toBe(
    list.picture.value.sessions.length,
  )
  for (const hand of others) expect(rowOf(list, hand)?.status).toBe('interrupted')
  expect(await list.loadOlder()).toBeUndefined()
  list.refresh()
  await waitFor(() => list.picture.value.hasOlder, { what: 'the list from its beginning' })
})

it('[C17] a list that may not be read says why; one whose server is away stays and goes on by itself', async () => {
  const stranger = listOver(live.link({ credential: { kind: 'token', token: 'hlt_nobody_has_this' } }))
  await waitFor(() => stranger.picture.value.status === 'failed', { what: 'the refusal' })
  expect(stranger.picture.value.problem?.code).toBe('unauthenticated')
  live.proxy.refuse()
  const list = listOver(live.link({ url: live.proxyUrl }))
  await waitFor(() => list.picture.value.problem !== undefined, { what: 'a passing problem' })
  expect(list.picture.value.status).toBe('loading')
  live.proxy.restore()
  await isLive(list)
  expect(list.picture.value.problem).toBeUndefined()
})

it('[C18] each thing that a person can do to a session is one command, and its answer says what became of it', async () => {
  const hand = await live.startSession('To be led')
  const link = live.link()
  const view = openSessionView(link, hand.session)
  open.push(view)
  const does = sessionCommands((type, data) => link.command(hand.stream, type, data))
  const accepted = async (outcome: ReturnType<typeof does.resume>): Promise<void> =>
    expect(await outcome).toMatchObject({ ok: true })
  const refused = async (outcome: ReturnType<typeof does.resume>, code: string): Promise<void> =>
    expect(await outcome).toMatchObject({ ok: false, problem: { code } })

  await accepted(does.rename('Led'))
  await hand.report({ type: 'turn.started', data: { turn: 't1' } })
  const ids: string[] = []
  for (const text of ['one', 'two', 'three']) {
    const sent = await does.command('message.send', { text })
    const id = sent.ok ? sent.accepted.id : undefined
    expect(id).toBeDefined()
    ids.push(id ?? '')
  }
  await accepted(does.edit(ids[0] ?? '', 'one, better'))
  await accepted(does.reorder(ids.toReversed()))
  await accepted(does.withdraw(ids[1] ?? ''))
  const { approval, digest } = await hand.ask({ tool: 'bash', title: 'Run it', input: 'ls' })
  await refused(does.decide(approval, 'f'.repeat(64), 'deny'), 'digest_mismatch')
  await accepted(does.decide(approval, digest, 'deny', { reason: 'not now' }))
  await refused(does.answer('nobody-asked', 'accept', { a: 1 }), 'already_resolved')
  await accepted(does.interrupt('enough'))
  await refused(does.setMode('no such mode'), 'unsupported')
  await refused(does.input('a'), 'unsupported')
  await refused(does.resize(80, 24), 'unsupported')
  await accepted(does.pause('lunch'))
  await refused(does.resume(), 'invalid_transition')
  await accepted(does.complete('all done'))
  await refused(does.abort('twice'), 'invalid_transition')
  const stored = await live.stored(hand.session)
  expect(stored.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['session.renamed', 'message.edited', 'message.withdrawn', 'approval.resolved']),
  )
})
