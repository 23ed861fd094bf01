import { forgetErased } from '@hotline/client/forget-erased'
import { openSessionList } from '@hotline/client/session-list'
import { openSessionView, type SessionView } from '@hotline/client/session-view'
import { describe, expect, it } from 'vitest'
import type { HandRunner } from '../src/hand-runner.ts'
import { waitFor } from '../src/wait-for.ts'
import { keptScene } from './kept-scene.ts'

const scene = keptScene()

function visit({ session }: HandRunner): SessionView {
  const view = openSessionView(scene.countedLink().link, session, scene.store.sessions)
  scene.endsWithTest(view)
  return view
}

const keptWords = async ({ session }: HandRunner): Promise<string | undefined> => {
  const kept = await scene.store.sessions.read(session)
  return kept && JSON.stringify(kept)
}

/** A session that is over, in which a secret was said so often. */
async function talked(times = 1): Promise<HandRunner> {
  const hand = await scene.live.startSession('A secret title')
  const said = Array.from({ length: times }, (_, at) => ({
    type: 'message.posted' as const,
    data: { message: `m${at}`, role: 'agent' as const, queued: false, chars: 8 },
    body: { text: `secret ${at}` },
  }))
  for (let at = 0; at < times; at += 50) await hand.report(...said.slice(at, at + 50))
  const link = scene.live.link()
  await link.command(hand.stream, 'session.complete', {})
  const data = { from: 'active', to: 'completed', reason: 'goal_reached' } as const
  await hand.report({ type: 'session.state_changed', data, body: {} })
  return hand
}

async function erase({ stream }: HandRunner): Promise<void> {
  const link = scene.live.link()
  const confirmed = await link.request('POST', '/api/auth/confirm', { password: 'a long walk over the wet meadow' })
  expect(confirmed).toMatchObject({ ok: true })
  expect(await link.command(stream, 'session.erase', {})).toMatchObject({ ok: true })
}

const shows = ({ picture }: SessionView, text: string): Promise<unknown> =>
  waitFor(() => JSON.stringify(picture.value.transcript.items).includes(text), { what: `"${text}" to be shown` })
const keeps = (hand: HandRunner, text: string): Promise<unknown> =>
  waitFor(async () => (await keptWords(hand))?.includes(text) === true, { what: `"${text}" to be kept` })

describe('a session that is erased', () => {
  it('[TK12] while it is looked at, nothing of it stays on the screen or is kept, and there is nothing older', async () => {
    const hand = await talked(300)
    const view = visit(hand)
    await shows(view, 'secret 299')
    await keeps(hand, 'secret 299')
    expect(view.picture.value.hasOlder).toBe(true)
    await erase(hand)
    await shows(view, 'This conversation was deleted.')
    const { transcript, state, hasOlder } = view.picture.value
    expect(JSON.stringify([transcript.items, state])).not.toContain('secret')
    expect(hasOlder).toBe(false)
    await keeps(hand, 'content.erased')
    expect(await keptWords(hand)).not.toContain('secret')
  })

  it('[TK12] one that was kept is shown as deleted at the next visit, and forgotten', async () => {
    const hand = await talked()
    const first = visit(hand)
    await keeps(hand, 'secret 0')
    first[Symbol.dispose]()
    await erase(hand)
    const next = visit(hand)
    await shows(next, 'This conversation was deleted.')
    expect(JSON.stringify(next.picture.value.transcript.items)).not.toContain('secret')
    await waitFor(async () => (await keptWords(hand))?.includes('secret') === false, { what: 'it to be forgotten' })
  })

  it('[TK12] one that nobody opens again is forgotten with the list', async () => {
    const [now, later] = [await talked(), await talked()]
    for (const hand of [now, later]) {
      const view = visit(hand)
      await keeps(hand, 'secret 0')
      view[Symbol.dispose]()
    }
    await erase(now)
    const list = openSessionList(scene.countedLink().link, scene.store.list)
    scene.endsWithTest(list)
    const stop = forgetErased(list.picture, scene.store.sessions)
    scene.endsWithTest({ [Symbol.dispose]: stop })
    await waitFor(async () => (await keptWords(now)) === undefined, {
      what: 'what the first page says to be forgotten',
    })
    expect(await keptWords(later)).toContain('secret 0')
    await erase(later)
    await waitFor(async () => (await keptWords(later)) === undefined, { what: 'what a line says to be forgotten' })
  })
})
