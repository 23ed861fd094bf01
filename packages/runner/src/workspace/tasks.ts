import type { Holder } from '@hotline/core/undo/plan-undo'
import type { LeftOut, Moment, RestoredFile, UndoTarget } from '@hotline/protocol/events/checkpoint'
import type { Bounds } from './bounds.ts'
import type { KeptContent, Preview, Shows } from './undo.ts'

/** A step or a turn that began since the last snapshot, and the snapshot that was complete then. */
export type Begun = { id: string; after: string }

/** What a snapshot is about. */
export interface SnapshotWish {
  moment: Moment
  /** Who had the files since the last one. */
  by: Holder
  turn?: string | undefined
  step?: string | undefined
  began?: readonly Begun[]
  ran?: readonly string[]
}

/** A snapshot that was taken, as it is told. */
export interface Snapshot {
  checkpoint: string
  moment: Moment
  turn?: string | undefined
  step?: string | undefined
  files: number
  changed: readonly string[]
  changedCount: number
  leftOut: readonly LeftOut[]
  /** The first of the session: it says nothing that anybody waits for. */
  isFirst: boolean
}

/** What was found or done; `skipped` says why not, in a word and in words. */
export interface Outcome {
  snapshot: { snapshots: readonly Snapshot[]; tip: string }
  plan: { snapshots: readonly Snapshot[]; tip: string; preview: Preview }
  look: { preview: Preview }
  read: { files: readonly KeptContent[] }
  apply: {
    snapshots: readonly Snapshot[]
    tip: string
    /** Absent where the files are not as they were shown any more. */
    done?: { before: string; files: readonly RestoredFile[] }
  }
}

/** What the thread is asked. */
export type Task =
  | { do: 'snapshot'; wish: SnapshotWish }
  | { do: 'plan'; wish: SnapshotWish; to: UndoTarget; shows?: Shows }
  /** As of the last snapshot, without another one. */
  | { do: 'look'; shows: Shows }
  /** Of a plan back to the start that was shown: what is there now. */
  | { do: 'read'; digest: string; paths: readonly string[] }
  | {
      do: 'apply'
      wish: SnapshotWish
      to: UndoTarget
      digest: string
      also: readonly string[]
      except: readonly string[]
      /** Absent: all of them. */
      only?: readonly string[] | undefined
    }

/** Where it is to be done. */
export interface Place {
  /** The folder of a session's agent, absolute and without links. */
  root: string
  /** Where the store of that folder is. */
  store: string
  session: string
  git: string
  /** Paths of ours that may lie in a workspace. */
  never: readonly string[]
  bounds: Bounds
}

/** A question to the thread, and its answer. */
export interface Question {
  id: number
  place: Place
  task: Task
}
export type Answer =
  | { id: number; ok: true; outcome: Outcome[keyof Outcome] }
  | { id: number; ok: false; why: 'skipped' | 'nowhere' | 'failed'; code: string; note: string }
