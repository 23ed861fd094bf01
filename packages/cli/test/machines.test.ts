import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Link } from '@hotline/client/link'
import { exitCodes } from '@hotline/protocol/error'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'

let live: LiveServer
let home: TempDir
let alpha: Machine
let beta: Machine

interface Machine {
  id: string
  link: Link
}

const env = (): Record<string, string> => ({
  HOME: home.path,
  HOTLINE_DATA_DIR: live.dataDir,
  HOTLINE_URL: live.url,
  HOTLINE_TOKEN: live.token,
})

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = startHotlineProcess(args, env())
  hotline.endInput()
  return await hotline.ended
}

/** A machine that is connected and begins nothing. */
async function connect(token: string, name: string): Promise<Machine> {
  const link = live.link({ credential: { kind: 'token', token } })
  await waitFor(() => link.connection.value.status === 'open', { what: `the connection of ${name}` })
  const agents = [
    { agent: 'command', name: 'Command', description: 'Any command.', available: true },
    name === 'alpha'
      ? { agent: 'claude', name: 'Claude', description: 'Claude', available: true }
      : { agent: 'claude', name: 'Claude', description: 'Claude', available: false, hint: 'Install it.' },
  ]
  const body = { name, version: '1', platform: 'test', agents, holds: [] }
  const answer = await link.request<{ runner: string }>('PUT', '/api/runner', body)
  if (!answer.ok) throw new Error(answer.problem.detail)
  return { id: answer.value.runner, link }
}

beforeAll(async () => {
  live = await startLiveServer()
  home = await openTempDir()
  const making = startHotlineProcess(['keys', 'make', 'beta', '--kind', 'run', '--with-password'], env())
  making.type('a long walk over the wet meadow')
  making.endInput()
  alpha = await connect(readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim(), 'alpha')
  beta = await connect((await making.ended).out.trim(), 'beta')
  mkdirSync(join(live.dataDir, 'runner'))
  writeFileSync(join(live.dataDir, 'runner', 'id'), `${alpha.id}\n`)
})
afterAll(async () => {
  await live[Symbol.asyncDispose]()
  await home.remove()
})

/** Where a session may begin, and in which folder. */
async function placeOf(session: string): Promise<unknown> {
  const [created] = await live.stored(session)
  return [created?.data['runner'], created?.body?.['cwd']]
}
async function startedBy(...args: string[]): Promise<unknown> {
  const { code, out, err } = await run('run', '--detach', ...args)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return await placeOf(out.trim())
}

describe('which machine begins a session', () => {
  it('[B15] run starts here, whoever else is connected, and elsewhere only where that is said', async () => {
    expect(await startedBy('--', 'true')).toEqual([alpha.id, process.cwd()])
    expect(await startedBy('--on', 'alpha', '--', 'true')).toEqual([alpha.id, process.cwd()])
    expect(await startedBy('--on', 'beta', '--', 'true')).toEqual([beta.id, undefined])
    expect(await startedBy('--on', 'b', '--cwd', '/srv', '--', 'true')).toEqual([beta.id, '/srv'])
    expect(await startedBy('--on', beta.id, 'demo')).toEqual([beta.id, undefined])
    expect(await startedBy('--on', beta.id.slice(0, -2), 'demo')).toEqual([beta.id, undefined])
  })

  it('[B124] [SQ6] with labels any machine that has them all may begin it, or the one that is named', async () => {
    const asked = async (...args: string[]): Promise<unknown> => {
      const { code, out, err } = await run('run', '--detach', ...args, '--', 'true')
      expect({ code, err }).toEqual({ code: 0, err: '' })
      const [created] = await live.stored(out.trim())
      return [created?.data['runner'], created?.data['labels'], created?.body?.['cwd']]
    }
    expect(await asked('--label', 'gpu', '--label', 'linux')).toEqual([undefined, ['gpu', 'linux'], undefined])
    expect(await asked('--label', 'gpu', '--on', 'beta', '--cwd', '/srv')).toEqual([beta.id, ['gpu'], '/srv'])
    const refused = await run('run', '--detach', '--label', 'two words', '--', 'true')
    expect(refused).toMatchObject({ out: '', err: expect.stringContaining('labels') as string })
    expect(refused.code).not.toBe(0)
  })

  it.each([
    ['a machine that is not there', ['--on', 'gamma'], 'No machine "gamma" is connected. Choose one with --on: '],
    ['nothing', ['--on', ''], 'too little of an id'],
    ['a folder of here, there', ['--on', 'beta', '--cwd', '.'], 'On another machine --cwd takes an absolute path'],
  ])('[B15] %s is refused', async (_name, args, why) => {
    const refused = await run('run', '--detach', ...args, '--', 'true')
    expect(refused.err).toContain(why)
    expect(refused).toMatchObject({ code: expect.not.toSatisfy((code) => code === 0) as number, out: '' })
  })

  it('[B15] agents says on which machines, once for those that say the same', async () => {
    const { out } = await run('agents')
    expect(out).toMatch(/^command +Any command\. \(on (alpha, beta|beta, alpha)\)$/m)
    expect(out).toMatch(/^claude +Claude \(on alpha\)$/m)
    expect(out).toMatch(/^claude +Install it\. \(on beta\)$/m)
    expect(out.trim().split('\n')).toHaveLength(3)
  })

  it('[B15] [B7] where this machine is away, the others are named, and what is bound to it waits for it', async () => {
    await alpha.link[Symbol.asyncDispose]()
    await waitFor(async () => !(await run('agents')).out.includes('alpha'), { what: 'alpha to be gone' })
    const refused = await run('run', '--detach', '--', 'true')
    expect(refused).toMatchObject({ code: exitCodes['not-found'], out: '' })
    expect(refused.err).toContain('This machine is not connected. Choose one with --on: beta')
    const rows = JSON.parse((await run('--json', 'ls')).out) as { session: string; runner: string }[]
    const waiting = startHotlineProcess(
      ['attach', rows.find(({ runner }) => runner === alpha.id)?.session ?? ''],
      env(),
    )
    await waitFor(() => waiting.err.includes('It waits. Its machine is not connected.'), { what: 'what it waits for' })
    waiting.child.kill('SIGINT')
    await waiting.ended
  })
})
