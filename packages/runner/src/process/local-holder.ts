import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import type { Exit } from '@hotline/protocol/events/session'
import { type ChildRecord, openChildRecords } from './child-records.ts'
import { type Nest, openNest, removeGroup } from './cgroup.ts'
import { type ControlledTree, controlTree } from './control-tree.ts'
import type { HeldProcess, HeldTerminal, HeldTree, Holder, ProcessSpec, Reaped, TerminalSize } from './holder.ts'
import { type KernelPipes, openKernelPipes } from './kernel-pipes.ts'
import { bootId, listEntries, startTicksOf } from './process-table.ts'
import { endTree, findTree } from './process-tree.ts'
import { spawnTerminal } from './terminal.ts'

/** What left the ranks of its parents is found only while the tie is there: so the trees are looked at so often. */
const lookEveryMs = 2_000

/** An orphan gets less patience than an agent: nobody hears its last words. */
const reapGraceMs = 1_000

type Adopted = Pick<HeldProcess, 'pid' | 'startedAt' | 'end' | keyof HeldTree>

interface Watched {
  readonly tree: ControlledTree
  readonly end: (graceMs: number) => Promise<readonly number[]>
}

/**
 * The runner holds its agents itself: when it dies, their pipes close, and its next life ends what is left of them.
 * `reach`: `scan` does without the means by which the kernel keeps a tree together.
 */
export function openLocalHolder(options: { folder: string; reach?: 'best' | 'scan' }): Holder {
  const records = openChildRecords(options.folder)
  const watched = new Set<Watched>()
  let nest: Nest | 'unknown' | undefined = options.reach === 'scan' ? undefined : 'unknown'
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

  /** Writes the child down before anybody can talk to it. */
  const adopt = (spec: ProcessSpec, pid: number, cgroup: string | undefined): Adopted => {
    const root = { pid, startTicks: startTicksOf(pid), run: spec.run, ...(cgroup === undefined ? {} : { cgroup }) }
    const record: ChildRecord = { ...root, bootId: bootId(), session: spec.session }
    records.keep(record)
    const tree = controlTree(root)
    let ending: Promise<readonly number[]> | undefined
    const finish = async (graceMs: number): Promise<readonly number[]> => {
      tree.callOff()
      const left = await endTree(root, graceMs, tree.known)
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
    return { pid, startedAt: new Date().toISOString(), end: entry.end, ...tree.held }
  }

  return {
    async start(spec): Promise<HeldProcess> {
      const pipes = spec.pipes === 'kernel' ? await openKernelPipes() : undefined
      try {
        const { result, cgroup } = start(spec, () => spawnPiped(spec, pipes))
        const { child, stdin, stdout, stderr } = result
        const exited = new Promise<Exit>((resolve) => {
          child.once('exit', (code, signal) => resolve({ code, signal }))
        })
        // Writing to an agent that has ended fails; `exited` tells.
        stdin.on('error', () => undefined)
        await once(child, 'spawn').catch((error: unknown) => {
          if (cgroup !== undefined) removeGroup(cgroup)
          throw error
        })
        return { ...adopt(spec, child.pid ?? 0, cgroup), exited, stdin, stdout, stderr }
      } catch (error) {
        for (const stream of [pipes?.stdin, pipes?.stdout, pipes?.stderr]) stream?.destroy()
        throw error
      } finally {
        pipes?.closeChildEnds()
      }
    },

    startTerminal(spec: ProcessSpec, size: TerminalSize): Promise<HeldTerminal> {
      const { result: terminal, cgroup } = start(spec, () => spawnTerminal(spec, size))
      const adopted = adopt(spec, terminal.pid, cgroup)
      const exited = new Promise<Exit>((resolve) => {
        terminal.onExit(({ code, signal }) =>
          resolve(signal === 0 ? { code, signal: null } : { code: null, signal: nameOf(signal) }),
        )
      })
      const end: HeldTerminal['end'] = async (graceMs) => {
        const left = await adopted.end(graceMs)
        // Nobody prints any more: what is left is little, and the end comes after it.
        terminal.resume()
        return left
      }
      return Promise.resolve({ ...terminal, ...adopted, end, exited })
    },

    async reap(): Promise<readonly Reaped[]> {
      const reaped: Reaped[] = []
      const boot = bootId()
      for (const record of records.list()) {
        const { pid, session } = record
        // Start ticks of another boot name other processes, and without them a pid may be anybody's.
        if (record.bootId === boot && record.startTicks > 0) {
          const found = findTree(record, new Map())
          if (found.length > 0) reaped.push({ session, pid })
          const left = await endTree(record, reapGraceMs)
          if (left.length === 0 && record.cgroup !== undefined) removeGroup(record.cgroup)
        }
        records.forget(record)
      }
      return reaped
    },

    async [Symbol.asyncDispose]() {
      clearInterval(looking)
      await Promise.all([...watched.keys()].map(({ end }) => end(0)))
    },
  }
}

/** Starts a program in a process group of its own. */
function spawnPiped(
  { argv, cwd, env }: ProcessSpec,
  pipes: KernelPipes | undefined,
): Pick<HeldProcess, 'stdin' | 'stdout' | 'stderr'> & { child: ChildProcess } {
  const [program, ...args] = argv
  if (program === undefined) throw new Error('There is no program to start.')
  const how = { cwd, env, detached: true, shell: false, windowsHide: true } as const
  if (pipes) return { ...pipes, child: spawn(program, args, { ...how, stdio: [...pipes.childEnds] }) }
  const child = spawn(program, args, { ...how, stdio: ['pipe', 'pipe', 'pipe'] })
  return { child, stdin: child.stdin, stdout: child.stdout, stderr: child.stderr }
}

function nameOf(signal: number): string {
  const names = Object.entries(constants.signals)
  return names.find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`
}
