import { keptListForm } from '@hotline/client/kept-list'
import { openSessionList, type SessionList, type SessionListPicture } from '@hotline/client/session-list'
import { describe, expect, it } from 'vitest'
import type { HandRunner } from '../src/hand-runner.ts'
import { waitFor } from '../src/wait-for.ts'
import { type Counted, keptScene } from './kept-scene.ts'

const scene = keptScene()

interface Visit extends Counted {
  list: SessionList
  /** Every picture, from the first. */
  shown: SessionListPicture[]
}

function visit(): Visit {
  const { link, counts } = scene.countedLink()
  const shown: SessionListPicture[] = []
  const list = openSessionList(link, scene.store.list)
  list.picture.watch((picture) => void shown.push(picture))
  scene.endsWithTest(list)
  return Object.assign(counts, { list, shown })
}

const isNow = ({ list }: Visit): Promise<unknown> =>
  waitFor(() => list.picture.value.status === 'live' && list.picture.value.asOf === undefined, {
    what: 'the list as of now',
  })

const titlesOf = ({ sessions }: SessionListPicture): string[] => sessions.map(({ title }) => title)

/** A visit that has seen everything and is over, with what it has seen kept. */
async function lookAndGo(last: HandRunner): Promise<void> {
  const seen = visit()
  await isNow(seen)
  await waitFor(
    () =>
      seen.list.picture.value.sessions.some(({ session, status }) => session === last.session && status === 'active'),
    {
      what: 'the last session',
    },
  )
  seen.list[Symbol.dispose]()
  await waitFor(async () => (await scene.store.list.read())?.sessions.some(({ session }) => session === last.session), {
    what: 'the list to be kept',
  })
}

describe('the list from one visit to the next', () => {
  it('[C23] it is shown at once with its age, and only what has come since is read', async () => {
    const first = await scene.live.startSession('Seen before')
    await lookAndGo(first)
    const second = await scene.live.startSession('Begun since')
    await first.ask({ tool: 'bash', title: 'Run it', input: 'ls' })
    const next = visit()
    await isNow(next)
    const [earliest] = next.shown
    expect(titlesOf(earliest as SessionListPicture)).toContain('Seen before')
    expect(titlesOf(earliest as SessionListPicture)).not.toContain('Begun since')
    expect(Date.now() - (earliest?.asOf ?? 0)).toBeLessThan(60_000)
    const rows = next.list.picture.value.sessions
    expect(rows.find(({ session }) => session === second.session)).toMatchObject({
      title: 'Begun since',
      status: 'active',
    })
    expect(rows.find(({ session }) => session === first.session)?.openApprovals).toHaveLength(1)
    // No page of rows was read, and every row is as the server has it.
    expect(next.asked).toEqual(['/api/sessions?limit=1'])
    const whole = await scene.live.link().request<{ sessions: object[] }>('GET', '/api/sessions?limit=200')
    expect(whole.ok && whole.value.sessions).toEqual(rows)
  })

  it('[C23] [U5] while the server is away it is shown as it was, and goes on from there', async () => {
    const hand = await scene.live.startSession('Seen in time')
    await lookAndGo(hand)
    scene.live.proxy.refuse()
    const next = visit()
    await waitFor(() => next.list.picture.value.problem !== undefined, { what: 'the server to be away' })
    expect(next.list.picture.value).toMatchObject({ status: 'live', asOf: expect.any(Number) as number })
    expect(titlesOf(next.list.picture.value)).toContain('Seen in time')
    scene.live.proxy.restore()
    await isNow(next)
    expect(next.list.picture.value.problem).toBeUndefined()
  })

  it('[C23] one of another life of a log, or of other projects, is read anew', async () => {
    const hand = await scene.live.startSession('Kept of old')
    await lookAndGo(hand)
    const kept = await scene.store.list.read()
    if (!kept) throw new Error('nothing was kept')
    const strange = kept.sessions.map((row) => ({ ...row, title: 'Of another life' }))
    const [stream = '', cursor = ''] = Object.entries(kept.cursors)[0] ?? []
    for (const cursors of [
      { [stream]: `zzzzzzzz.${cursor.split('.')[1]}` },
      { ...kept.cursors, 'project:gone': cursor },
    ]) {
      await scene.store.list.keep({ ...kept, sessions: strange, cursors })
      const next = visit()
      await isNow(next)
      expect(titlesOf(next.shown[0] as SessionListPicture)).toContain('Of another life')
      expect(titlesOf(next.list.picture.value)).not.toContain('Of another life')
      expect(titlesOf(next.list.picture.value)).toContain('Kept of old')
      next.list[Symbol.dispose]()
    }
  })

  it('[C23] what was kept last is what is there, however fast one follows the other', async () => {
    const kept = { form: keptListForm, keptAt: 1, sessions: [], next: null, cursors: {}, whole: true }
    await Promise.all(Array.from({ length: 50 }, (_, n) => scene.store.list.keep({ ...kept, keptAt: n })))
    expect(await scene.store.list.read()).toEqual({ ...kept, keptAt: 49 })
    const forgotten = [scene.store.list.keep(kept), scene.store.list.keep(undefined)]
    await Promise.all(forgotten)
    expect(await scene.store.list.read()).toBeUndefined()
  })

  it('[C21] [C23] what is forgotten stays forgotten, and a form of another version is not used', async () => {
    await lookAndGo(await scene.live.startSession('Soon forgotten'))
    const kept = await scene.store.list.read()
    if (!kept) throw new Error('nothing was kept')
    await scene.store.list.keep({ ...kept, form: 0 })
    expect(await scene.store.list.read()).toBeUndefined()
    await scene.store.list.keep(kept)
    expect(await scene.store.list.read()).toEqual(kept)
    await scene.store.list.keep(undefined)
    expect(await scene.store.list.read()).toBeUndefined()
    await scene.store.list.clear()
    await scene.store.list.keep(kept)
    expect(await scene.store.list.read()).toBeUndefined()
  })
})
