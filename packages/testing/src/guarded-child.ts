import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

/** What to start. There is no shell. */
export interface ChildCommand {
  command: string
  args?: readonly string[]
  /** Added to this process's environment; undefined takes a variable away. */
  env?: Readonly<Record<string, string | undefined>>
  cwd?: string
  /** `group`: leads its own session and process group, so that ^C at a terminal does not reach it. */
  detach?: 'group'
}

/** How a process ended: with a code, or by a signal. */
export interface ChildExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Where `waitForLine` looks, and for how long. */
export interface LineWait {
  /** `both` when absent. */
  stream?: 'stdout' | 'stderr' | 'both'
  /** 30,000 ms when absent. */
  deadlineMs?: number
}

/** A child process of a test, with what it printed. */
export interface GuardedChild extends AsyncDisposable {
  readonly pid: number
  readonly stdin: Writable
  /** All that it printed, at most the last mebibyte of each stream. */
  readonly stdout: string
  readonly stderr: string
  /** Resolves when it has ended and all its output is here; rejects when it could not be started. */
  readonly exited: Promise<ChildExit>
  /** How it ended, or undefined while it runs. */
  readonly exit: ChildExit | undefined
  /**
   * The first whole line, printed already or still to come, that matches. Throws with the output so far when the
   * deadline passes or the child ends first.
   */
  waitForLine(pattern: RegExp, options?: LineWait): Promise<RegExpExecArray>
  /** Signals this process alone (not its group); says whether it was still there. SIGTERM when absent. */
  kill(signal?: NodeJS.Signals): boolean
  /** Kills it with SIGKILL and waits until it has ended. */
  [Symbol.asyncDispose](): Promise<void>
}

const outputLimitChars = 1024 * 1024

/** Time for a child to start and say so on a busy machine; after that the test fails with its output. */
const defaultLineDeadlineMs = 30_000

interface Captured {
  text: string
  /** Lines that are complete, in order of arrival, bounded like the text. */
  readonly lines: string[]
  linesChars: number
  rest: string
}

function capture(stream: Readable, onLine: (line: string) => void): Captured {
  const captured: Captured = { text: '', lines: [], linesChars: 0, rest: '' }
  const addLine = (line: string): void => {
    captured.lines.push(line)
    captured.linesChars += line.length
    while (captured.linesChars > outputLimitChars) captured.linesChars -= captured.lines.shift()?.length ?? 0
    onLine(line)
  }
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    captured.text = (captured.text + text).slice(-outputLimitChars)
    const pieces = (captured.rest + text).split(/\r?\n/)
    captured.rest = (pieces.pop() ?? '').slice(-outputLimitChars)
    for (const line of pieces) addLine(line)
  })
  stream.on('end', () => {
    if (captured.rest !== '') addLine(captured.rest)
    captured.rest = ''
  })
  return captured
}

/**
 * Starts a child process and captures its output; `beforeKill` runs before each signal. Throws when the command
 * cannot be started.
 */
export async function startGuardedChild(options: ChildCommand, beforeKill: () => void): Promise<GuardedChild> {
  const { command, args = [], env = {}, cwd, detach } = options
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    detached: detach === 'group',
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const watchers = new Set<(stream: 'stdout' | 'stderr', line: string) => void>()
  const tell = (stream: 'stdout' | 'stderr') => (line: string) => {
    for (const watch of watchers) watch(stream, line)
  }
  const captured = {
    stdout: capture(child.stdout, tell('stdout')),
    stderr: capture(child.stderr, tell('stderr')),
  }
  // Writing to a child that has ended fails; the test sees that in `exited`.
  child.stdin.on('error', () => undefined)
  let exit: ChildExit | undefined
  child.on('exit', (code, signal) => {
    exit = { code, signal }
  })
  const exited = new Promise<ChildExit>((resolve) => {
    // Its pipes may be held open by a descendant that outlives it: that must not hold up the test.
    child.on('exit', (code, signal) => {
      // A timer may be late; what has come by then is read before it counts.
      const drained = setTimeout(() => setImmediate(() => setImmediate(() => resolve({ code, signal }))), 500)
      child.on('close', () => {
        clearTimeout(drained)
        resolve({ code, signal })
      })
    })
  })
  await once(child, 'spawn')
  const pid = child.pid ?? -1
  const kill = (signal: NodeJS.Signals): boolean => {
    if (exit === undefined) beforeKill()
    return child.kill(signal)
  }
  const describe = (): string =>
    `${[command, ...args].join(' ')} (pid ${pid})\nstdout: ${captured.stdout.text}\nstderr: ${captured.stderr.text}`

  return {
    pid,
    stdin: child.stdin,
    get stdout() {
      return captured.stdout.text
    },
    get stderr() {
      return captured.stderr.text
    },
    exited,
    get exit() {
      return exit
    },
    async waitForLine(pattern, { stream = 'both', deadlineMs = defaultLineDeadlineMs } = {}) {
      // Without the flags that make a pattern remember where it stopped.
      const plain = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''))
      for (const name of stream === 'both' ? (['stdout', 'stderr'] as const) : [stream]) {
        for (const line of captured[name].lines) {
          const match = plain.exec(line)
          if (match !== null) return match
        }
      }
      return new Promise<RegExpExecArray>((resolve, reject) => {
        const end = (): void => {
          clearTimeout(timer)
          watchers.delete(watch)
        }
        const watch = (name: 'stdout' | 'stderr', line: string): void => {
          const match = stream === 'both' || stream === name ? plain.exec(line) : null
          if (match === null) return
          end()
          resolve(match)
        }
        const fail = (why: string): void => {
          end()
          reject(new Error(`${why} line ${plain} of ${describe()}`))
        }
        const timer = setTimeout(() => fail(`waited ${deadlineMs} ms for`), deadlineMs)
        watchers.add(watch)
        void exited.then(({ code, signal }) => fail(`ended (${signal ?? `code ${code}`}) before`))
      })
    },
    kill: (signal = 'SIGTERM') => kill(signal),
    async [Symbol.asyncDispose]() {
      kill('SIGKILL')
      await exited
    },
  }
}
