import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { guardChildren } from '@hotline/testing/child-guard'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { runVariable } from '../src/process/environment.ts'
import { openLocalHolder } from '../src/process/local-holder.ts'
import { bootId, listEntries, startTicksOf } from '../src/process/process-table.ts'

// Whoever has it in the environment is ended with its agent: nothing else on this machine may.
const run = randomBytes(16).toString('hex')

/** What an agent's child may do to get away. Each writes its pid to `pids`. */
const escapes: Record<string, string> = {
  plain: 'sleep 1000 & echo $! >> pids; wait',
  nohup: 'nohup sleep 1000 > /dev/null 2>&1 & echo $! >> pids; wait',
  'new session': 'setsid sh -c "echo \\$\\$ >> pids; exec sleep 1000" & wait',
  'new session, forked away': 'setsid -f sh -c "echo \\$\\$ >> pids; exec sleep 1000"; sleep 1000',
  'job control': 'set -m; sleep 1000 & echo $! >> pids; wait',
  'deaf to TERM': 'trap "" TERM; sh -c "trap \'\' TERM; echo \\$\\$ >> pids; while :; do sleep 1; done" & wait',
  stopped: 'sleep 1000 & echo $! >> pids; kill -STOP $!; wait',
  'grandchildren of a dead child': 'sh -c "sleep 1000 & echo \\$! >> pids" ; sleep 1000',
}

test.each(Object.entries(escapes))('[R13] ending an agent leaves nothing: %s', async (_, script) => {
  await using temp = await openTempDir()
  await using guard = guardChildren({ directories: [temp.path] })
  await using holder = openLocalHolder({ folder: join(temp.path, 'children') })
  const env = { PATH: process.env['PATH'] ?? '', [runVariable]: run }
  const held = await holder.start({ session: 's1', argv: ['/bin/sh', '-c', script], cwd: temp.path, env, run })
  await waitFor(() => existsSync(join(temp.path, 'pids')) && readFileSync(join(temp.path, 'pids'), 'utf8') !== '', {
    what: 'a child',
  })
  guard.noteDescendants()
  expect(guard.findSurvivors().length).toBeGreaterThanOrEqual(2)
  const [first, second] = await Promise.all([held.end(200), held.end(10_000)])
  expect([first, second]).toEqual([[], []])
  expect(guard.findSurvivors()).toEqual([])
  expect(readdirSync(join(temp.path, 'children'))).toEqual([])
})

test('[R13] a child that cut all ties was seen before it did', async () => {
  await using temp = await openTempDir()
  await using guard = guardChildren({ directories: [temp.path] })
  await using holder = openLocalHolder({ folder: join(temp.path, 'children') })
  const env = { PATH: process.env['PATH'] ?? '', [runVariable]: run }
  // A clean environment, a session of its own and a parent that goes away: only who looked earlier knows it.
  const script =
    '(env -i /bin/sh -c "exec setsid sh -c \'echo \\$\\$ > pid; exec /bin/sleep 1000\'"; true) & sleep 4; kill -9 $!; sleep 1000'
  const held = await holder.start({ session: 's1', argv: ['/bin/sh', '-c', script], cwd: temp.path, env, run })
  await waitFor(() => existsSync(join(temp.path, 'pid')), { what: 'the child' })
  const pid = Number(readFileSync(join(temp.path, 'pid'), 'utf8'))
  const parentOf = (): number | undefined => listEntries().find((entry) => entry.pid === pid)?.ppid
  const parent = parentOf()
  await waitFor(() => parentOf() !== parent, { what: 'an orphan' })
  guard.noteDescendants()
  expect(await held.end(200)).toEqual([])
  expect(guard.findSurvivors()).toEqual([])
})

test('[R14] children of an earlier life are ended at the start, and only if pid, start time and boot agree', async () => {
  await using temp = await openTempDir()
  await using guard = guardChildren({ directories: [temp.path] })
  const folder = join(temp.path, 'children')
  mkdirSync(folder)
  const start = () => guard.startChild({ command: 'sleep', args: ['1000'], cwd: temp.path, detach: 'group' })
  const [mine, young, otherBoot] = [await start(), await start(), await start()]
  const record = (pid: number, startTicks: number, boot: string): void =>
    writeFileSync(
      join(folder, `${pid}-${startTicks}.json`),
      JSON.stringify({ pid, startTicks, bootId: boot, run, session: 's1' }),
    )
  record(mine.pid, startTicksOf(mine.pid), bootId())
  // The number was given to another process since.
  record(young.pid, startTicksOf(young.pid) - 1, bootId())
  record(otherBoot.pid, startTicksOf(otherBoot.pid), 'another-boot')
  writeFileSync(join(folder, 'torn.json'), '{"pid":')
  await using holder = openLocalHolder({ folder })
  expect(await holder.reap()).toEqual([{ session: 's1', pid: mine.pid }])
  await mine.exited
  expect([young.exit, otherBoot.exit]).toEqual([undefined, undefined])
  expect(readdirSync(folder)).toEqual([])
})
