import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Fence, fenceFlags } from './fence.ts'
import { findProgram } from './find-program.ts'
import { listEntries } from './process-table.ts'

/**
 * Namespaces of process ids, made by bubblewrap: inside, whatever has lost its parent becomes a child of the first process
 * of the namespace, and the kernel ends all of it with that one. So the children of children are all that there is, whatever
 * they do to their sessions or their environment. Files, network and users are as they are outside; programs that change
 * their user (`sudo`) do not work inside. Files may be fenced off as well (process/fence).
 */

const run = promisify(execFile)

/** What does not answer within this does not work. */
const probeMs = 5_000

/** The first process is there within this, or the start has gone wrong; then its wrapper is what is known of it. */
const startMs = 3_000

/** Around what is tried: a fence without a hole in it. */
const emptyFence: Fence = { writable: [], sealed: [], hidden: [], readable: [] }

/** What is put into a namespace: processes alone, files as well, or that around a terminal. */
export type Wrapped = 'processes' | 'files' | 'terminal'

/** The program that makes namespaces, where it is installed and may make them; tried once by starting something in one. */
export async function findWrapper(path: string | undefined, of: Wrapped = 'processes'): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined
  const wrapper = findProgram('bwrap', path)
  const probe = findProgram('true', path)
  if (wrapper === undefined || probe === undefined) return undefined
  const fence = of === 'processes' ? undefined : emptyFence
  const line = of === 'terminal' ? inTerminal(wrapper, [probe], emptyFence) : wrapped(wrapper, [probe], fence)
  try {
    const [program = '', ...args] = line
    await run(program, args, { timeout: probeMs })
    return wrapper
  } catch {
    return undefined
  }
}

/** What fences can be made on a machine. */
export interface Fences {
  any: boolean
  /** What is behind one can make namespaces of its own, for a sandbox of its own. A root cannot. */
  nesting: boolean
}

export const noFences: Fences = { any: false, nesting: false }

/** Tries both. */
export async function findFences(path: string | undefined): Promise<Fences> {
  const wrapper = await findWrapper(path, 'files')
  const probe = findProgram('true', path)
  if (wrapper === undefined || probe === undefined) return noFences
  const [program = '', ...args] = wrapped(wrapper, wrapped(wrapper, [probe], emptyFence), emptyFence)
  const nesting = await run(program, args, { timeout: probeMs }).then(
    () => true,
    () => false,
  )
  return { any: true, nesting }
}

/** A command line as it is started inside a namespace of its own, and behind a fence where there is one. */
export function wrapped(wrapper: string, argv: readonly string[], fence?: Fence): readonly string[] {
  const files = fence ? fenceFlags(fence) : ['--dev-bind', '/', '/', '--proc', '/proc']
  return [wrapper, '--unshare-pid', ...files, '--', ...argv]
}

/** What a terminal sends to all that is in front of it, when somebody types. */
const typed = 'INT,QUIT,TSTP'

/**
 * The same in a terminal. What keeps the namespace hears every Ctrl-C that is typed, and would end by it: so it hears none,
 * and the program, which would inherit that, is put back.
 */
export function inTerminal(wrapper: string, argv: readonly string[], fence: Fence): readonly string[] {
  const hearing = ['env', `--default-signal=${typed}`, '--', ...argv]
  return ['env', `--ignore-signal=${typed}`, '--', ...wrapped(wrapper, hearing, fence)]
}

/** The processes that are there for the namespace alone, and the one that was wanted, as they are seen from outside. */
export interface Wrapping {
  /** The one that waits outside, and the first one inside. */
  wrappers: readonly number[]
  pid: number
}

/** Waits until what was wanted runs inside. Where it has ended already, the wrapper stands for it. */
export async function findInside(outer: number): Promise<Wrapping> {
  const childOf = (ppid: number): number | undefined => listEntries().find((entry) => entry.ppid === ppid)?.pid
  const giveUpAt = performance.now() + startMs
  while (performance.now() < giveUpAt) {
    const first = childOf(outer)
    const pid = first === undefined ? undefined : childOf(first)
    if (first !== undefined && pid !== undefined) return { wrappers: [outer, first], pid }
    if (listEntries().every((entry) => entry.pid !== outer)) break
    await pause(5)
  }
  return { wrappers: [outer], pid: outer }
}
