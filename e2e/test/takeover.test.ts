import { spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openApprovals, type SessionState } from '@hotline/core/session/state'
import { emptyTranscript, foldTranscript } from '@hotline/core/transcript/transcript'
import { scriptPrompt, type Step } from '@hotline/demo-agent/script'
import type { Envelope } from '@hotline/protocol/event'
import { hasProcess } from '@hotline/testing/process-list'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, it } from 'vitest'
import { type Api, openApi } from '../src/api.ts'
import { type ServerProcess, startServerProcess } from '../src/faults/server-process.ts'
import { type RunnerProcess, startRunnerProcess } from '../src/runner-process.ts'

interface Place extends AsyncDisposable {
  server: ServerProcess
  api: Api
  /** Reaches the server through a network that can be cut. */
  alpha: RunnerProcess
  beta: RunnerProcess
  cwd: string
  /** The `hotline` command as the first account. */
  hotline: (...args: string[]) => Promise<{ code: number | null; out: string; err: string }>
}

/** A server with two machines: alpha began everything, beta comes afterwards. */
async function openPlace(): Promise<Place> {
  const dir = await openTempDir('hotline-takeover-')
  const server = await startServerProcess({ dir: dir.path })
  const cwd = join(dir.path, 'work')
  await mkdir(cwd)
  const confirmed = await server.request('POST', '/api/auth/confirm', { password: server.owner.password })
  const made = await server.request<{ token: string }>('POST', '/api/keys', { kind: 'run', name: 'beta' })
  if (!confirmed.ok || !made.ok) throw new Error('no key for another machine')
  const of = { serverDir: server.dataDir }
  const alpha = await startRunnerProcess({
    ...of,
    url: server.proxyUrl,
    dir: `${dir.path}/alpha`,
    env: { HOTLINE_RUNNER_NAME: 'alpha' },
  })
  const beta = await startRunnerProcess({
    ...of,
    url: server.url,
    dir: `${dir.path}/beta`,
    env: { HOTLINE_RUNNER_NAME: 'beta', HOTLINE_RUNNER_KEY: made.value.token },
  })
  return {
    server,
    alpha,
    beta,
    cwd,
    api: openApi(server.url, () => ({ kind: 'token', token: server.tokenOf('person') })),
    hotline: (...args) => runHotline(server, dir.path, args),
    [Symbol.asyncDispose]: async () => {
      await alpha[Symbol.asyncDispose]()
      await beta[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await dir.remove()
    },
  }
}

async function runHotline(
  server: ServerProcess,
  home: string,
  args: readonly string[],
): Promise<{ code: number | null; out: string; err: string }> {
  const command = join(import.meta.dirname, '../../packages/cli/bin/hotline.js')
  const child = spawn(process.execPath, [command, ...args], {
    env: { PATH: process.env['PATH'], HOME: home, HOTLINE_URL: server.url, HOTLINE_TOKEN: server.tokenOf('person') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, out, err }
}

const say = (text: string): Step => ({ do: 'say', text })
const ask: Step = { do: 'ask', tool: 'run', title: 'Go on?', kind: 'execute', input: { command: 'ls' } }

async function recoveredIn(api: Api, session: string): Promise<readonly Envelope[]> {
  return (await api.events(session)).filter(({ type }) => type === 'report.recovered')
}

const saidIn = (events: readonly Envelope[]): string[] =>
  events.filter(({ type }) => type === 'message.completed').map(({ body }) => String(body?.['text']))

it('[S20] [S21] [S22] a session whose machine is silent goes on upon another one, and what the former did is kept beside', async () => {
  await using place = await openPlace()
  const { server, api, alpha, cwd, hotline } = place
  const agents = await api.get<{ agents: { agent: string; runner: string; runnerId: string }[] }>('/api/agents')
  const idOf = (name: string): string => agents.agents.find(({ runner }) => runner === name)?.runnerId ?? ''
  const inTurn = [say('I begin'), ask, say('never')]
  // Its folder is not on the other machine: neither is its agent's memory.
  const lost = await api.start('demo', scriptPrompt(inTurn), { runner: idOf('alpha') })
  const shared = await api.start('demo', scriptPrompt([say('remember me')]), { runner: idOf('alpha'), cwd })
  const ticking = await api.start('demo', scriptPrompt([{ do: 'tick', everyMs: 100, count: 5_000, text: 'tick' }]), {
    runner: idOf('alpha'),
  })
  const asking = await api.until(lost, 'a question', (state) => openApprovals(state).length === 1)
  await api.until(shared, 'rest', ({ counts, turn }) => counts.turns === 1 && !turn)
  await api.until(ticking, 'words', ({ counts }) => counts.messages > 3)
  const pids = [asking.pid ?? 0, (await api.state(ticking)).pid ?? 0]

  const early = await hotline('takeover', lost)
  expect(early.err).toContain('on a machine that is in contact')
  expect(early.code).toBe(5)

  server.proxy.refuse()
  server.proxy.cut()
  for (const session of [lost, shared, ticking])
    await api.until(session, 'silence', ({ staleSince }) => staleSince !== undefined)
  const [open] = openApprovals(asking)
  const decision = { approval: open?.approval ?? '', digest: open?.digest ?? '', verdict: 'allow' } as const
  await api.command(`session:${lost}`, 'approval.decide', decision)
  await api.command(`session:${lost}`, 'message.send', { text: 'go on' })
  const fenceBefore = asking.lease?.fence ?? 0

  expect((await hotline('takeover', lost, '--reason', 'it is gone')).err).toBe('')
  expect((await hotline('takeover', ticking)).err).toBe('')
  expect((await hotline('takeover', shared, '--runner', 'beta')).err).toBe('')
  const goesOn = (state: SessionState): unknown => state.status === 'active' && state.runner === idOf('beta')
  for (const session of [lost, shared, ticking]) await api.until(session, 'an agent there', goesOn)
  await api.until(lost, 'its turn', ({ counts, queue }) => counts.turns === 2 && queue.length === 0)
  const before = await api.events(lost)
  expect(before.filter(({ type }) => type === 'approval.dispatch_unknown')).toHaveLength(1)
  expect(before.findLast(({ data }) => data['reason'] === 'taken_over')).toMatchObject({
    data: { from: 'active', to: 'interrupted' },
    body: { note: 'it is gone' },
  })
  const told = before.filter(({ type }) => type === 'output.appended').map(({ body }) => String(body?.['text']))
  expect(told.join('')).toContain('the context of the agent is not here, so it begins anew')
  expect(told.join('')).toContain('Told to the agent with this message: This conversation began with an agent')
  expect(told.join('')).toContain('You: I begin')

  // The zombie speaks: nothing of it is heard as before, its agents end, and what they had to say stands beside.
  for (const pid of pids) expect(hasProcess(pid)).toBe(true)
  server.proxy.restore()
  for (const pid of pids) {
    await waitFor(() => !hasProcess(pid), { what: 'an agent of the former machine to end', deadlineMs: 60_000 })
  }
  for (const session of [lost, ticking]) {
    const isAllThere = async (): Promise<boolean> =>
      (await recoveredIn(api, session)).some(({ data }) => data['reported'] === 'session.state_changed')
    await waitFor(isAllThere, { what: 'what the former machine had to say', deadlineMs: 60_000 })
  }
  const events = await api.events(lost)
  expect(events.findLast(({ actor }) => actor.id === idOf('alpha'))?.type).toBe('report.recovered')
  for (const event of await recoveredIn(api, lost)) {
    expect(event.data).toMatchObject({ fence: fenceBefore, runner: idOf('alpha') })
  }
  const state = await api.state(lost)
  expect(state).toMatchObject({ status: 'active', runner: idOf('beta'), counts: { turns: 2 } })
  const { items } = foldTranscript(emptyTranscript, events)
  expect(items.filter(({ kind }) => kind === 'recovered')).toHaveLength(1)
  expect((await hotline('logs', lost)).out).toContain('former')
  expect(alpha.complaints).toContain('session lost')

  // Each word of the one that talked is in one place: what was heard in time in the conversation, the rest beside it.
  const heard = saidIn(await api.events(ticking))
  const beside = (await recoveredIn(api, ticking))
    .filter(({ data }) => data['reported'] === 'message.completed')
    .map(({ body }) => String((body as { body?: { text?: unknown } }).body?.text))
  expect(beside.length).toBeGreaterThan(5)
  expect([...heard, ...beside]).toEqual([...heard, ...beside].map((_, at) => `tick ${at + 1}`))

  // The other one was only taken elsewhere: the agent's own memory is on both.
  const own = await api.events(shared)
  const words = own.filter(({ type }) => type === 'output.appended').map(({ body }) => String(body?.['text']))
  expect(words.join('')).toContain('the agent goes on with its own context')
  await api.command(`session:${shared}`, 'message.send', { text: scriptPrompt([say('and on')]) })
  await api.until(shared, 'another turn', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(saidIn(await api.events(shared))).toEqual(['remember me', 'and on'])
})
