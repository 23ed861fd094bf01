import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access } from 'node:fs/promises'
import type { Step } from '../script.ts'
import { pause } from '../turn.ts'
import type { Turn } from '../turn.ts'
import { resolveInside, writeInside } from '../workspace.ts'

/** How often waitFile looks. */
const LOOK_EVERY_MS = 20

const never = (): Promise<never> => new Promise(() => undefined)

/** Waits until a file exists. */
export async function waitForFile(turn: Turn, { path }: Extract<Step, { do: 'waitFile' }>): Promise<void> {
  const file = await resolveInside(turn.session.cwd, path)
  const exists = (): Promise<boolean> =>
    access(file).then(
      () => true,
      () => false,
    )
  while (!(await exists())) await pause(turn, LOOK_EVERY_MS)
}

/** Does nothing for ever, in one of three degrees of obstinacy. */
export async function hang(turn: Turn, step: Extract<Step, { do: 'hang' }>): Promise<never> {
  if (step.stubborn) turn.host.refuseToEnd()
  if (step.deaf || step.stubborn) return never()
  turn.signal.throwIfAborted()
  return new Promise((_, reject) => {
    turn.signal.addEventListener('abort', () => reject(turn.signal.reason as Error), { once: true })
  })
}

/** Ends the process. Everything said before is out by then, since each step waits for its own writing. */
export async function die(turn: Turn, step: Extract<Step, { do: 'die' }>): Promise<never> {
  if (step.signal === undefined) turn.host.exit(step.code ?? 1)
  else turn.host.raise(step.signal)
  return never()
}

/** Starts a program and forgets it. Throws when it cannot be started. */
export async function spawnChild(turn: Turn, step: Extract<Step, { do: 'spawnChild' }>): Promise<void> {
  const [program = '', ...rest] = step.argv
  const { cwd } = turn.session
  const child = spawn(program, rest, { cwd, stdio: 'ignore', shell: false, detached: step.detached ?? false })
  await once(child, 'spawn')
  child.unref()
  if (step.pidFile !== undefined) await writeInside(await resolveInside(cwd, step.pidFile), `${child.pid}\n`)
}

/** Writes down the environment that the agent was given. */
export async function writeEnvironment(turn: Turn, { file }: Extract<Step, { do: 'env' }>): Promise<void> {
  await writeInside(await resolveInside(turn.session.cwd, file), JSON.stringify(turn.host.env, null, 2))
}
