import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { freshId, openTool, textContent, updateTool } from '../turn.ts'
import type { Turn } from '../turn.ts'

/** A program that runs longer is ended, and its tool call fails. */
const RUN_LIMIT_MS = 10 * 60_000

/** A program that does not end on SIGTERM within this gets SIGKILL. */
const KILL_AFTER_MS = 2_000

/** Tool call content is replaced as a whole, so output is shown at most this often, and only its end. */
const SHOW_EVERY_MS = 100
const MAX_SHOWN_CHARS = 16 * 1024

/** Runs a program in cwd, without a shell, and shows its output in a tool call: the one at hand, or a new one. */
export async function runCommand(turn: Turn, argv: readonly string[], tool: string | null): Promise<void> {
  const toolCallId = tool ?? freshId('tool')
  const command = argv.join(' ')
  if (tool === null) {
    const rawInput = { command, cwd: turn.session.cwd }
    await openTool(turn, { toolCallId, title: `Run ${command}`, kind: 'execute', status: 'in_progress', rawInput })
  }
  const [program = '', ...rest] = argv
  const child = spawn(program, rest, { cwd: turn.session.cwd, stdio: ['ignore', 'pipe', 'pipe'], shell: false })
  const output = showOutput(turn, toolCallId, child)
  try {
    const ending = await waitForEnd(turn, child)
    const shown = await output.end()
    const status = 'exitCode' in ending && ending.exitCode === 0 ? 'completed' : 'failed'
    const text = 'problem' in ending ? `${shown}\n${ending.problem}`.trim() : shown
    await updateTool(turn, { toolCallId, status, content: textContent(text), rawOutput: ending })
    turn.signal.throwIfAborted()
  } finally {
    await output.end()
  }
}

type Ending = { exitCode: number } | { problem: string }

async function waitForEnd(turn: Turn, child: ChildProcess): Promise<Ending> {
  const { children } = turn.host
  children.add(child)
  const limit = AbortSignal.any([turn.signal, AbortSignal.timeout(RUN_LIMIT_MS)])
  let killTimer: NodeJS.Timeout | undefined
  const stop = (): void => {
    child.kill('SIGTERM')
    child.stdout?.destroy() // else a grandchild that kept the pipe would keep us waiting
    child.stderr?.destroy()
    killTimer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
  }
  limit.addEventListener('abort', stop, { once: true })
  if (limit.aborted) stop()
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    return code === null ? { problem: `ended by ${signal}` } : { exitCode: code }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  } finally {
    limit.removeEventListener('abort', stop)
    clearTimeout(killTimer)
    children.delete(child)
  }
}

/** Collects the end of what a program prints and shows it as it grows; end() resolves to it when all is shown. */
function showOutput(turn: Turn, toolCallId: string, child: ChildProcess): { end(): Promise<string> } {
  let text = ''
  let shown = ''
  let showing = Promise.resolve()
  const show = (): void => {
    if (text === shown || turn.signal.aborted) return
    shown = text
    const content = textContent(text)
    showing = showing.then(() => updateTool(turn, { toolCallId, status: 'in_progress', content }))
    showing = showing.catch(() => undefined) // stdout is gone; the turn finds out by its own next update
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (piece: string) => {
      const all = text + piece
      text = all.length <= MAX_SHOWN_CHARS ? all : `(...)\n${all.slice(-MAX_SHOWN_CHARS)}`
    })
  }
  const timer = setInterval(show, SHOW_EVERY_MS)
  return {
    end: async () => {
      clearInterval(timer)
      await showing
      return text
    },
  }
}
