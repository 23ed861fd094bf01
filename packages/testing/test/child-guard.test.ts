import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { guardChildren } from '../src/child-guard.ts'
import type { ChildGuard } from '../src/child-guard.ts'
import { findProcess, isRunning, listProcesses } from '../src/process-list.ts'
import { openTempDir } from '../src/temp-dir.ts'
import type { TempDir } from '../src/temp-dir.ts'
import { waitFor } from '../src/wait-for.ts'

/** Says that it is ready and then does nothing until it is killed. */
const idle = "console.log('ready', process.pid); setInterval(() => undefined, 1000)"

/**
 * Starts an idle process in a session of its own, prints its pid, and ends when told to: the idle one is then
 * nobody's child.
 */
function daemonStarter(options: { env: 'kept' | 'clean'; cwd?: string }): string {
  const env = options.env === 'clean' ? '{ PATH: process.env.PATH }' : 'process.env'
  return `
    const { spawn } = require('node:child_process')
    const child = spawn(process.execPath, ['-e', ${JSON.stringify(idle)}], {
      detached: true, stdio: 'ignore', env: ${env}, cwd: ${JSON.stringify(options.cwd)},
    })
    child.unref()
    console.log('daemon', child.pid)
    process.stdin.resume().on('end', () => process.exit(0))`
}

let guard: ChildGuard
let directory: TempDir

beforeEach(async () => {
  directory = await openTempDir()
  guard = guardChildren({ directories: [directory.path] })
})

afterEach(async () => {
  await guard[Symbol.asyncDispose]()
  await directory.remove()
})

async function startDaemon(
  code: string,
): Promise<{ pid: number; starter: Awaited<ReturnType<typeof guard.startChild>> }> {
  const starter = await guard.startChild({ command: process.execPath, args: ['-e', code] })
  const [, pid] = await starter.waitForLine(/^daemon (\d+)$/)
  return { pid: Number(pid), starter }
}

describe('a guarded child', () => {
  test('is heard line by line, with its input, environment, directory and exit code', async () => {
    const child = await guard.startChild({
      command: process.execPath,
      args: [
        '-e',
        "process.stdin.once('data', (d) => { console.error(process.env.WORD, process.cwd(), `${d}`); process.exit(7) })",
      ],
      env: { WORD: 'hello' },
      cwd: directory.path,
    })
    child.stdin.write('input')
    const match = await child.waitForLine(/^hello (\S+) (\w+)$/, { stream: 'stderr' })
    expect(match.slice(1)).toEqual([directory.path, 'input'])
    expect(await child.exited).toEqual({ code: 7, signal: null })
    expect([child.exit, child.stdout]).toEqual([{ code: 7, signal: null }, ''])
    // A line that came earlier is found as well, also by a pattern with memory.
    const remembering = /hello/g
    await child.waitForLine(remembering)
    await child.waitForLine(remembering)
    await guard.assertNoSurvivors()
  })

  test('takes a variable away when it is undefined', async () => {
    const child = await guard.startChild({
      command: process.execPath,
      args: ['-e', "console.log('PATH' in process.env)"],
      env: { PATH: undefined },
    })
    await child.waitForLine(/^false$/)
    await child.exited
  })

  test('that never says the line fails the wait with what it said', async () => {
    const child = await guard.startChild({ command: process.execPath, args: ['-e', "console.log('port in use')"] })
    await expect(child.waitForLine(/listening/)).rejects.toThrow(
      /ended \(code 0\) before line \/listening\/[^]*port in use/,
    )
    const silent = await guard.startChild({ command: process.execPath, args: ['-e', idle] })
    await silent.waitForLine(/ready/)
    await expect(silent.waitForLine(/listening/, { deadlineMs: 20 })).rejects.toThrow(/waited 20 ms for line/)
  })

  test('that cannot be started throws', async () => {
    await expect(guard.startChild({ command: '/nonexistent/program' })).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('ends by the signal that it is sent', async () => {
    const child = await guard.startChild({ command: process.execPath, args: ['-e', idle] })
    await child.waitForLine(/ready/)
    expect(child.kill('SIGKILL')).toBe(true)
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' })
    expect(child.kill()).toBe(false)
  })
})

describe('assertNoSurvivors', () => {
  test('is content when everything has ended', async () => {
    const child = await guard.startChild({ command: process.execPath, args: ['-e', ''] })
    await child.exited
    await guard.assertNoSurvivors()
  })

  test('finds a child that still runs, names it and kills it', async () => {
    const child = await guard.startChild({ command: process.execPath, args: ['-e', idle] })
    await child.waitForLine(/ready/)
    const failure = guard.assertNoSurvivors({ graceMs: 0 })
    await expect(failure).rejects.toThrow(
      new RegExp(`outlived their test and were killed:\\n  pid ${child.pid} .*ready`),
    )
    expect(child.exit).toEqual({ code: null, signal: 'SIGKILL' })
    await guard.assertNoSurvivors()
  })

  test('finds a daemon of its own session whose parent has gone', async () => {
    const { pid, starter } = await startDaemon(daemonStarter({ env: 'kept' }))
    starter.stdin.end()
    await starter.exited
    const daemon = await waitFor(() => findProcess(pid), { what: 'the daemon' })
    expect(daemon.ppid).not.toBe(starter.pid)
    await expect(guard.assertNoSurvivors({ graceMs: 0 })).rejects.toThrow(`pid ${pid} `)
    expect(isRunning(daemon)).toBe(false)
  })

  test('finds a daemon with a clean environment by the signal that its parent was sent', async () => {
    const { pid, starter } = await startDaemon(daemonStarter({ env: 'clean' }))
    starter.kill('SIGKILL')
    await starter.exited
    await expect(guard.assertNoSurvivors({ graceMs: 0 })).rejects.toThrow(`pid ${pid} `)
    expect(findProcess(pid)?.state ?? 'gone').toMatch(/^(gone|Z)$/)
  })

  test('finds a daemon with a clean environment by its working directory', async () => {
    const { pid, starter } = await startDaemon(daemonStarter({ env: 'clean', cwd: directory.path }))
    starter.stdin.end()
    await starter.exited
    await expect(guard.assertNoSurvivors({ graceMs: 0 })).rejects.toThrow(`pid ${pid} `)
  })

  test('gives a process that is just ending its time', async () => {
    const { pid, starter } = await startDaemon(daemonStarter({ env: 'kept' }))
    starter.stdin.end()
    await starter.exited
    const waiting = guard.assertNoSurvivors()
    process.kill(pid, 'SIGTERM')
    await waiting
  })

  test('leaves processes of others alone', async () => {
    const other = guardChildren()
    const child = await other.startChild({ command: process.execPath, args: ['-e', idle] })
    await child.waitForLine(/ready/)
    await guard.assertNoSurvivors({ graceMs: 0 })
    expect(child.exit).toBeUndefined()
    expect(listProcesses().map((entry) => entry.pid)).toContain(child.pid)
    await other[Symbol.asyncDispose]()
    expect(child.exit?.signal).toBe('SIGKILL')
  })
})
