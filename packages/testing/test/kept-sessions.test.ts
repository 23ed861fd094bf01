import { readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { evolveSession } from '@hotline/core/session/evolve'
import type { SessionState } from '@hotline/core/session/state'
import { emptyTranscript, foldTranscript } from '@hotline/core/transcript/transcript'
import type { ClientStore } from '@hotline/client/client-store'
import { openFolderStore } from '@hotline/client/node/folder-store'
import { openSessionView, type SessionView } from '@hotline/client/session-view'
import { beforeEach, describe, expect, it } from 'vitest'
import type { HandRunner } from '../src/hand-runner.ts'
import { waitFor } from '../src/wait-for.ts'
import { type Counted, keptScene } from './kept-scene.ts'

const scene = keptScene()
let hand: HandRunner
beforeEach(async () => {
  hand = await scene.live.startSession()
})

/** A visit, and what it asks of the server. */
function visit(sessions = scene.store.sessions): Counted & { view: SessionView } {
  const { link, counts } = scene.countedLink()
  const view = openSessionView(link, hand.session, sessions)
  scene.endsWithTest(view)
  return Object.assign(counts, { view })
}

let said = 0
const says = (text: string): Parameters<HandRunner['report']>[0] => ({
  type: 'message.posted',
  data: { message: `m${(said += 1)}`, role: 'agent', queued: false, chars: text.length },
  body: { text },
})
const isNow = ({ picture }: SessionView): Promise<unknown> =>
  waitFor(() => picture.value.status === 'live' && picture.value.asOf === undefined, { what: 'the view as of now' })
const reaches = ({ picture }: SessionView, seq: number): Promise<unknown> =>
  waitFor(() => picture.value.transcript.seq >= seq, { what: `event ${seq}` })
const keptAs = (cursor: string): Promise<unknown> =>
  waitFor(async () => (await scene.store.sessions.read(hand.session))?.cursor === cursor, {
    what: `kept up to ${cursor}`,
  })

/** The picture is what a replay of the whole log shows. */
async function expectTrue({ picture }: SessionView): Promise<number> {
  const events = await scene.live.stored(hand.session)
  await reaches({ picture } as SessionView, events.length)
  let state: SessionState | undefined
  for (const event of events) state = evolveSession(state, event)
  expect(picture.value.state).toEqual(JSON.parse(JSON.stringify(state)))
  expect(picture.value.transcript.items).toEqual(foldTranscript(emptyTranscript, events).items)
  return events.length
}

/** Sees the session once, and leaves it. */
async function seeOnce(): Promise<string> {
  const first = visit()
  await isNow(first.view)
  const head = (await scene.live.stored(hand.session)).length
  await reaches(first.view, head)
  first.view[Symbol.dispose]()
  await waitFor(async () => (await scene.store.sessions.read(hand.session)) !== undefined, { what: 'what was kept' })
  return `${(await scene.store.sessions.read(hand.session))?.cursor.split('.')[0]}.${head}`
}

describe('a session that was seen before', () => {
  it('[C22] is shown at once, without the server, and only what is new is read', async () => {
    for (let at = 0; at < 20; at += 1) await hand.report(says(`line ${at}`))
    const cursor = await seeOnce()
    await keptAs(cursor)
    scene.live.proxy.refuse()
    scene.live.proxy.cut()
    const away = visit()
    await waitFor(() => away.view.picture.value.asOf, { what: 'what was kept' })
    expect(away.view.picture.value).toMatchObject({ status: 'live', state: { session: hand.session } })
    expect(away.view.picture.value.transcript.seq).toBe(Number(cursor.split('.')[1]))
    await hand.report(says('meanwhile'), says('and more'))
    scene.live.proxy.restore()
    away.view.connection.watch(() => undefined)
    await isNow(away.view)
    await expectTrue(away.view)
    expect(away.after).toEqual([cursor])
    expect(away.events).toBe(2)
    expect(away.asked.filter((path) => path.includes('transcript'))).toEqual([])
  })

  it('[C22] older windows join what was kept, and what was kept is bounded', async () => {
    for (let at = 0; at < 8; at += 1) {
      await hand.report(...Array.from({ length: 50 }, (_, number) => says(`line ${at} ${number}`)))
    }
    await seeOnce()
    const next = visit()
    await isNow(next.view)
    await hand.report(...Array.from({ length: 100 }, (_, number) => says(`then ${number} ${'x'.repeat(4_000)}`)))
    await reaches(next.view, (await scene.live.stored(hand.session)).length)
    next.view[Symbol.dispose]()
    await waitFor(async () => ((await scene.store.sessions.read(hand.session))?.events.length ?? 0) < 100, {
      what: 'the trim',
    })
    const kept = await scene.store.sessions.read(hand.session)
    expect(JSON.stringify(kept?.events).length).toBeLessThan(300_000)
    expect(kept?.before).toBe(kept?.events[0]?.seq)
    const last = visit()
    await isNow(last.view)
    while (last.view.picture.value.hasOlder) expect(await last.view.loadOlder()).toBeUndefined()
    await expectTrue(last.view)
  })

  it('[C22] of another life of the log, or far behind, nothing is used but the first look', async () => {
    const cursor = await seeOnce()
    await keptAs(cursor)
    const kept = await scene.store.sessions.read(hand.session)
    if (!kept) throw new Error('nothing was kept')
    await scene.store.sessions.keep({ ...kept, cursor: `another1.${cursor.split('.')[1]}` })
    const another = visit()
    await isNow(another.view)
    await expectTrue(another.view)
    expect(another.asked.filter((path) => path.includes('transcript'))).toHaveLength(1)
    another.view[Symbol.dispose]()
    await keptAs(cursor)
    for (let at = 0; at < 3; at += 1) await hand.report(...Array.from({ length: 400 }, () => says('x')))
    const far = visit()
    await isNow(far.view)
    expect(far.events).toBe(0)
    expect(far.view.picture.value.transcript.seq).toBe((await scene.live.stored(hand.session)).length)
  })

  it('[C22] one that must not be read any more is forgotten', async () => {
    const cursor = await seeOnce()
    await keptAs(cursor)
    const kept = await scene.store.sessions.read(hand.session)
    if (!kept) throw new Error('nothing was kept')
    await scene.store.sessions.keep({ ...kept, session: 'not-mine' })
    const link = scene.live.link()
    const view = openSessionView(link, 'not-mine', scene.store.sessions)
    scene.endsWithTest(view)
    await waitFor(() => view.picture.value.status === 'failed', { what: 'the refusal' })
    expect(view.picture.value.transcript.items).toEqual([])
    await waitFor(async () => (await scene.store.sessions.read('not-mine')) === undefined, {
      what: 'it to be forgotten',
    })
  })
})

describe('a folder on Node', () => {
  it('[C14] [C21] keeps commands in order over the end of the process, whole files alone, and for its owner', async () => {
    const folder = join(scene.dir.path, 'store')
    const command = (id: string): Parameters<ClientStore['outbox']['put']>[0] => ({
      id,
      stream: 'session:s1',
      type: 'message.send',
      data: { text: id },
    })
    for (const id of ['zebra', 'ant', 'm3', 'ant']) await scene.store.outbox.put(command(id))
    await scene.store.outbox.remove('ant')
    const next = await openFolderStore(folder)
    await next.outbox.put(command('last'))
    expect((await next.outbox.all()).map(({ id }) => id)).toEqual(['zebra', 'm3', 'last'])
    expect(statSync(folder).mode & 0o077).toBe(0)
    // One that a power cut left without its end.
    const [first = ''] = readdirSync(join(folder, 'outbox'))
    truncateSync(join(folder, 'outbox', first), 10)
    const third = await openFolderStore(folder)
    expect((await third.outbox.all()).map(({ id }) => id)).toEqual(['m3', 'last'])
    await third.sessions.clear()
    expect(readdirSync(folder)).toEqual(['outbox'])
    await third.erase()
    await third.outbox.put(command('too late'))
    expect(readdirSync(scene.dir.path)).toEqual([])
  })
})
