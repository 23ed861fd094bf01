import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'

/** One line of JSON that a child printed. */
export type Line = Readonly<Record<string, unknown>>

/** A process that we started: it speaks lines of JSON on its standard output, and ends when its standard input ends. */
export interface Child extends AsyncDisposable {
  readonly pid: number
  /** The next line. Rejects when the child ends, is silent for `waitMs`, or prints something else. */
  nextLine(waitMs: number): Promise<Line>
}

export interface ChildOptions {
  command: string
  arguments: readonly string[]
  /** The processor it stays on, where `taskset` exists; undefined: any. */
  cpu: number | undefined
  /** Ends the child, whatever it is doing. */
  signal: AbortSignal
}

/** How long a child may take to end by itself before it is signalled, and again before it is killed. */
const politeEndMs = 2_000
/** Lines that nobody asked for; a child that prints more is broken. */
const maxWaitingLines = 1_000
/** Characters of standard error that are kept for the message when it fails. */
const keptErrorChars = 2_000

/** Where an executable lies, by the PATH; undefined where there is none. */
export function findExecutable(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/** Server and load on a processor each, where the machine has two and can pin; otherwise the kernel decides. */
export function choosePlacement(): { serverCpu: number | undefined; loadCpu: number | undefined } {
  const pinned = findExecutable('taskset') !== undefined && availableParallelism() >= 2
  return pinned ? { serverCpu: 0, loadCpu: 1 } : { serverCpu: undefined, loadCpu: undefined }
}

/** Starts a child. Disposing of it closes its input, then signals, then kills it: that process and no other. */
export function startChild(options: ChildOptions): Child {
  const pin = options.cpu === undefined ? [] : ['taskset', '-c', String(options.cpu)]
  const [command = options.command, ...args] = [...pin, options.command, ...options.arguments]
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const waiting: Line[] = []
  let errors = ''
  let ending: Error | undefined
  let wake: (() => void) | undefined

  const end = (error: Error): void => {
    ending ??= error
    wake?.()
  }
  const closed = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`
      end(new Error(`${options.command} ended ${how}${errors === '' ? '' : `: ${errors.trim()}`}`))
      resolve()
    })
    child.once('error', (error) => {
      end(error)
      resolve()
    })
  })
  child.stdin.on('error', () => wake?.())
  const abort = (): void => void child.kill('SIGTERM')
  if (options.signal.aborted) abort()
  options.signal.addEventListener('abort', abort)
  void closed.then(() => options.signal.removeEventListener('abort', abort))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-keptErrorChars)
  })
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = parseLine(text)
    if (line === undefined)
      end(new Error(`${options.command} printed something that is not JSON: ${text.slice(0, 200)}`))
    else if (waiting.length >= maxWaitingLines) end(new Error(`${options.command} prints more than is read`))
    else waiting.push(line)
    wake?.()
  })

  return {
    pid: child.pid ?? 0,
    nextLine: async (waitMs) => {
      const deadline = performance.now() + waitMs
      for (;;) {
        const line = waiting.shift()
        if (line !== undefined) return line
        if (ending !== undefined) throw ending
        const leftMs = deadline - performance.now()
        if (leftMs <= 0) throw new Error(`${options.command} said nothing for ${waitMs} ms`)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, leftMs)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
        wake = undefined
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      if (await endsWithin(closed, politeEndMs)) return
      child.kill('SIGTERM')
      if (await endsWithin(closed, politeEndMs)) return
      child.kill('SIGKILL')
      await closed
    },
  }
}

async function endsWithin(closed: Promise<void>, waitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), waitMs)
  })
  const ended = await Promise.race([closed.then(() => true), late])
  clearTimeout(timer)
  return ended
}

function parseLine(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Line) : undefined
  } catch {
    return undefined
  }
}

/** A number of a line. Throws where it is missing. */
export function numberOf(line: Line, key: string): number {
  const value = line[key]
  if (typeof value !== 'number') throw new TypeError(`a child left out the number "${key}"`)
  return value
}

/** A text of a line; empty where it is missing. */
export function textOf(line: Line, key: string): string {
  const value = line[key]
  return typeof value === 'string' ? value : ''
}
