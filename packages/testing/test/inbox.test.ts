import { openAskView, openInbox, type OpenAsk } from '@hotline/client/inbox'
import type { Link } from '@hotline/client/link'
import { openSessionList } from '@hotline/client/session-list'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
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

/** What is asked over a link, and every request that it makes for that. */
function inboxOver(link: Link): { asks: () => readonly OpenAsk[]; paths: string[]; further: () => number } {
  const paths: string[] = []
  const request: Link['request'] = (method, path, body) => {
    if (path.startsWith('/api/asks')) paths.push(path)
    return link.request(method, path, body)
  }
  const list = openSessionList(link)
  const inbox = openInbox({ ...link, request }, list)
  open.push(inbox, list)
  return { asks: () => inbox.picture.value.asks, paths, further: () => inbox.picture.value.further }
}

const ids = (asks: readonly OpenAsk[]): readonly string[] => asks.map(({ row }) => row.ask)

it('[C28] what is asked is known as it comes and goes, and each is read once', async () => {
  const first = await live.startSession('First')
  const old = await first.ask({ tool: 'bash', title: 'Old', input: 'npm test' })
  const { asks, paths } = inboxOver(live.link())
  await waitFor(() => ids(asks()).includes(old.approval), { what: 'what was asked before' })
  expect(asks()[0]).toMatchObject({
    row: { risk: 'medium', title: 'First' },
    item: { kind: 'approval', request: { input: 'npm test' } },
  })
  const second = await live.startSession('Second')
  const late = await second.ask({ tool: 'bash', title: 'Late', input: 'ls' })
  await waitFor(() => ids(asks()).includes(late.approval), { what: 'what is asked now' })
  expect(paths).toEqual([`/api/asks?sessions=${first.session}`, `/api/asks?sessions=${second.session}`])
  // What is not about what is asked reads nothing.
  await first.report({ type: 'turn.started', data: { turn: 't1' } })
  await live.link().command(first.stream, 'approval.decide', { ...old, verdict: 'deny' })
  await waitFor(() => !ids(asks()).includes(old.approval), { what: 'nothing of what was answered' })
  expect(paths).toHaveLength(2)
})

it('[C28] one that is looked at is followed until its end', async () => {
  const hand = await live.startSession('Looked at')
  const asked = await hand.ask({ tool: 'bash', title: 'Look', input: 'npm test' })
  const { asks } = inboxOver(live.link())
  await waitFor(() => ids(asks()).includes(asked.approval), { what: 'it' })
  const [ask] = asks().filter(({ row }) => row.ask === asked.approval)
  if (!ask) throw new Error('it is not there')
  const view = openAskView(live.link(), ask)
  open.push(view)
  const item = () => (view.item.value.kind === 'approval' ? view.item.value : undefined)
  const until = new Date(Date.now() + 30 * 3_600_000).toISOString()
  await live.link().command(hand.stream, 'approval.extend', { approval: asked.approval, until })
  await waitFor(() => item()?.expiresAt === until, { what: 'more time' })
  await hand.report({ type: 'turn.started', data: { turn: 't1' } })
  await live.link().command(hand.stream, 'approval.decide', { ...asked, verdict: 'allow' })
  await waitFor(() => item()?.outcome === 'allowed', { what: 'its end' })
  expect(item()).toMatchObject({ by: { kind: 'person' }, request: { input: 'npm test' } })
})

it('[C28] what could not be read while the server was away is read when it is back', async () => {
  const hand = await live.startSession('Away')
  const link = live.link({ url: live.proxyUrl })
  const { asks, further } = inboxOver(link)
  await waitFor(() => link.connection.value.status === 'open', { what: 'the connection' })
  live.proxy.refuse()
  live.proxy.cut()
  const asked = await hand.ask({ tool: 'bash', title: 'Meanwhile', input: 'npm test' })
  expect(ids(asks())).not.toContain(asked.approval)
  live.proxy.restore()
  await waitFor(() => ids(asks()).includes(asked.approval), { what: 'it, when the server is back' })
  expect(further()).toBe(0)
})
