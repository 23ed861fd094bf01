import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import { openSessionView } from '@hotline/client/session-view'
import { evolveSession } from '@hotline/core/session/evolve'
import type { SessionState } from '@hotline/core/session/state'
import type { Envelope } from '@hotline/protocol/event'
import type { SeededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { openCrowd } from '../crowd.ts'
import { type Done, expectNothing, type FaultRow, type Ground } from '../fault-row.ts'
import { type ServerProcess, startServerProcess } from '../server-process.ts'

interface Snapshot {
  session: string
  seq: number
  state: SessionState
}

const deadlineMs = 30_000

/** Row 31: a snapshot and what came after it is the whole log; pages join, also when the log begins anew between two. */
export const snapshotAndTail: FaultRow = {
  row: 31,
  name: 'a snapshot and its tail against a full replay; pages and windows of any size; another life of the log between pages',
  stores: ['sqlite', 'postgres'],
  run: async (ground: Ground): Promise<Done> => {
    const { random, amount } = ground
    await using server = await startServerProcess(await ground.openStore())
    const readers = [server.link(), server.link()]
    const crowd = await openCrowd(server, random, { sessions: 2, readers, machine: server.link('runner') })
    const views = crowd.sessions.map(({ session }) =>
      openSessionView(server.link('person', { url: server.proxyUrl }), session),
    )
    const snapshots: Snapshot[] = []
    const turns = amount === 'some' ? 60 : 600
    for (let turn = 0; turn < turns; turn += 1) {
      crowd.act()
      const session = random.pick(crowd.sessions).session
      const [answer] = await Promise.all([
        server.request<{ cursor: string; state: SessionState }>('GET', `/api/sessions/${session}`),
        crowd.work(),
      ])
      if (!answer.ok) throw new Error(answer.problem.detail)
      snapshots.push({ session, seq: Number(answer.value.cursor.split('.')[1]), state: answer.value.state })
    }
    await crowd.compare()
    const found: string[] = []
    const counts = { snapshots: snapshots.length, pages: 0, windows: 0, 'other lives': 0 }
    for (const [at, { session }] of crowd.sessions.entries()) {
      const stored = await server.stored(session)
      for (const snapshot of snapshots.filter((one) => one.session === session)) {
        found.push(...differences(snapshot, stored))
      }
      const paged = await readPages(server, session, random)
      counts.pages += paged.pages
      if (!isDeepStrictEqual(paged.events, stored)) found.push(`pages of ${session} do not join to its log`)
      const windows = await readWindows(server, session, random)
      counts.windows += windows.pages
      if (!isDeepStrictEqual(windows.events, stored)) found.push(`windows of ${session} do not join to its log`)
      const view = views[at]
      await waitFor(() => isDeepStrictEqual(plain(view?.picture.value.state), plain(fold(stored))), {
        what: `the view of ${session} to show the fold of the log`,
        deadlineMs,
      })
    }
    if (ground.store === 'sqlite') {
      for (let life = 0; life < (amount === 'some' ? 1 : 4); life += 1) {
        const at = random.int(0, crowd.sessions.length - 1)
        const session = crowd.sessions[at]?.session ?? ''
        found.push(...(await flipBetweenPages(server, session, random)))
        const stored = await server.stored(session)
        await waitFor(() => isDeepStrictEqual(plain(views[at]?.picture.value.state), plain(fold(stored))), {
          what: 'an open view to show the new life of the log',
          deadlineMs,
        })
        counts['other lives'] += 1
      }
    }
    for (const view of views) view[Symbol.dispose]()
    expectNothing(found)
    return { counts }
  },
}

function fold(events: readonly Envelope[], from?: SessionState): SessionState | undefined {
  let state = from
  for (const event of events) state = evolveSession(state, event)
  return state
}

/** Through JSON, as a state goes over the wire: what is undefined is absent. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null))
}

function differences({ session, seq, state }: Snapshot, stored: readonly Envelope[]): string[] {
  const isFold = isDeepStrictEqual(plain(fold(stored.slice(0, seq))), plain(state))
  const isWhole = isDeepStrictEqual(plain(fold(stored.slice(seq), state)), plain(fold(stored)))
  return [
    ...(isFold ? [] : [`the snapshot of ${session} at ${seq} is not the fold up to there`]),
    ...(isWhole ? [] : [`the snapshot of ${session} at ${seq} and its tail are not the whole`]),
  ]
}

interface Page {
  events: Envelope[]
  next: string
}

function page(server: ServerProcess, session: string, after: string, limit: number) {
  return server.request<Page>('GET', `/api/sessions/${session}/events?after=${after}&limit=${limit}`)
}

async function readPages(
  server: ServerProcess,
  session: string,
  random: SeededRandom,
): Promise<{ events: Envelope[]; pages: number }> {
  const events: Envelope[] = []
  for (let after = '0', pages = 0; ; pages += 1) {
    const answer = await page(server, session, after, random.int(1, 40))
    if (!answer.ok) throw new Error(answer.problem.detail)
    if (answer.value.events.length === 0) return { events, pages }
    events.push(...answer.value.events)
    after = answer.value.next
  }
}

async function readWindows(
  server: ServerProcess,
  session: string,
  random: SeededRandom,
): Promise<{ events: Envelope[]; pages: number }> {
  let events: Envelope[] = []
  let before: number | null = null
  let pages = 0
  do {
    const from: string = before === null ? '' : `&before=${before}`
    const answer = await server.request<{ events: Envelope[]; before: number | null }>(
      'GET',
      `/api/sessions/${session}/transcript?limit=${random.int(1, 40)}${from}`,
    )
    if (!answer.ok) throw new Error(answer.problem.detail)
    events = [...answer.value.events, ...events]
    before = answer.value.before
    pages += 1
  } while (before !== null)
  return { events, pages }
}

/** Reads some pages, lets the stream begin anew as after a restored backup, and goes on with the old cursor. */
async function flipBetweenPages(server: ServerProcess, session: string, random: SeededRandom): Promise<string[]> {
  const first = await page(server, session, '0', random.int(1, 5))
  if (!first.ok) return [first.problem.detail]
  // Who looks on comes back to the new life only once it is there.
  server.proxy.refuse()
  server.proxy.cut()
  await server.kill()
  forget(join(server.dataDir, 'hotline.db'), session)
  await server.start()
  const data = { project: 'default', agent: 'nobody', prompt: 'In another life.' }
  const started = await server.post(`session:${session}`, 'session.start', data)
  if (!started.ok) return [`the session cannot begin anew: ${started.problem.detail}`]
  // As many events as before, so that a cursor without an epoch would be believed.
  for (let at = 0; at < 6; at += 1) await server.post(`session:${session}`, 'session.rename', { title: `anew ${at}` })
  server.proxy.restore()
  const second = await page(server, session, first.value.next, 5)
  if (second.ok) return ['a cursor of another life of the log is taken']
  if (second.problem.code !== 'cursor_gone') return [`a cursor of another life: ${second.problem.code}`]
  const whole = await readPages(server, session, random)
  const old = new Set(first.value.events.map(({ hash }) => hash))
  return whole.events.some(({ hash }) => old.has(hash)) ? ['events of the earlier life are read again'] : []
}

function forget(path: string, session: string): void {
  const db = new DatabaseSync(path)
  try {
    const stream = `session:${session}`
    for (const table of ['events', 'states', 'commands']) {
      db.prepare(`DELETE FROM ${table} WHERE no = (SELECT no FROM streams WHERE stream = ?)`).run(stream)
    }
    db.prepare('DELETE FROM streams WHERE stream = ?').run(stream)
    db.prepare('DELETE FROM sessions WHERE session = ?').run(session)
  } finally {
    db.close()
  }
}
