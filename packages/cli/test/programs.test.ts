import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitCodes } from '@hotline/protocol/error'
import type { LiveServer } from '@hotline/testing/live-server'
import type { TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRunnerScene, type RunnerScene } from './runner-scene.ts'

let scene: RunnerScene
let live: LiveServer
let dir: TempDir
let start: RunnerScene['start']
let run: RunnerScene['run']

beforeAll(async () => {
  scene = await openRunnerScene()
  ;({ live, dir, start, run } = scene)
  mkdirSync(join(dir.path, 'work'))
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

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

  it('[B38] attach to a terminal shows its screen first, and then what comes', async () => {
    const script = 'i=0; while [ $i -lt 80 ]; do i=$((i+1)); echo "row $i"; sleep 0.06; done; read -r x; echo "got $x"'
    const begun = await run('run', '--detach', '--cwd', dir.path, '--', '/bin/sh', '-c', script)
    const session = begun.out.trim()
    const last = await waitFor(
      async () => (await live.stored(session)).findLast(({ type }) => type === 'screen.saved')?.body?.['plain'],
      { what: 'a screen' },
    )
    const attached = start(['attach', session])
    await attached.says('row 80')
    attached.type('it')
    await attached.says('got it')
    const { out } = await attached.ended
    expect(out).toMatch(/^\d\d:\d\d:\d\d screen row \d+\n {16}row/)
    // From its first line on the screen has everything, once; what was above it is not printed.
    const [first = 0] = /\d+/.exec(String(last))?.map(Number) ?? []
    const rows = [...out.matchAll(/row (\d+)$/gm)].map(([, row]) => Number(row))
    expect(rows).toEqual(Array.from({ length: 81 - first }, (_, row) => first + row))
    expect(first).toBeGreaterThan(1)
    expect((await run('logs', session)).out).toContain('row 1\n')
  })

  it('[B25] a command line that makes no sense is refused before anything is started', async () => {
    for (const args of [[], ['--pipe', 'sort'], ['--from-start', 'demo'], ['--log', 'a', '--', 'sort']]) {
      expect((await run('run', ...args)).code).toBe(exitCodes.invalid)
    }
  })
})
