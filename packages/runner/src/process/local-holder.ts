import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { isWhole } from '@hotline/core/reach-words'
import type { Exit } from '@hotline/protocol/events/session'
import { type ChildRecord, openChildRecords } from './child-records.ts'
import { type Nest, openNest, removeGroup } from './cgroup.ts'
import type { Contained } from './containing.ts'
import { type ControlledTree, controlTree } from './control-tree.ts'
import type { Fence } from './fence.ts'
import type { HeldProcess, HeldTerminal, HeldTree, Holder, ProcessSpec, Reaped, TerminalSize } from './holder.ts'
import { findInside, findWrapper, inTerminal, type Wrapped, wrapped, type Wrapping } from './namespace.ts'
import { type KernelPipes, openKernelPipes } from './kernel-pipes.ts'
import { bootId, listEntries, startTicksOf } from './process-table.ts'
import { endTree, findTree, shareLooks } from './process-tree.ts'
import { spawnTerminal } from './terminal.ts'

/** What left the ranks of its parents is found only while the tie is there: so the trees are looked at so often. */
const lookEveryMs = 2_000

/** For people, who know the setting. */
const notContained =
  'its profile says "contain: processes", and on this machine nothing keeps together what it starts. ' +
  'That takes control groups, or bubblewrap for an agent without a terminal.'

const notFenced =
  'its profile says "contain: files", and on this machine nothing can keep it from the files around. ' +
  'That takes Linux with bubblewrap, and around a terminal the env of GNU.'

/** An orphan gets less patience than an agent: nobody hears its last words. */
const reapGraceMs = 1_000

type Adopted = Pick<HeldProcess, 'pid' | 'startedAt' | 'end' | keyof HeldTree>

interface Watched {
  readonly tree: ControlledTree
  readonly end: (graceMs: number) => Promise<readonly number[]>
}

/**
 * By which means trees are kept together: the kernel's groups or, where there can be none, its namespaces (`best`);
 * namespaces alone; or none (`scan`).
 */
export type HolderReach = 'best' | 'namespace' | 'scan'

/** The runner holds its agents itself: when it dies, their pipes close, and its next life ends what is left of them. */
export function openLocalHolder(options: { folder: string; reach?: HolderReach }): Holder {
  const { reach = 'best' } = options
  const records = openChildRecords(options.folder)
  const watched = new Set<Watched>()
  // Many end at once when their runner or their keeper does.
  const look = shareLooks()
  let nest: Nest | 'unknown' | undefined = reach === 'best' ? 'unknown' : undefined
  const wrappers = new Map<Wrapped, Promise<string | undefined>>()
  const looking = setInterval(() => {
    if (watched.size === 0) return
    const entries = listEntries()
    for (const { tree } of watched) tree.look(entries)
  }, lookEveryMs)
  looking.unref()

  /** Starts something in a group of the kernel, where there can be one. */
  const start = <T>({ run }: ProcessSpec, spawning: () => T): { result: T; cgroup: string | undefined } => {
    if (nest === 'unknown') nest = openNest()
    return nest ? nest.start(run, spawning) : { result: spawning(), cgroup: undefined }
  }

  /** What makes a namespace for the next one; undefined where it needs none, or there can be none. */
  const findWrapperFor = (
    { env, contain }: ProcessSpec,
    around: 'pipes' | 'terminal',
  ): Promise<string | undefined> | undefined => {
    if (nest === 'unknown') nest = openNest()
    const hasFence = fenceIn(contain) !== undefined
    if (!hasFence && (nest || reach === 'scan' || around === 'terminal')) return undefined
    const of = !hasFence ? 'processes' : around === 'pipes' ? 'files' : 'terminal'
    const found = wrappers.get(of) ?? findWrapper(env['PATH'], of)
    wrappers.set(of, found)
    return found
  }

  /** Rejects where something is to be kept together that cannot be; before it is started where that is known. */
  const refuseLoose = (spec: ProcessSpec, wrap: string | undefined): void => {
    if (nest === 'unknown') nest = openNest()
    if (fenceIn(spec.contain) && wrap === undefined) throw new Error(notFenced)
    if (spec.contain !== undefined && !nest && wrap === undefined) throw new Error(notContained)
  }

  /** The same of what was started: a control group may fail at the last moment. */
  const endLoose = async (spec: ProcessSpec, held: Adopted): Promise<void> => {
    if (spec.contain === undefined || isWhole(held.reach)) return
    await held.end(0)
    throw new Error(notContained)
  }

  /** Writes the child down before anybody can talk to it. `outer`: what was started, where it is not what was wanted. */
  const adopt = (
    spec: ProcessSpec,
    outer: number,
    { cgroup, inside }: { cgroup: string | undefined; inside?: Wrapping | undefined },
  ): Adopted => {
    const root = {
      pid: outer,
      startTicks: startTicksOf(outer),
      run: spec.run,
      ...(cgroup === undefined ? {} : { cgroup }),
      ...(inside === undefined ? {} : { wrappers: inside.wrappers }),
    }
    const record: ChildRecord = { ...root, bootId: bootId(), session: spec.session }
    records.keep(record)
    const tree = controlTree(root)
    let ending: Promise<readonly number[]> | undefined
    const finish = async (graceMs: number): Promise<readonly number[]> => {
      tree.callOff()
      const left = await endTree(root, graceMs, tree.known, look)
      if (left.length === 0) {
        if (cgroup !== undefined) removeGroup(cgroup)
        records.forget(record)
      }
      watched.delete(entry)
      return left
    }
    const entry: Watched = {
      tree,
      end: (graceMs) => {
        ending ??= finish(graceMs)
        return ending
      },
    }
    watched.add(entry)
    return { pid: inside?.pid ?? outer, startedAt: new Date().toISOString(), end: entry.end, ...tree.held }
  }

  return {
    async start(spec): Promise<HeldProcess> {
      const wrap = await findWrapperFor(spec, 'pipes')
      refuseLoose(spec, wrap)
      const argv = wrap === undefined ? spec.argv : wrapped(wrap, spec.argv, fenceIn(spec.contain))
      const pipes = spec.pipes === 'kernel' ? await openKernelPipes() : undefined
      try {
        const { result, cgroup } = start(spec, () => spawnPiped({ ...spec, argv }, pipes))
        const { child, stdin, stdout, stderr } = result
        const letGo = pipes ? [] : [stdout, stderr].map(holdBack)
        const exited = new Promise<Exit>((resolve) => {
          child.once('exit', (code, signal) =>
            resolve(wrap === undefined ? { code, signal } : exitInside(code, signal)),
          )
        })
        await once(child, 'spawn').catch((error: unknown) => {
          if (cgroup !== undefined) removeGroup(cgroup)
          throw error
        })
        const pid = child.pid ?? 0
        const inside = wrap === undefined ? undefined : await findInside(pid)
        const adopted = adopt(spec, pid, { cgroup, inside })
        await endLoose(spec, adopted)
        for (const release of letGo) release()
        return { ...adopted, exited, stdin, stdout, stderr }
      } catch (error) {
        for (const stream of [pipes?.stdin, pipes?.stdout, pipes?.stderr]) stream?.destroy()
        throw error
      } finally {
        pipes?.closeChildEnds()
      }
    },

    async startTerminal(spec: ProcessSpec, size: TerminalSize): Promise<HeldTerminal> {
      const wrap = await findWrapperFor(spec, 'terminal')
      refuseLoose(spec, wrap)
      const fence = fenceIn(spec.contain)
      const argv = wrap === undefined || fence === undefined ? spec.argv : inTerminal(wrap, spec.argv, fence)
      const { result: terminal, cgroup } = start(spec, () => spawnTerminal({ ...spec, argv }, size))
      // Nobody hears it yet.
      terminal.pause()
      const exited = new Promise<Exit>((resolve) => {
        terminal.onExit(({ code, signal }) => resolve(exitOf(code, signal, wrap)))
      })
      const inside = wrap === undefined ? undefined : await findInside(terminal.pid)
      const adopted = adopt(spec, terminal.pid, { cgroup, inside })
      await endLoose(spec, adopted)
      terminal.resume()
      const end: HeldTerminal['end'] = async (graceMs) => {
        const left = await adopted.end(graceMs)
        // Nobody prints any more: what is left is little, and the end comes after it.
        terminal.resume()
        return left
      }
      return { ...terminal, ...adopted, end, exited }
    },

    async reap(): Promise<readonly Reaped[]> {
      const boot = bootId()
      const reapOne = async (record: ChildRecord): Promise<readonly Reaped[]> => {
        const { pid, session } = record
        // Start ticks of another boot name other processes, and without them a pid may be anybody's.
        const isOurs = record.bootId === boot && record.startTicks > 0
        const isThere = isOurs && findTree(record, new Map(), look()).length > 0
        if (isOurs) {
          const left = await endTree(record, reapGraceMs, new Map(), look)
          if (left.length === 0 && record.cgroup !== undefined) removeGroup(record.cgroup)
        }
        records.forget(record)
        return isThere ? [{ session, pid }] : []
      }
      // All at once: people wait to hear what became of them, and each may take its grace.
      return (await Promise.all(records.list().map(reapOne))).flat()
    },

    async [Symbol.asyncDispose]() {
      clearInterval(looking)
      await Promise.all([...watched.keys()].map(({ end }) => end(0)))
    },
  }
}

function fenceIn(contain: Contained | undefined): Fence | undefined {
  return contain === 'processes' ? undefined : contain
}

/** Starts a program in a process group of its own. */
function spawnPiped(
  { argv, cwd, env }: ProcessSpec,
  pipes: KernelPipes | undefined,
): Pick<KernelPipes, 'stdin' | 'stdout' | 'stderr'> & { child: ChildProcess } {
  const [program, ...args] = argv
  if (program === undefined) throw new Error('There is no program to start.')
  const how = { cwd, env, detached: true, shell: false, windowsHide: true } as const
  if (pipes) {
    pipes.stdin.on('error', unheard)
    return { ...pipes, child: spawn(program, args, { ...how, stdio: [...pipes.childEnds] }) }
  }
  const child = spawn(program, args, { ...how, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', unheard)
  return { child, stdin: child.stdin, stdout: child.stdout, stderr: child.stderr }
}

/** Until somebody reads: when a program ends, Node throws away what nobody has asked for. */
function holdBack(output: Readable): () => void {
  output.on('readable', unheard)
  return () => void output.off('readable', unheard)
}

/** What keeps a namespace tells a signal as a shell does: by a code above 128. */
function exitInside(code: number | null, signal: NodeJS.Signals | null): Exit {
  const byCode = Object.values(constants.signals).find((number) => code === 128 + number)
  return byCode === undefined ? { code, signal } : { code: null, signal: nameOf(byCode) }
}

/** Of a program in a terminal. */
function exitOf(code: number, signal: number, wrap: string | undefined): Exit {
  if (signal !== 0) return { code: null, signal: nameOf(signal) }
  return wrap === undefined ? { code, signal: null } : exitInside(code, null)
}

/** Writing to an agent that has ended fails; `exited` tells. */
function unheard(): void {}

function nameOf(signal: number): string {
  const names = Object.entries(constants.signals)
  return names.find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`
}
