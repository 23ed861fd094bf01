import { systemClock } from '@hotline/client/clock'
import { openSnoozes, type Snoozes } from '@hotline/client/snoozes'
import { askKey } from '@hotline/core/account/ask-key'
import type { Me } from '@hotline/protocol/http'
import { accountStream } from '@hotline/protocol/stream'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { handClock } from '../src/hand-clock.ts'
import { type LiveServer, startLiveServer } from '../src/live-server.ts'
import { waitFor } from '../src/wait-for.ts'

let live: LiveServer
let me: string
const open: Disposable[] = []
beforeAll(async () => {
  live = await startLiveServer({ env: { HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: '100000' } })
})
beforeEach(async () => {
  const answer = await live.link().request<Me>('GET', '/api/me')
  if (!answer.ok) throw new Error(answer.problem.detail)
  me = answer.value.id
})
afterEach(() => {
  live.proxy.restore()
  for (const one of open.splice(0)) one[Symbol.dispose]()
})
afterAll(() => live[Symbol.asyncDispose]())

/** What one device knows, by its own clock and over its own connection. */
function device(options: { url?: string; clock?: typeof systemClock } = {}): Snoozes {
  const { clock = systemClock, ...more } = options
  const snoozes = openSnoozes(live.link(more), me, clock)
  open.push(snoozes)
  return snoozes
}
const known = ({ picture }: Snoozes): string[] => [...picture.value.keys()].toSorted()
const knows = (snoozes: Snoozes, ...keys: string[]): Promise<unknown> =>
  waitFor(() => JSON.stringify(known(snoozes)) === JSON.stringify(keys.toSorted()), {
    what: `it to know ${keys.join()}`,
  })

async function asking(): Promise<{ session: string; ask: string; key: string }> {
  const hand = await live.startSession()
  const { approval } = await hand.ask({ tool: 'bash', title: 'Run', input: 'npm test' })
  return { session: hand.session, ask: approval, key: askKey(hand.session, approval) }
}

async function putAside(asked: { session: string; ask: string }, untilMs: number): Promise<void> {
  const { session, ask } = asked
  const until = new Date(untilMs).toISOString()
  const outcome = await live.link().command(accountStream(me), 'ask.snooze', { session, ask, until })
  expect(outcome).toMatchObject({ ok: true, accepted: { until } })
}

it('[SN6] every device knows what another puts aside and brings back, from the first on, over a lost connection and a restart', async () => {
  const [first, second] = [await asking(), await asking()]
  const [desk, phone] = [device(), device({ url: live.proxyUrl })]
  const soon = Date.now() + 3_600_000
  // Nothing was ever put aside: both are told of the very first.
  await putAside(first, soon)
  await Promise.all([knows(desk, first.key), knows(phone, first.key)])

  live.proxy.cut()
  await putAside(second, soon)
  live.proxy.restore()
  await knows(phone, first.key, second.key)
  await live.restart()
  await live.link().command(accountStream(me), 'ask.unsnooze', { session: first.session, ask: first.ask })
  await Promise.all([knows(desk, second.key), knows(phone, second.key), knows(device(), second.key)])
})

it('[SN6] it comes back at its time by the clock of the device, and one that is over is never known', async () => {
  const [first, second] = [await asking(), await asking()]
  const clock = handClock()
  const desk = device({ clock })
  await putAside(first, clock.wallMs() + 15 * 60_000)
  await putAside(second, clock.wallMs() + 20 * 60_000)
  await waitFor(() => desk.picture.value.has(first.key) && desk.picture.value.has(second.key), { what: 'both' })
  clock.advance(15 * 60_000 - 1)
  expect([desk.picture.value.has(first.key), desk.picture.value.has(second.key)]).toEqual([true, true])
  clock.advance(1)
  expect([desk.picture.value.has(first.key), desk.picture.value.has(second.key)]).toEqual([false, true])
  clock.advance(2 * 3_600_000)
  expect(known(desk)).toEqual([])
  // The server still has the others, by its own clock.
  const late = device({ clock })
  await putAside(first, clock.wallMs() + 60 * 60_000)
  await knows(late, first.key)
})
