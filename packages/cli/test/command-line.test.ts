import { execFile, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { exitCodes } from '@hotline/protocol/error'
import { openTempDir } from '@hotline/testing/temp-dir'
import { describe, expect, it } from 'vitest'

interface Ended {
  code: number | null
  out: string
  err: string
}

/** The real program, in a data directory that has nothing. */
function hotline(...args: string[]): Promise<Ended> {
  const home = mkdtempSync(join(tmpdir(), 'hotline-cli-'))
  const child = spawn(process.execPath, [join(import.meta.dirname, '../bin/hotline.js'), ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      HOTLINE_DATA_DIR: join(home, 'data'),
      HOTLINE_URL: 'http://127.0.0.1:9',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()))
  return new Promise((resolve) => {
    child.on('close', (code) => {
      rmSync(home, { recursive: true })
      resolve({ code, out, err })
    })
  })
}

/** With a home of its own, where it may leave what it compiled. */
async function versionIn(home: string): Promise<string> {
  const program = join(import.meta.dirname, '../bin/hotline.js')
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, '--version'], {
    env: { PATH: process.env['PATH'], HOME: home },
  })
  return stdout + stderr
}

describe('the command line', () => {
  it('[B73] keeps what it compiled for its owner alone, and starts as well where it cannot', async () => {
    await using home = await openTempDir()
    const folder = join(home.path, '.cache/hotline/compiled')
    expect(await versionIn(home.path)).toMatch(/^\d/)
    expect(readdirSync(folder)).toHaveLength(1)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    rmSync(folder, { recursive: true })
    mkdirSync(folder)
    chmodSync(folder, 0o777)
    expect(await versionIn(home.path)).toMatch(/^\d/)
    expect(readdirSync(folder)).toEqual([])
    rmSync(folder, { recursive: true })
    writeFileSync(folder, 'a file')
    expect(await versionIn(home.path)).toMatch(/^\d/)
  })

  it('[B1] says what it can do', async () => {
    const { code, out } = await hotline('--help')
    expect(code).toBe(0)
    const listed = (out.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z-]+)/gm)
    const commands = [...listed].map(([, name]) => name).filter((name) => name !== 'help')
    expect(commands).toEqual(expect.arrayContaining(['up', 'run', 'attach', 'ls', 'send', 'approve', 'deny', 'doctor']))
    const page = readFileSync(join(import.meta.dirname, '../../../docs/command-line.md'), 'utf8')
    const documented = [...page.matchAll(/^\| `hotline ([a-z-]+)/gm)].map(([, name]) => name)
    expect(new Set(documented)).toEqual(new Set(commands))
  })

  it.each([
    ['without a credential', ['ls'], exitCodes.unauthenticated, 'HOTLINE_TOKEN'],
    [
      'without a server',
      ['--token', 'x', 'ls'],
      exitCodes.unavailable,
      'The server cannot be reached (http://127.0.0.1:9).\n',
    ],
    [
      'without a server that could say what was done',
      ['--token', 'x', 'keys', 'revoke', 'k1'],
      exitCodes.unavailable,
      'An answer may have been lost',
    ],
    ['with a word that it does not know', ['explode'], exitCodes.invalid, 'explode'],
    ['without what it needs', ['send'], exitCodes.invalid, 'session'],
  ])('[B2] %s it ends with the exit code of the error table, and says what to do', async (_name, args, exit, says) => {
    const { code, err } = await hotline(...args)
    expect(err).toContain(says)
    expect(code).toBe(exit)
  })

  it('[B2] with --json a refusal is a problem as everywhere', async () => {
    const { err } = await hotline('--json', '--token', 'x', 'ls')
    expect(JSON.parse(err)).toMatchObject({ code: 'unreachable', status: 503 })
  })

  it.each([
    ['a command that there is not', ['--json', 'explode'], 'explode'],
    ['an option that there is not', ['ls', '--json', '--everything'], '--everything'],
    ['a missing argument', ['send', '--json'], 'session'],
    ['an option without its value', ['--json', '--url'], '--url'],
    ['too much', ['--json', 'ls', 'one', 'two'], 'arguments'],
    ['no command', ['--json'], 'command'],
  ])('[B2] with --json %s is one problem and nothing else', async (_name, args, says) => {
    const { code, out, err } = await hotline(...args)
    expect(code).toBe(exitCodes.invalid)
    expect(out).toBe('')
    const refusal = JSON.parse(err) as { code: string; status: number; detail: string }
    expect(refusal).toMatchObject({ code: 'invalid_request', status: 400 })
    expect(refusal.detail).toContain(says)
    expect(refusal.detail).not.toMatch(/^error:/)
  })

  it('[B2] --json of a program that is run is not ours', async () => {
    const { code, err } = await hotline('explode', '--', '--json')
    expect(code).toBe(exitCodes.invalid)
    expect(err).toMatch(/^error: /)
  })
})
