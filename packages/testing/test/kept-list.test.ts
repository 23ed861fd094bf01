import { join } from 'node:path'
import type { ClientStore } from '@hotline/client/client-store'
import { keptListForm } from '@hotline/client/kept-list'
import type { Link } from '@hotline/client/link'
import { openFolderStore } from '@hotline/client/node/folder-store'
import { openSessionList, type SessionList, type SessionListPicture } from '@hotline/client/session-list'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HandRunner } from '../src/hand-runner.ts'
import { type LiveServer, startLiveServer } from '../src/live-server.ts'
import { openTempDir, type TempDir } from '../src/temp-dir.ts'
import { waitFor } from '../src/wait-for.ts'

let live: LiveServer
let dir: TempDir
let store: ClientStore
const open: Disposable[] = []

beforeAll(async () => {
  live = await startLiveServer()
})
beforeEach(async () => {
  dir = await openTempDir()
  store = await openFolderStore(join(dir.path, 'store'))
})
afterEach(async () => {
  live.proxy.restore()
  for (const one of open.splice(0)) one[Symbol.dispose]()
  await dir.remove()
})
afterAll(() => live[Symbol.asyncDispose]())

interface Visit {
  list: SessionList
  /** Paths that were asked for over HTTP. */
  asked: string[]
  /** Every picture, from the first. */
  shown: SessionListPicture[]
  /** Events that came by follows. */
  events: number
}

function visit(): Visit {
  const link = live.link({ url: live.proxyUrl })
  const counts = { asked: [] as string[], shown: [] as SessionListPicture[], events: 0 }
  const spied: Link = {
    ...link,
    request: (method, path, body) => {
      counts.asked.push(path)
      return link.request(method, path, body)
    },
    follow: (stream, after, follower) =>
      link.follow(stream, after, {
        ...follower,
        events: (events, epoch) => {
          counts.events += events.length
          follower.events(events, epoch)
        },
      }),
  }
  const list = openSessionList(spied, store.list)
  list.picture.watch((picture) => void counts.shown.push(picture))
  open.push(list)
  return Object.assign(counts, { list })
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
  await waitFor(async () => (await store.list.read())?.sessions.some(({ session }) => session === last.session), {
    what: 'the list to be kept',
  })
}

describe('the list from one visit to the next', () => {
  it('[C23] it is shown at once with its age, and only what has come since is read', async () => {
    const first = await live.startSession('Seen before')
    await lookAndGo(first)
    const second = await live.startSession('Begun since')
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
    const whole = await live.link().request<{ sessions: object[] }>('GET', '/api/sessions?limit=200')
    expect(whole.ok && whole.value.sessions).toEqual(rows)
  })

  it('[C23] [U5] while the server is away it is shown as it was, and goes on from there', async () => {
    const hand = await live.startSession('Seen in time')
    await lookAndGo(hand)
    live.proxy.refuse()
    const next = visit()
    await waitFor(() => next.list.picture.value.problem !== undefined, { what: 'the server to be away' })
    expect(next.list.picture.value).toMatchObject({ status: 'live', asOf: expect.any(Number) as number })
    expect(titlesOf(next.list.picture.value)).toContain('Seen in time')
    live.proxy.restore()
    await isNow(next)
    expect(next.list.picture.value.problem).toBeUndefined()
  })

  it('[C23] one of another life of a log, or of other projects, is read anew', async () => {
    const hand = await live.startSession('Kept of old')
    await lookAndGo(hand)
    const kept = await store.list.read()
    if (!kept) throw new Error('nothing was kept')
    const strange = kept.sessions.map((row) => ({ ...row, title: 'Of another life' }))
    const [stream = '', cursor = ''] = Object.entries(kept.cursors)[0] ?? []
    for (const cursors of [
      { [stream]: `zzzzzzzz.${cursor.split('.')[1]}` },
      { ...kept.cursors, 'project:gone': cursor },
    ]) {
      await store.list.keep({ ...kept, sessions: strange, cursors })
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
    await Promise.all(Array.from({ length: 50 }, (_, n) => store.list.keep({ ...kept, keptAt: n })))
    expect(await store.list.read()).toEqual({ ...kept, keptAt: 49 })
    const forgotten = [store.list.keep(kept), store.list.keep(undefined)]
    await Promise.all(forgotten)
    expect(await store.list.read()).toBeUndefined()
  })

  it('[C21] [C23] what is forgotten stays forgotten, and a form of another version is not used', async () => {
    await lookAndGo(await live.startSession('Soon forgotten'))
    const kept = await store.list.read()
    if (!kept) throw new Error('nothing was kept')
    await store.list.keep({ ...kept, form: 0 })
    expect(await store.list.read()).toBeUndefined()
    await store.list.keep(kept)
    expect(await store.list.read()).toEqual(kept)
    await store.list.keep(undefined)
    expect(await store.list.read()).toBeUndefined()
    await store.list.clear()
    await store.list.keep(kept)
    expect(await store.list.read()).toBeUndefined()
  })
})
