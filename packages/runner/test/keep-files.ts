import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { UndoTarget } from '@hotline/protocol/events/checkpoint'
import { openTempDir } from '@hotline/testing/temp-dir'
import type { Bounds } from '../src/workspace/bounds.ts'
import type { Outcome, SnapshotWish } from '../src/workspace/tasks.ts'
import { type NotDone, openWorkspaces, type Workspace, type Workspaces } from '../src/workspace/workspaces.ts'

/** A folder whose files are kept, in a folder of its own. */
export interface KeptFolder extends AsyncDisposable {
  /** What agents and people write to. */
  readonly root: string
  /** Beside it: nothing in here is any of an agent's business. */
  readonly outside: string
  readonly workspaces: Workspaces
  readonly files: Workspace
  take(wish: SnapshotWish): Promise<Outcome['snapshot']>
  /** Plans and does what was planned, with all files that nobody is asked about, and `also`. */
  undo(to?: UndoTarget, also?: readonly string[]): Promise<Outcome['apply']>
}

export async function keepFolder(options: { bounds?: Bounds; workspaces?: Workspaces } = {}): Promise<KeptFolder> {
  const temp = await openTempDir('hotline-files-')
  const root = join(temp.path, 'work')
  const outside = join(temp.path, 'outside')
  mkdirSync(root)
  mkdirSync(outside)
  const { bounds } = options
  const store = join(temp.path, 'store')
  const workspaces =
    options.workspaces ??
    openWorkspaces({
      folder: store,
      path: process.env['PATH'],
      never: [],
      ...(bounds === undefined ? {} : { bounds }),
    })
  const files = workspaces.open('s1', root)
  const wish = { moment: 'undo', by: 'other' } as const
  return {
    root,
    outside,
    workspaces,
    files,
    take: async (of) => must(await files.snapshot(of)),
    undo: async (to = {}, also = []) => {
      const { preview } = must(await files.plan(wish, to))
      return must(await files.apply(wish, to, { digest: preview.digest, also, except: [] }))
    },
    [Symbol.asyncDispose]: async () => {
      if (!options.workspaces) await workspaces[Symbol.asyncDispose]()
      await temp.remove()
    },
  }
}

/** What was done, or throws why it was not. */
export function must<T>(done: { ok: true; outcome: T } | NotDone): T {
  if (done.ok) return done.outcome
  throw new Error(`${done.why} ${done.code}: ${done.note}`)
}
