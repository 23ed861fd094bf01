import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** Said to it when the terminal was given back: it has nothing to do then. */
export const goodbye = 'done'

/**
 * A process beside this one that gives the terminal back where this one is killed so that it cannot: SIGKILL, or no more
 * memory. In a session of its own it is no part of what the terminal's keys and its end reach. Where the settings of the
 * terminal cannot be read, nothing stands by. Disposing of it says that all was given back. `leave`: what to write there.
 */
export function standBy(leave: string): Disposable {
  const saved = spawnSync('stty', ['-g'], { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' })
  if (saved.status !== 0) return { [Symbol.dispose]: () => undefined }
  const program = join(import.meta.dirname, 'stand-by-process.ts')
  const child = spawn(process.execPath, [program, saved.stdout.trim(), leave], {
    detached: true,
    stdio: ['pipe', 'inherit', 'ignore', 0],
  })
  // It keeps nobody here, and nothing is lost but itself where it cannot be started.
  child.on('error', () => undefined)
  child.stdin?.on('error', () => undefined)
  child.unref()
  return { [Symbol.dispose]: () => void child.stdin?.end(goodbye) }
}
