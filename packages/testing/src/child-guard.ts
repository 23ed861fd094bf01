import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { startGuardedChild } from './guarded-child.ts'
import type { ChildCommand, GuardedChild } from './guarded-child.ts'
import { findDescendants, findWorkingDirectory, hasEnvironment, listProcesses, signalProcess } from './process-list.ts'
import type { ProcessEntry } from './process-list.ts'

/** The environment variable by which a guard knows the descendants of its children, whoever their parent is now. */
export const markVariable = 'HOTLINE_TEST_MARK'

/** What a guard watches besides its children. */
export interface ChildGuardOptions {
  /** A process whose working directory lies in one of these belongs to the test too, whatever its environment. */
  directories?: readonly string[]
}

/** Knows every process that a test started, and fails the test when one outlives it. */
export interface ChildGuard extends AsyncDisposable {
  /** To be set in children that are started in another way than by `startChild`. */
  readonly environment: Readonly<Record<string, string>>
  /** Starts a child that carries the mark. Throws when the command cannot be started. */
  startChild(command: ChildCommand): Promise<GuardedChild>
  /**
   * Remembers what descends from the children now: a descendant with a clean environment is then known for good.
   * It happens by itself before each signal that is sent through a child.
   */
  noteDescendants(): void
  /** Children and descendants that run now. */
  findSurvivors(): ProcessEntry[]
  /**
   * For `afterEach`. Waits up to `graceMs` (15,000 when absent) until no child and no descendant runs; otherwise
   * kills them by pid with SIGKILL and throws an Error that lists them.
   */
  assertNoSurvivors(options?: { graceMs?: number }): Promise<void>
  /** Kills whatever is left, without complaint. */
  [Symbol.asyncDispose](): Promise<void>
}

/** What a killed process is given to disappear; one that the kernel holds longer is reported. */
const killDeadlineMs = 30_000

function describe(entry: ProcessEntry): string {
  return `  pid ${entry.pid} (parent ${entry.ppid}, state ${entry.state}): ${entry.command.slice(0, 300)}`
}

/**
 * Starts to guard: by the tree of parents, by a mark in the environment and by working directory, because each of the
 * three can be escaped: a daemon has a new parent, an agent gets a clean environment, and anything may change
 * directory. It reads /proc, so on other systems than Linux it ends its own children and finds no survivor.
 */
export function guardChildren(options: ChildGuardOptions = {}): ChildGuard {
  const mark = randomBytes(12).toString('hex')
  const environment = { [markVariable]: mark }
  const children = new Set<GuardedChild>()
  const noted = new Map<number, ProcessEntry>()

  const belongsHere = (entry: ProcessEntry): boolean => {
    if (noted.get(entry.pid)?.startTicks === entry.startTicks) return true
    if (hasEnvironment(entry.pid, markVariable, mark)) return true
    if (options.directories === undefined) return false
    const cwd = findWorkingDirectory(entry.pid)
    return options.directories.some((directory) => cwd === directory || cwd?.startsWith(`${directory}/`) === true)
  }
  const findSurvivors = (): ProcessEntry[] => {
    const running = new Set([...children].filter((child) => child.exit === undefined).map((child) => child.pid))
    const processes = listProcesses().filter((entry) => entry.pid !== process.pid)
    const roots = processes.filter((entry) => running.has(entry.pid) || belongsHere(entry))
    const rootPids = roots.map((entry) => entry.pid)
    return [...roots, ...findDescendants(processes, rootPids)]
  }
  const noteDescendants = (): void => {
    for (const entry of findSurvivors()) noted.set(entry.pid, entry)
  }
  const killAll = async (): Promise<void> => {
    const startedAt = performance.now()
    // A process that was killed may have started another one just before: look again until there is none.
    for (let left = findSurvivors(); left.length > 0; left = findSurvivors()) {
      if (performance.now() - startedAt > killDeadlineMs) {
        throw new Error(`could not be killed within ${killDeadlineMs} ms:\n${left.map(describe).join('\n')}`)
      }
      for (const entry of left) {
        noted.set(entry.pid, entry)
        signalProcess(entry, 'SIGKILL')
      }
      await pause(10)
    }
    for (const child of children) await child[Symbol.asyncDispose]()
    children.clear()
    noted.clear()
  }

  return {
    environment,
    async startChild(command) {
      const child = await startGuardedChild({ ...command, env: { ...command.env, ...environment } }, noteDescendants)
      children.add(child)
      return child
    },
    noteDescendants,
    findSurvivors,
    async assertNoSurvivors({ graceMs = 15_000 } = {}) {
      const startedAt = performance.now()
      let survivors = findSurvivors()
      while (survivors.length > 0 && performance.now() - startedAt < graceMs) {
        await pause(20)
        survivors = findSurvivors()
      }
      await killAll()
      if (survivors.length === 0) return
      throw new Error(`processes outlived their test and were killed:\n${survivors.map(describe).join('\n')}`)
    },
    [Symbol.asyncDispose]: killAll,
  }
}
