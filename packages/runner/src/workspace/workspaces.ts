import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { UndoTarget, WhySkipped } from '@hotline/protocol/events/checkpoint'
import { sha256 } from '../sha256.ts'
import { type Bounds, standardBounds } from './bounds.ts'
import { findGit } from './git.ts'
import type { Shows } from './undo.ts'
import type { Answer, Outcome, Place, SnapshotWish, Task } from './tasks.ts'

/** It was not done, and why. `skipped`: too much, or something is missing; `nowhere`: there is nothing to go back to. */
export type NotDone = { ok: false; why: 'skipped' | 'nowhere' | 'failed'; code: WhySkipped; note: string }
export type Done<T extends keyof Outcome> = { ok: true; outcome: Outcome[T] } | NotDone

/** The files of one session's agent: snapshots of them, and going back. One thing at a time. */
export interface Workspace {
  readonly root: string
  snapshot(wish: SnapshotWish): Promise<Done<'snapshot'>>
  plan(wish: SnapshotWish, to: UndoTarget, shows?: Shows): Promise<Done<'plan'>>
  /** What the agent has changed since the start, as of the last snapshot. */
  look(shows: Shows): Promise<Done<'look'>>
  /** What the last snapshot has of these files, if they are as they were shown. */
  read(digest: string, paths: readonly string[]): Promise<Done<'read'>>
  apply(
    wish: SnapshotWish,
    to: UndoTarget,
    choice: { digest: string; also: readonly string[]; except: readonly string[]; only?: readonly string[] },
  ): Promise<Done<'apply'>>
}

/** Keeps snapshots of folders, in a thread of its own and under a folder of its own. Closed, it gives up what it does. */
export interface Workspaces extends AsyncDisposable {
  /** The folder of a session. What is wrong with it shows when it is used. */
  open(session: string, folder: string): Workspace
}

/** `folder` is ours alone; `path` is where programs are looked for. */
export function openWorkspaces(options: {
  folder: string
  path: string | undefined
  /** Paths of ours that are never part of a workspace. */
  never: readonly string[]
  bounds?: Bounds
}): Workspaces {
  const { folder, never, bounds = standardBounds } = options
  const git = findGit(options.path)
  const waiting = new Map<number, (answer: Answer) => void>()
  let worker: Worker | undefined
  let last = 0
  let isClosed = false

  const start = (): Worker => {
    const name = import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js'
    const started = new Worker(new URL(name, import.meta.url), { workerData: process.umask() })
    started.unref()
    started.on('message', (answer: Answer) => {
      waiting.get(answer.id)?.(answer)
      waiting.delete(answer.id)
      if (waiting.size === 0) started.unref()
    })
    // Whoever waits is told; the next one starts another thread.
    started.on('error', () => undefined)
    started.on('exit', () => {
      if (worker === started) worker = undefined
      for (const [id, tell] of waiting)
        tell({ id, ok: false, why: 'failed', code: 'failed', note: 'The thread that keeps files ended.' })
      waiting.clear()
    })
    return started
  }

  const ask = <T extends keyof Outcome>(place: Omit<Place, 'git'>, task: Task & { do: T }): Promise<Done<T>> => {
    if (isClosed) {
      return Promise.resolve({ ok: false, why: 'failed', code: 'failed', note: 'The runner is being stopped.' })
    }
    if (git === undefined) {
      const note = 'There is no git on this machine, so its files are not kept.'
      return Promise.resolve({ ok: false, why: 'skipped', code: 'no_git', note })
    }
    worker ??= start()
    worker.ref()
    last += 1
    const id = last
    const { promise, resolve } = Promise.withResolvers<Answer>()
    waiting.set(id, resolve)
    worker.postMessage({ id, place: { ...place, git }, task }, [])
    return promise as Promise<Done<T>>
  }

  return {
    open: (session, named) => {
      const root = realOf(named)
      const store = join(folder, sha256(root).slice(0, 32))
      const place = { root, store, session, never, bounds }
      return {
        root,
        snapshot: (wish) => ask(place, { do: 'snapshot', wish }),
        plan: (wish, to, shows) => ask(place, { do: 'plan', wish, to, ...(shows ? { shows } : {}) }),
        read: (digest, paths) => ask(place, { do: 'read', digest, paths }),
        look: (shows) => ask(place, { do: 'look', shows }),
        apply: (wish, to, choice) => ask(place, { do: 'apply', wish, to, ...choice }),
      }
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      await worker?.terminate()
    },
  }
}

/** The folder that a path leads to; where it leads nowhere, the path says so when it is used. */
function realOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
