import { openSessionView } from '@hotline/client/session-view'
import { openApprovals } from '@hotline/core/session/state'
import { scriptPrompt, type Step } from '@hotline/demo-agent/script'
import { openBrowser } from '@hotline/testing/browser'
import { hasProcess } from '@hotline/testing/process-list'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import type { Browser, Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { type Api, openApi } from '../src/api.ts'
import { type ServerProcess, startServerProcess } from '../src/faults/server-process.ts'
import { type RunnerProcess, startRunnerProcess } from '../src/runner-process.ts'
import { finishAndCompare, openScene } from '../src/scene.ts'

/** How long the runner's connection stays away in the first test. */
const outageMs = 30_000
/** Silence is noticed after two and a half heartbeats, looked at once a heartbeat; then comes the grace. */
const noticedDeadlineMs = 75_000

interface Place extends AsyncDisposable {
  server: ServerProcess
  runner: RunnerProcess
  api: Api
  openLink: ServerProcess['link']
}

/** A server, and a runner that reaches it through a network that can be made bad. */
async function openPlace(env: Readonly<Record<string, string>> = {}): Promise<Place> {
  const dir = await openTempDir('hotline-contact-')
  const server = await startServerProcess({ dir: dir.path })
  const runner = await startRunnerProcess({
    url: server.proxyUrl,
    serverDir: server.dataDir,
    dir: `${dir.path}/runner`,
    env,
  })
  return {
    server,
    runner,
    api: openApi(server.url, () => ({ kind: 'token', token: server.tokenOf('person') })),
    openLink: () => server.link(),
    [Symbol.asyncDispose]: async () => {
      await runner[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await dir.remove()
    },
  }
}

/** A session in a browser, signed in as the first account. */
async function openSessionPage(browser: Browser, server: ServerProcess, session: string): Promise<Page> {
  const page = await browser.newPage()
  const credentials = { name: server.owner.name, password: server.owner.password }
  const answer = await page.request.post(`${server.url}/api/auth/sign-in`, {
    data: credentials,
    headers: { origin: server.url },
  })
  expect(answer.status(), await answer.text()).toBeLessThan(300)
  await page.goto(`${server.url}/sessions/${session}`)
  return page
}

const ask = (text: string): Step => ({
  do: 'ask',
  tool: 'run',
  title: 'Go on?',
  kind: 'execute',
  input: { command: 'ls' },
  onAllow: [{ do: 'say', text }],
})

async function allow(api: Api, session: string): Promise<void> {
  const state = await api.until(session, 'a question', (now) => openApprovals(now).length === 1)
  const [open] = openApprovals(state)
  const decision = { approval: open?.approval ?? '', digest: open?.digest ?? '', verdict: 'allow' } as const
  await api.command(`session:${session}`, 'approval.decide', decision)
}

async function saidIn(api: Api, session: string): Promise<string> {
  const events = await api.events(session)
  return events
    .filter(({ type }) => type === 'message.completed')
    .map(({ body }) => String(body?.['text']))
    .join('\n')
}

// Mostly they wait, each for its own clock: beside each other they take as long as the longest.
describe.concurrent('a runner out of reach', () => {
  it('[K3] its connection is cut for 30 s while 20 agents stream: they never notice, and nothing is lost or doubled', async () => {
    await using place = await openPlace()
    const { api, server } = place
    const { proxy } = server
    const asking = await api.start('demo', scriptPrompt([ask('Allowed while nobody could hear.')]))
    const scene = await openScene(place, 20, { everyMs: 250, ticks: 160 })
    const first = scene.sessions[0] ?? ''
    await api.until(asking, 'the question', (state) => openApprovals(state).length === 1)
    for (const session of scene.sessions) await api.until(session, 'work', (state) => state.turn !== undefined, 60_000)
    const before = await api.until(first, 'a pid', (state) => state.turn !== undefined && state.pid !== undefined)
    await waitFor(() => (scene.oracles[0]?.at(`session:${first}`) ?? 0) > 8, { what: 'words', deadlineMs: 30_000 })

    proxy.refuse()
    proxy.cut()
    const cutAt = performance.now()
    // Decided while the machine cannot hear it: the agent acts on it as soon as it can.
    await allow(api, asking)
    for (const session of scene.sessions) {
      const away = await api.until(session, 'out of contact', (state) => state.staleSince !== undefined)
      expect(away).toMatchObject({ status: 'active' })
    }
    await waitFor(() => performance.now() - cutAt > outageMs, { what: 'the outage', deadlineMs: outageMs + 5_000 })
    expect(await saidIn(api, asking)).not.toContain('Allowed')
    proxy.restore()

    await waitFor(async () => (await saidIn(api, asking)).includes('Allowed while nobody could hear.'), {
      what: 'the agent to act on the answer',
      deadlineMs: 30_000,
    })
    const after = await api.until(first, 'contact', (state) => state.staleSince === undefined)
    expect(after.pid).toBe(before.pid)
    await finishAndCompare(place, scene)
    await scene.close()
  })

  it('[S8] a runner that falls silent shows since when, to those who follow and those who ask; a person can end a session; and it recovers', async () => {
    await using place = await openPlace()
    const { api, runner, server } = place
    const talking = await api.start('demo', scriptPrompt([{ do: 'tick', everyMs: 200, count: 250 }]))
    const ended = await api.start('demo', scriptPrompt([{ do: 'tick', everyMs: 200, count: 250 }]))
    for (const session of [talking, ended]) await api.until(session, 'work', (state) => state.turn !== undefined)
    const view = openSessionView(server.link(), talking)
    const pidOfEnded = (await api.state(ended)).pid ?? 0
    await waitFor(() => view.picture.value.state?.turn !== undefined, { what: 'the view' })

    await using browser = await openBrowser()
    const page = await openSessionPage(browser, server, talking)
    await page
      .getByText(/at work/)
      .first()
      .waitFor()

    const stoppedAt = Date.now()
    runner.signal('SIGSTOP')
    const stale = await api.until(talking, 'stale', (state) => state.staleSince !== undefined, noticedDeadlineMs)
    // Since it was last heard, which was a heartbeat before it was stopped at the earliest, and not since that was noticed.
    const since = Date.parse(stale.staleSince ?? '')
    expect(since).toBeGreaterThan(stoppedAt - 20_000)
    expect(since).toBeLessThan(stoppedAt + 5_000)
    expect(stale.status).toBe('active')
    await waitFor(() => view.picture.value.state?.staleSince === stale.staleSince, { what: 'the view to show it' })
    await page
      .getByText(/out of contact since \d\d:\d\d/i)
      .first()
      .waitFor()
    const listed = await api.get<{ sessions: { session: string; staleSince: string | null }[] }>('/api/sessions')
    expect(listed.sessions.find(({ session }) => session === talking)?.staleSince).toBe(stale.staleSince)

    await api.until(ended, 'stale too', (state) => state.staleSince !== undefined)
    await api.command(`session:${ended}`, 'session.abort', {})
    expect((await api.state(ended)).status).toBe('aborted')

    runner.signal('SIGCONT')
    await api.until(talking, 'contact', (state) => state.staleSince === undefined)
    await waitFor(() => view.picture.value.state?.staleSince === undefined, { what: 'the view to show it again' })
    await page
      .getByText(/out of contact/i)
      .first()
      .waitFor({ state: 'detached' })
    await waitFor(() => !hasProcess(pidOfEnded), { what: 'the agent of the ended session to end' })
    await api.until(talking, 'the end of the turn', (state) => state.counts.turns === 1 && !state.turn, 90_000)
    const ticks = [...(await saidIn(api, talking)).matchAll(/tick (\d+)/g)].map((match) => Number(match[1]))
    expect(ticks).toEqual(Array.from({ length: 250 }, (_, at) => at + 1))
    view[Symbol.dispose]()
  })

  it('[S9] what a killed runner held is told truthfully by its next life, and nothing stays running', async () => {
    await using place = await openPlace({ HOTLINE_KEEPER: 'off' })
    const { api, runner, server } = place
    const working = await api.start('demo', scriptPrompt([{ do: 'tick', everyMs: 100, count: 2_000 }]))
    const asking = await api.start('demo', scriptPrompt([ask('never')]))
    const { pid = 0 } = await api.until(working, 'work', (state) => state.turn !== undefined && state.pid)
    await api.until(asking, 'the question', (state) => openApprovals(state).length === 1)
    const view = openSessionView(server.link(), working)

    runner.signal('SIGKILL')
    await api.until(working, 'out of contact', (state) => state.staleSince !== undefined)
    expect((await api.state(working)).status).toBe('active')
    await runner.restart()
    for (const session of [working, asking]) {
      const gone = await api.until(session, 'interrupted', (state) => state.status === 'interrupted')
      expect(gone).toMatchObject({ reason: 'agent_lost' })
      expect(gone.turn).toBeUndefined()
      expect(gone.staleSince).toBeUndefined()
      expect(openApprovals(gone)).toEqual([])
    }
    await waitFor(() => view.picture.value.state?.status === 'interrupted', { what: 'the view to show it' })
    await waitFor(() => !hasProcess(pid), { what: 'the orphan to be ended' })
    view[Symbol.dispose]()
  })

  it('[S10] within two seconds of kill -9 of an agent its followers and those who ask see it interrupted, with the signal', async () => {
    await using place = await openPlace()
    const { api, server } = place
    // The quickest of three counts: how long the machine is busy with something else is not ours.
    const tookMs: number[] = []
    for (let time = 0; time < 3; time += 1) {
      const session = await api.start('demo', scriptPrompt([{ do: 'hang' }]))
      const { pid = 0 } = await api.until(session, 'a pid', (state) => state.turn !== undefined && state.pid)
      const view = openSessionView(server.link(), session)
      await waitFor(() => view.picture.value.state?.turn !== undefined, { what: 'the view' })
      const killedAt = performance.now()
      process.kill(pid, 'SIGKILL')
      await waitFor(() => view.picture.value.state?.status === 'interrupted', { what: 'the end' })
      tookMs.push(performance.now() - killedAt)
      const expected = { status: 'interrupted', reason: 'agent_exited', exit: { signal: 'SIGKILL' } }
      expect(view.picture.value.state).toMatchObject(expected)
      expect(await api.state(session)).toMatchObject(expected)
      expect((await api.state(session)).turn).toBeUndefined()
      view[Symbol.dispose]()
    }
    expect(Math.min(...tookMs)).toBeLessThan(2_000)
  })
})
