import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorKinds } from '@hotline/protocol/error'
import { type ChildGuard, guardChildren } from '@hotline/testing/child-guard'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HotlineProcess, startHotlineProcess } from './hotline-process.ts'

let live: LiveServer
let dir: TempDir
let guard: ChildGuard
let runner: HotlineProcess

beforeAll(async () => {
  live = await startLiveServer()
  dir = await openTempDir()
  guard = guardChildren()
  mkdirSync(join(dir.path, 'work'))
  runner = start(['--json', 'up', '--only', 'runner'])
  await waitFor(async () => (await run('agents')).out.includes('without a terminal'), { what: 'a runner' })
})
afterAll(async () => {
  runner.child.kill('SIGTERM')
  await runner.ended
  await live[Symbol.asyncDispose]()
  await guard.assertNoSurvivors()
  await dir.remove()
})

function start(args: readonly string[]): HotlineProcess {
  return startHotlineProcess(args, {
    HOME: dir.path,
    HOTLINE_DATA_DIR: live.dataDir,
    HOTLINE_URL: live.url,
    HOTLINE_TOKEN: live.token,
    ...guard.environment,
  })
}

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = start(args)
  hotline.endInput()
  return await hotline.ended
}

/** The lines that came from one source, as they are printed. */
function printed(out: string, source: string): string[] {
  const lines: string[] = []
  let isOfSource = false
  for (const line of out.split('\n')) {
    const begun = /^\d\d:\d\d:\d\d (\S+) +(.*)$/.exec(line)
    if (begun) isOfSource = begun[1] === source
    if (isOfSource) lines.push(line.slice(16))
  }
  return lines.filter((line) => line !== '')
}

describe('programs from the command line', () => {
  it('[B25] run --pipe gives what is piped in to the program, and then the end of it', async () => {
    const sorting = start(['run', '--pipe', '--cwd', dir.path, '--', 'sort'])
    for (const line of ['pear', '  apple', 'fig']) sorting.type(line)
    sorting.endInput()
    const { code, out, err } = await sorting.ended
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(printed(out, 'stdout').map((line) => line.trim())).toEqual(['apple', 'fig', 'pear'])
    expect(printed(out, 'stdout')).toContain('  apple')
    expect(out).toContain('-> completed')
  })

  it('[B26] run --log follows a file, from its end or from its start', async () => {
    const file = join(dir.path, 'followed')
    writeFileSync(file, 'before\n')
    const whole = start(['run', '--log', file, '--from-start'])
    const rest = start(['run', '--log', file])
    await whole.says('before')
    await rest.says('from byte 7')
    appendFileSync(file, 'after')
    for (const one of [whole, rest]) {
      await one.says('file   after')
      one.child.kill('SIGINT')
      const { out, err } = await one.ended
      const [session = ''] = /attach (\S+)/.exec(err)?.slice(1) ?? []
      expect(out.includes('file   before')).toBe(one === whole)
      expect((await run('abort', session)).code).toBe(0)
    }
  })

  it('[B25] a command line that makes no sense is refused before anything is started', async () => {
    for (const args of [[], ['--pipe', 'sort'], ['--from-start', 'demo'], ['--log', 'a', '--', 'sort']]) {
      expect((await run('run', ...args)).code).toBe(errorKinds.invalid.exit)
    }
  })
})
