import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { findDescendants, isRunning, listProcesses, signalProcess } from './process-list.ts'
import { waitFor } from './wait-for.ts'

/** What to launch and where. */
export interface PostgresLaunch {
  readonly binaries: PostgresBinaries
  /** Removed by the watchdog when this process is gone. */
  readonly directory: string
  readonly dataDirectory: string
  readonly settings: Readonly<Record<string, string>>
  readonly onLog: (text: string) => void
}

/** A running server (the postmaster and its children) and the watchdog beside it. */
export interface PostgresProcess {
  /** Aborts when the postmaster has ended, by whatever cause. */
  readonly gone: AbortSignal
  /** Signals the postmaster (with SIGKILL, its children too) and waits until none of them is left. */
  end(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void>
}

/**
 * Ends the cluster and removes its directory when we are gone without having said goodbye (a killed test run): its
 * standard input is a pipe that only we hold. $1 is the pid, $2 the directory.
 */
const watchdogScript =
  'read -r goodbye || { kill -QUIT "$1"; while kill -0 "$1"; do sleep 0.1; done; rm -rf "$2"; } 2>/dev/null'

/** A fast shutdown of a small cluster takes far less, also on a slow disk. */
const endDeadlineMs = 20_000

/** The environment of PostgreSQL's programs: no PG* variable and no locale of whoever runs the tests. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C' }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function startWatchdog({ binaries, directory }: PostgresLaunch, pid: number): ChildProcess {
  const watchdog = spawn('/bin/sh', ['-c', watchdogScript, 'watchdog', String(pid), directory], {
    ...binaries.account,
    // Its own session: ^C at a terminal ends the cluster, and the watchdog still removes its directory.
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watchdog.stdin?.on('error', () => undefined)
  return watchdog
}

/** Launches a postmaster as our own child, so that its end is seen at once. Throws when it cannot be started. */
export async function launchPostgres(launch: PostgresLaunch): Promise<PostgresProcess> {
  const { binaries, dataDirectory, settings, onLog } = launch
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const postmaster = spawn(join(binaries.directory, 'postgres'), ['-D', dataDirectory, ...args], {
    ...binaries.account,
    env: postgresEnvironment(),
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  postmaster.stderr.on('data', (text: Buffer) => onLog(text.toString()))
  const gone = new AbortController()
  postmaster.once('close', () => gone.abort(new Error('PostgreSQL has ended')))
  await once(postmaster, 'spawn')
  const pid = postmaster.pid ?? -1
  const watchdog = startWatchdog(launch, pid)

  return {
    gone: gone.signal,
    async end(signal) {
      const processes = listProcesses()
      const family = [...processes.filter((entry) => entry.pid === pid), ...findDescendants(processes, [pid])]
      if (!hasEnded(postmaster)) {
        const ended = once(postmaster, 'exit')
        postmaster.kill(signal)
        // After the postmaster, at once, so that none of its children ends in an orderly way.
        if (signal === 'SIGKILL') for (const entry of family) signalProcess(entry, signal)
        await ended
      }
      await waitFor(() => !family.some(isRunning), { what: 'PostgreSQL to end', deadlineMs: endDeadlineMs })
      if (hasEnded(watchdog)) return
      const watchdogEnded = once(watchdog, 'exit')
      watchdog.stdin?.end('goodbye\n')
      await watchdogEnded
    },
  }
}
