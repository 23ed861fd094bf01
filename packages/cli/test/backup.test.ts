import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import { openLink } from '@hotline/client/open-link'
import { exitCodes } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import type { SessionRow } from '@hotline/protocol/http'
import { openDatabase } from '@hotline/server/log/open-database'
import { systemClock } from '@hotline/server/machine/clock'
import { systemIds } from '@hotline/server/machine/ids'
import { type ChildGuard, guardChildren } from '@hotline/testing/child-guard'
import { freePort } from '@hotline/testing/free-port'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type HotlineProcess, startHotlineProcess } from './hotline-process.ts'

let dir: TempDir
let guard: ChildGuard
beforeEach(async () => {
  dir = await openTempDir()
  guard = guardChildren()
})
afterEach(async () => {
  await guard.assertNoSurvivors()
  await dir.remove()
})

interface EventPage {
  events: Envelope[]
  next: string
}

const inDir = (name: string): string => join(dir.path, name)

function start(data: string, ...args: string[]): HotlineProcess {
  return startHotlineProcess(args, { HOME: dir.path, HOTLINE_DATA_DIR: inDir(data), ...guard.environment })
}

async function run(data: string, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = start(data, ...args)
  hotline.endInput()
  return await hotline.ended
}

async function up(data: string, port: number): Promise<HotlineProcess> {
  const hotline = start(data, '--json', 'up', '--port', String(port))
  await hotline.says('"ready":true')
  return hotline
}

describe('a copy of everything', () => {
  it('[O7] is taken while the server works, and put back as a log of another life', async () => {
    const port = await freePort()
    const url = `http://localhost:${port}`
    const first = await up('data', port)
    const { bootstrap = '' } = JSON.parse(first.out) as { bootstrap?: string }
    await fetch(`${url}/api/auth/bootstrap`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url },
      body: JSON.stringify({
        code: bootstrap.split('#bootstrap=')[1],
        name: 'dana',
        password: 'a long walk over the wet meadow',
      }),
    })
    await waitFor(() => existsSync(join(inDir('data'), 'cli-token')), { what: 'the token of this machine' })
    const token = readFileSync(join(inDir('data'), 'cli-token'), 'utf8').trim()
    const session = (await run('data', 'run', '--detach', '--', 'cat')).out.trim()
    await using link = openLink({ url, credential: { kind: 'token', token }, random: () => 0 })
    const known: Envelope[] = []
    let resets = 0
    link.follow(`session:${session}`, '0', {
      events: (events) => known.push(...events),
      reset: () => (resets += 1),
    })

    const over = new AbortController()
    let sent = 0
    const write = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const text = `number ${sent}`
        const outcome = await link.command(`session:${session}`, 'message.send', { text })
        if (outcome.ok) sent += 1
      }
    }
    const writing = write()
    // A copy of a session whose agent had not begun would begin it.
    const isAnswered = (): boolean => known.some(({ type }) => type === 'output.appended')
    await waitFor(() => sent > 20 && isAnswered(), { what: 'some traffic' })
    const before = known.length
    expect(await run('data', 'backup', inDir('copy'))).toMatchObject({ code: 0 })
    const copied = sent
    await waitFor(() => sent > copied + 20, { what: 'traffic after the copy' })
    over.abort()
    await writing
    const last = `number ${sent - 1}`
    await waitFor(() => known.some(({ body }) => body?.['text'] === last), { what: 'the last message' })
    first.child.kill('SIGINT')
    expect((await first.ended).code).toBe(0)
    expect(await run('other', 'restore', inDir('copy'))).toMatchObject({ code: 0 })
    expect(statSync(join(inDir('other'), 'hotline.db')).mode & 0o777).toBe(0o600)
    {
      const means = { clock: systemClock, ids: systemIds(() => systemClock.wallMs()) }
      await using database = await openDatabase({ kind: 'sqlite', dir: inDir('other') }, means)
      for (const stream of [`session:${session}`, 'project:default', 'server:main']) {
        expect(await database.store.verify(stream)).toBe(undefined)
      }
    }
    const second = await up('other', port)
    link.reconnect()
    await waitFor(() => resets > 0, { what: 'the news that this is another log' })
    const rows = async (): Promise<SessionRow[]> => JSON.parse((await run('other', '--json', 'ls')).out) as SessionRow[]
    await waitFor(async () => (await rows())[0]?.status === 'interrupted', { what: 'the truth' })
    const events: Envelope[] = []
    const next = async (after: string): Promise<string | undefined> => {
      const path = `/api/sessions/${session}/events?limit=500&after=${after}`
      const page = await httpRequest<EventPage>(url, { kind: 'token', token }, 'GET', path)
      if (!page.ok || page.value.events.length === 0) return undefined
      events.push(...page.value.events)
      return page.value.next
    }
    for (let after: string | undefined = '0'; after !== undefined;) after = await next(after)
    const same = events.findIndex((event, at) => event.hash !== known[at]?.hash)
    expect(same).toBeGreaterThanOrEqual(before)
    expect(same).toBeLessThan(known.length)
    // What was known of the other life is told to be of another one, also where its numbers are in use again.
    const old = await httpRequest(
      url,
      { kind: 'token', token },
      'GET',
      `/api/sessions/${session}/events?after=aaaaaaaa.3`,
    )
    expect(old).toMatchObject({ ok: false, problem: { code: 'cursor_gone' } })
    second.child.kill('SIGINT')
    expect((await second.ended).code).toBe(0)
  })

  it('[O7] is never written over something else, nor from what is none', async () => {
    const refused = { code: exitCodes.invalid, out: '' }
    expect(await run('data', 'backup', inDir('copy'))).toMatchObject(refused)
    expect(existsSync(inDir('copy'))).toBe(false)
    const first = await up('data', await freePort())
    expect(await run('data', 'backup', inDir('copy'))).toMatchObject({ code: 0 })
    expect(statSync(inDir('copy')).mode & 0o777).toBe(0o700)
    expect(await run('data', 'backup', inDir('copy'))).toMatchObject(refused)
    const inUse = await run('data', 'restore', inDir('copy'))
    expect(inUse).toMatchObject(refused)
    expect(inUse.err).toContain('has a log already')
    expect(await run('other', 'restore', dir.path)).toMatchObject(refused)
    const wrong = startHotlineProcess(['restore', inDir('copy')], {
      HOME: dir.path,
      HOTLINE_DATA_DIR: inDir('other'),
      HOTLINE_DATABASE_URL: 'postgres://localhost:1/none',
    })
    expect((await wrong.ended).err).toContain('of a server with sqlite')
    expect(existsSync(inDir('other'))).toBe(false)
    first.child.kill('SIGINT')
    expect((await first.ended).code).toBe(0)
  })
})
