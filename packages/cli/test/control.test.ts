import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import type { SessionEvidence } from '@hotline/protocol/evidence'
import type { LiveServer } from '@hotline/testing/live-server'
import { familyMembers, familyScript, readFamily, readHeart } from '@hotline/testing/process-family'
import type { TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRunnerScene, type RunnerScene } from './runner-scene.ts'

let scene: RunnerScene
let live: LiveServer
let dir: TempDir
let run: RunnerScene['run']

beforeAll(async () => {
  scene = await openRunnerScene()
  ;({ live, dir, run } = scene)
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

async function seen(session: string): Promise<SessionEvidence> {
  const of = { kind: 'token', token: live.token } as const
  const answer = await httpRequest<SessionEvidence>(live.url, of, 'GET', `/api/sessions/${session}/evidence`)
  if (!answer.ok) throw new Error(answer.problem.detail)
  return answer.value
}

it('[B50] status and ps say how an agent stands; pause stops all of it, and resume lets it go on', async () => {
  const cwd = join(dir.path, 'work')
  mkdirSync(cwd)
  const started = await run(
    'run',
    '--detach',
    '--pipe',
    '--cwd',
    cwd,
    '--title',
    'five',
    '--',
    '/bin/sh',
    '-c',
    familyScript,
  )
  const session = started.out.trim()
  const pids = await waitFor(() => readFamily(cwd, familyMembers), { what: 'the family' })
  const first = await waitFor(
    async () => {
      const one = await seen(session)
      return one.status === 'active' && one.turn === 'running' && one.tree && one.lastOutputAt !== null && one
    },
    { what: 'evidence' },
  )
  expect(first).toMatchObject({ exit: null, paused: null })
  expect(first.tree?.processes.map(({ pid }) => pid)).toEqual(expect.arrayContaining(Object.values(pids)))
  expect((await run('pause', session)).out).toBe('pausing\n')
  await waitFor(async () => (await seen(session)).status === 'paused', { what: 'a pause' })
  const heart = readHeart(cwd)
  const words = (await run('status', session)).out
  expect(words).toMatch(/^status +frozen: \d+ processes stand still/)
  expect(words).toMatch(new RegExp(`^ +${pids.heart} sh · `, 'm'))
  expect(words).toMatch(/^memory +\d+\.\d MB$/m)
  expect(readHeart(cwd)).toBe(heart)
  const listed = (await run('ps')).out.split('\n')
  expect(listed[0]).toMatch(/^SESSION +PID +PROC +CPU +MEMORY +STATUS/)
  expect(listed[1]).toMatch(/ frozen.* five$/)
  expect((await run('pause', '--after-step', session)).code).toBe(5)
  await run('resume', session)
  await waitFor(() => readHeart(cwd) > heart, { what: 'a heartbeat' })
  await run('abort', session)
  await waitFor(async () => (await seen(session)).status === 'aborted', { what: 'the end' })
  expect(await seen(session)).toMatchObject({ tree: null, pid: null })
  expect((await run('ps')).out).toBe('No agent is at work.\n')
})

it('[B51] a budget is set at the start, shown, told when it is used up, and given more', async () => {
  const cwd = join(dir.path, 'budget')
  mkdirSync(cwd)
  const tick = ['--', 'sh', '-c', 'while :; do sleep 0.05; echo tick; done']
  const started = await run('run', '--pipe', '--detach', '--budget', 'time=1s,output=1GB', '--cwd', cwd, ...tick)
  expect(started).toMatchObject({ code: 0 })
  const session = started.out.trim()
  await waitFor(async () => (await seen(session)).paused?.kind === 'frozen', { what: 'a pause' })
  const shown = await run('budget', session)
  expect(shown.out).toMatch(/^\d+s of 1s of work: used up\n.* of 1 GB of output\n$/)
  expect((await run('ls')).out).toContain('BUDGET USED UP')
  expect((await run('logs', session)).out).toMatch(/budget used up: .*more: hotline budget [0-9a-f-]+ time=1m\n/)
  const refused = await run('resume', session)
  expect(refused).toMatchObject({ code: 5 })
  expect(refused.err).toContain('The budget is used up')
  expect(await run('budget', session, 'times=2h')).toMatchObject({ code: 2 })
  expect(await run('budget', session, 'time=none', 'output=2GB')).toMatchObject({ code: 0, out: 'set\n' })
  await waitFor(async () => (await seen(session)).status === 'active', { what: 'work' })
  expect((await run('budget', session)).out).toMatch(/^.* of 2 GB of output\n$/)
  expect((await run('abort', session)).code).toBe(0)
  await waitFor(async () => (await seen(session)).status === 'aborted', { what: 'the end' })
})
