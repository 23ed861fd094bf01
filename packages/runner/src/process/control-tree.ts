import type { TreeReach } from '@hotline/protocol/process-tree'
import { freezeTree, keepStill, type StoppedProcesses, thawTree } from './freeze-tree.ts'
import type { HeldTree, Standstill } from './holder.ts'
import { hasProcessTable, type TableEntry } from './process-table.ts'
import { type KnownProcesses, noteTree, type TreeRoot } from './process-tree.ts'
import { sampleTree } from './sample-tree.ts'

/** A tree as its holder has it. */
export interface ControlledTree {
  readonly root: TreeRoot
  /** What was found of it so far, brought up to date by each look. */
  readonly known: KnownProcesses
  readonly held: HeldTree
  /** To be called often: what leaves the ranks of its parents is found while the tie is there, what moves is stopped again. */
  look(entries: readonly TableEntry[]): void
  /** It is being ended: whatever was asked before no longer counts, and nothing is stopped any more. */
  callOff(): void
}

function reachOf({ cgroup, wrappers }: TreeRoot): TreeReach {
  if (cgroup !== undefined) return 'cgroup'
  // With the first process of the namespace, all of it is known; without that one nobody knows.
  if (wrappers !== undefined && wrappers.length > 1) return 'namespace'
  return hasProcessTable() ? 'scan' : 'group'
}

/** Takes control of a tree. One thing is done to it at a time, in the order in which it was asked. */
export function controlTree(root: TreeRoot): ControlledTree {
  const known: KnownProcesses = new Map()
  const stopped: StoppedProcesses = new Map()
  const reach = reachOf(root)
  const calledOff = new AbortController()
  let isFrozen = false
  let last: Promise<unknown> = Promise.resolve()
  const inOrder = (act: () => Standstill | Promise<Standstill>): Promise<Standstill> => {
    const done = last.then(async () => {
      if (calledOff.signal.aborted) return { done: false, reason: 'It is being ended.' } as const
      try {
        return await act()
      } catch (error) {
        return { done: false, reason: `The system refuses: ${String(error)}` } as const
      }
    })
    last = done
    return done
  }
  return {
    root,
    known,
    held: {
      reach,
      freeze: () =>
        inOrder(async () => {
          const outcome = await freezeTree(root, known, stopped, calledOff.signal)
          isFrozen = outcome.done
          return outcome
        }),
      thaw: () =>
        inOrder(() => {
          isFrozen = false
          return thawTree(root, known, stopped)
        }),
      sample: () => Promise.resolve(sampleTree(root, known, { reach, frozen: isFrozen })),
    },
    look: (entries) => {
      if (isFrozen) keepStill(root, known, stopped)
      else noteTree(entries, root, known)
    },
    callOff: () => {
      calledOff.abort()
      isFrozen = false
    },
  }
}
