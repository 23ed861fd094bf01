import { openReads, type Reads } from '@hotline/client/reads'
import { openSessionList } from '@hotline/client/session-list'
import type { Me } from '@hotline/protocol/http'
import { UnreadPage } from '@hotline/protocol/unread'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { HandRunner } from '../src/hand-runner.ts'
import { type LiveServer, startLiveServer } from '../src/live-server.ts'
import { waitFor } from '../src/wait-for.ts'

let live: LiveServer
let me: string
const open: Disposable[] = []
beforeAll(async () => {
  live = await startLiveServer({ env: { HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: '100000' } })
  const answer = await live.link().request<Me>('GET', '/api/me')
  if (!answer.ok) throw new Error(answer.problem.detail)
  me = answer.value.id
})
afterEach(() => {
  live.proxy.restore()
  for (const one of open.splice(0)) one[Symbol.dispose]()
})
afterAll(() => live[Symbol.asyncDispose]())

/** What one device knows, over its own connection. */
function device(url?: string): Reads {
  const link = live.link(url === undefined ? {} : { url })
  const list = openSessionList(link)
  const reads = openReads(link, me, list)
  open.push(reads, list)
  return reads
}
const knows = (reads: Reads, session: string, unread: number): Promise<unknown> =>
  waitFor(() => (reads.picture.value.get(session) ?? 0) === unread, { what: `${unread} to be unread` })

/** A turn in which the agent says something; answers where the session stands then. */
async function turn(hand: HandRunner, name: string): Promise<number> {
  await hand.report({ type: 'turn.started', data: { turn: name } })
  const outcome = await hand.report(
    { type: 'message.completed', data: { message: `m-${name}`, chars: 2 }, body: { text: 'Hi' } },
    { type: 'turn.ended', data: { turn: name, end: 'end' }, body: {} },
  )
  return outcome.ok ? outcome.accepted.seq : 0
}

it('[RM6] every device knows what is unread and what another has read, over a lost connection and a restart', async () => {
  const [desk, phone] = [device(), device(live.proxyUrl)]
  await live.link().command(`account:${me}`, 'account.begin', {})
  const hand = await live.startSession()
  const first = await turn(hand, 't1')
  await Promise.all([knows(desk, hand.session, 1), knows(phone, hand.session, 1)])
  desk.mark(hand.session, first, 1)
  await Promise.all([knows(desk, hand.session, 0), knows(phone, hand.session, 0)])
  live.proxy.cut()
  const second = await turn(hand, 't2')
  await knows(desk, hand.session, 1)
  live.proxy.restore()
  await knows(phone, hand.session, 1)
  await live.restart()
  await Promise.all([knows(desk, hand.session, 1), knows(phone, hand.session, 1)])
  phone.mark(hand.session, second, 2)
  await Promise.all([knows(desk, hand.session, 0), knows(phone, hand.session, 0)])
  // One that comes later has it from the server.
  await knows(device(), hand.session, 0)
  const page = await live.link().request('GET', `/api/unread?sessions=${hand.session},nowhere`)
  expect(page.ok && UnreadPage.parse(page.value)).toMatchObject({
    sessions: [{ session: hand.session, messages: 2, unread: 0, seq: second }],
    cursor: expect.any(String) as string,
  })
  expect(JSON.stringify(await live.stored(hand.session))).not.toContain('read.')
})
