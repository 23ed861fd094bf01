import { whyGuarded } from '@hotline/core/draft/guarded-path'
import type { Report } from '@hotline/protocol/commands/agent'
import type { RestoredFile } from '@hotline/protocol/events/checkpoint'
import type { DraftFile, ReviewedFile, WasMerged, WouldMerge } from '@hotline/protocol/events/draft'
import type { FileChange } from '@hotline/protocol/events/turn'
import { told } from './report-of.ts'
import type { Preview } from '../workspace/undo.ts'

/** What a person decided. */
export interface Review {
  keep: readonly string[]
  discard: readonly string[]
  guarded: readonly string[]
  reason?: string | undefined
  /** What is kept is to be committed, with this message. */
  commit?: string | undefined
  /** The branch that it is merged into then. */
  into?: string | undefined
  /** The account that decided. */
  by?: string | undefined
}

/** Where what is kept can be committed, and what that could be merged into. */
export interface Branches {
  branch: string
  branches: readonly string[]
}

/** What became of a commit that somebody wanted. */
export interface CommitOutcome {
  commit?: string | undefined
  branch?: string | undefined
  /** How the branch would merge into the one that was chosen, or into the one that is checked out in the repository. */
  merge?: WouldMerge | undefined
  /** Where it was merged, or why it was not. */
  merged?: WasMerged | undefined
  unmerged?: string | undefined
  /** Why it is not all of it, or nothing. */
  uncommitted?: string | undefined
}

/** The files of a plan that nobody has kept as they are now. An undo shows the way back; here it is the way that was taken. */
export function draftFiles({ files, marks }: Preview, kept: ReadonlyMap<string, string>): readonly DraftFile[] {
  const byPath = new Map(marks.map((mark) => [mark.path, mark]))
  return files.flatMap(({ path, change, ask }): DraftFile[] => {
    const mark = byPath.get(path)
    if (!mark || kept.get(path) === mark.digest) return []
    const guarded = whyGuarded(path, mark)
    return [
      {
        path,
        change: change === 'remove' ? 'added' : change === 'bring_back' ? 'removed' : 'changed',
        digest: mark.digest,
        ...(mark.added === undefined ? {} : { added: mark.added, removed: mark.removed ?? 0 }),
        ...(guarded === undefined ? {} : { guarded }),
        ...(ask === undefined ? {} : { ask }),
      },
    ]
  })
}

/** Their changes, the other way round than an undo has them. */
export function draftChanges({ changes, marks }: Preview, files: readonly DraftFile[]): readonly FileChange[] {
  const shown = new Set(files.map(({ path }) => path))
  const isNew = new Set(marks.flatMap(({ path, wasThere }) => (wasThere ? [] : [path])))
  return changes
    .filter(({ path }) => shown.has(path))
    .map(({ path, oldText, newText, partial }) => ({
      path,
      oldText: isNew.has(path) ? null : newText,
      newText: oldText ?? '',
      ...(partial === undefined ? {} : { partial }),
    }))
}

/** That they are up for review; `turn`: the one at whose end nobody had asked for it. */
export function readyReport(
  draft: string,
  preview: Preview,
  files: readonly DraftFile[],
  of: { turn?: string | undefined; waits?: true; note?: string | undefined; at?: Branches | undefined },
): Report {
  const counted = files.filter(({ added }) => added !== undefined)
  const sum = (numbers: readonly (number | undefined)[]): number => numbers.reduce<number>((a, b) => a + (b ?? 0), 0)
  return {
    type: 'draft.ready',
    data: told({
      draft,
      digest: preview.digest,
      files: files.length,
      guarded: files.filter(({ guarded }) => guarded !== undefined).length,
      ...(counted.length === files.length
        ? { added: sum(files.map(({ added }) => added)), removed: sum(files.map(({ removed }) => removed)) }
        : {}),
      turn: of.turn,
      waits: of.waits,
      changed: preview.count,
    }),
    body: told({ files, changes: draftChanges(preview, files), note: of.note, ...of.at }),
  }
}

/** What becomes of each file before anything is done: a decision that lacks something leaves its file open. */
export function weighReview(
  files: readonly DraftFile[],
  { keep, discard, guarded }: Review,
): { kept: readonly DraftFile[]; discarded: readonly string[]; open: readonly ReviewedFile[] } {
  const named = new Set(guarded)
  const isFree = (file: DraftFile): boolean => file.guarded === undefined || named.has(file.path)
  const wished = files.filter(({ path }) => keep.includes(path))
  const discarded = files.filter(({ path }) => discard.includes(path)).map(({ path }) => path)
  const rest = files.filter(({ path }) => !keep.includes(path) && !discard.includes(path))
  return {
    kept: wished.filter(isFree),
    discarded,
    open: [
      ...wished
        .filter((file) => !isFree(file))
        .map(({ path, guarded: why }) => ({
          path,
          outcome: 'open' as const,
          why: `${why ?? ''}: to keep it takes a decision of its own`,
        })),
      ...rest.map(({ path }) => ({ path, outcome: 'open' as const })),
    ],
  }
}

/** What was done. */
export function resolvedReport(
  draft: string,
  done: {
    kept: readonly DraftFile[]
    open: readonly ReviewedFile[]
    restored: readonly RestoredFile[]
    before: string | undefined
    reason: string | undefined
    /** Files that were others than at the start. */
    changed: number
    heard: boolean
    committed: CommitOutcome
  },
): Report {
  const { kept, open, restored, before, reason, changed, heard, committed } = done
  const files: readonly ReviewedFile[] = [
    ...kept.map(({ path }) => ({ path, outcome: 'kept' as const })),
    ...restored.map(({ path, outcome, why }) =>
      outcome === 'restored'
        ? { path, outcome: 'discarded' as const }
        : { path, outcome: 'open' as const, ...(why === undefined ? {} : { why }) },
    ),
    ...open,
  ]
  const discarded = files.filter(({ outcome }) => outcome === 'discarded').length
  return {
    type: 'draft.resolved',
    data: {
      draft,
      kept: kept.length,
      discarded,
      open: files.length - kept.length - discarded,
      ...(before === undefined ? {} : { before }),
      changed: Math.max(0, changed - discarded),
      ...(heard ? { heard } : {}),
      ...(committed.commit === undefined ? {} : { commit: committed.commit }),
    },
    body: told({
      files,
      reason,
      branch: committed.branch,
      merge: committed.merge,
      merged: committed.merged,
      unmerged: committed.unmerged,
      uncommitted: committed.uncommitted,
    }),
  }
}
