import type { Item, StepItem, TurnItem } from '@hotline/core/transcript/item'
import { countText } from '../text/amounts.ts'

/** Fewer than this in a row stay as they are: folding two lines into one saves nothing. */
const foldFrom = 3

/** Steps of one kind that came in a row and went well, shown as one line. */
export interface StepGroup {
  kind: 'steps'
  /** That of the first step, which stays while the group grows. */
  key: string
  stepKind: StepItem['stepKind']
  steps: readonly StepItem[]
}

/** The end of a turn, with how many files it changed. */
export type TurnRow = TurnItem & { files: number }

/** What stands in one line of a conversation. */
export type Row = Exclude<Item, TurnItem> | StepGroup | TurnRow

/** Rows of a conversation: ten reads in a row become one. What failed, was denied or runs now always stands by itself. */
export function foldSteps(items: readonly Item[]): readonly Row[] {
  const rows: Row[] = []
  let changed = new Set<string>()
  for (let at = 0; at < items.length;) {
    const item = items[at]
    if (!item) break
    if (item.kind === 'step') for (const { path } of item.outcome === 'done' ? item.changes : []) changed.add(path)
    if (item.kind === 'turn') {
      // Without its beginning some of its steps are not loaded, and a count would be too small.
      rows.push({ ...item, files: item.startedAt === undefined ? 0 : changed.size })
      changed = new Set()
      at += 1
      continue
    }
    const steps = runFrom(items, at)
    const [first] = steps
    if (first && steps.length >= foldFrom) rows.push({ kind: 'steps', key: first.key, stepKind: first.stepKind, steps })
    else rows.push(item)
    at += first && steps.length >= foldFrom ? steps.length : 1
  }
  return rows
}

/** What a group did, in words: `read 10 files`. */
export function groupText({ stepKind, steps }: StepGroup): string {
  const files = new Set(steps.flatMap(({ locations }) => locations)).size
  if (stepKind === 'read') return `read ${countText(files > 0 ? files : steps.length, 'file')}`
  if (stepKind === 'search') return `searched ${steps.length} times`
  return `${stepKind} ${steps.length} times`
}

function runFrom(items: readonly Item[], start: number): readonly StepItem[] {
  const run: StepItem[] = []
  for (let at = start; at < items.length; at += 1) {
    const item = items[at]
    if (item?.kind !== 'step' || item.outcome !== 'done' || item.changes.length > 0) break
    if (run[0] && run[0].stepKind !== item.stepKind) break
    run.push(item)
  }
  return run
}
