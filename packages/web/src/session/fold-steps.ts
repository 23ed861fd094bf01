import type { ApprovalItem, CheckpointItem, Item, StepItem, TurnItem } from '@hotline/core/transcript/item'
import type { Transcript } from '@hotline/core/transcript/transcript'
import { timesText } from './step-words.ts'

/** A snapshot is no line of its own: its turn says what can be undone. */
type Shown = Exclude<Item, CheckpointItem>

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

/** A step for which others were done, by a sub-agent. */
export interface Nest {
  kind: 'nest'
  key: string
  step: StepItem
  rows: readonly Row[]
}

/** The end of a turn, with how many files it changed. */
export type TurnRow = TurnItem & { files: number; isUndoable: boolean }

/** What stands in one line of a conversation. */
export type Row = Exclude<Item, TurnItem | CheckpointItem> | StepGroup | Nest | TurnRow

/**
 * Rows of a conversation: ten reads in a row become one, and what a sub-agent does stands below the step that it is done
 * for. What failed, was denied or runs now always stands by itself.
 */
export function foldSteps(given: readonly Item[]): readonly Row[] {
  const items = asRead(given)
  const { own, nested } = splitNested(items.filter(({ kind }) => kind !== 'checkpoint'))
  return rowsOf(own as readonly Shown[], { nested, asked: stepsAsked(items), undoable: undoableOf(items) })
}

/**
 * For each approval, by its key, the step that was asked for: one line tells of both, in the place of what was asked last.
 * A step for which others are done stands by itself, with those inside of it; and so does one of a sub-agent.
 */
export function stepsAsked(items: readonly Item[]): ReadonlyMap<string, StepItem> {
  const steps = new Map<string, StepItem>()
  const known = new Set<string>()
  const parents = new Set<string>()
  const asks = new Map<string, ApprovalItem>()
  for (const item of items) {
    if (item.kind === 'step') {
      if (item.parent !== undefined && known.has(item.parent)) parents.add(item.parent)
      else steps.set(item.step, item)
      known.add(item.step)
    } else if (item.kind === 'approval' && item.step !== undefined) asks.set(item.step, item)
  }
  const found = [...asks].flatMap(([id, { key }]) => {
    const step = parents.has(id) ? undefined : steps.get(id)
    return step ? [[key, step] as const] : []
  })
  return new Map(found)
}

/** Steps by the step for which they are done, as far as that is in the window. */
function splitNested(items: readonly Item[]): {
  own: readonly Item[]
  nested: ReadonlyMap<string, readonly StepItem[]>
} {
  const nested = new Map<string, StepItem[]>()
  const known = new Set<string>()
  const own = items.filter((item) => {
    if (item.kind !== 'step') return true
    const isNested = item.parent !== undefined && known.has(item.parent)
    known.add(item.step)
    if (!isNested || item.parent === undefined) return true
    const beside = nested.get(item.parent)
    if (beside) beside.push(item)
    else nested.set(item.parent, [item])
    return false
  })
  return { own, nested }
}

/** Turns in which files became others, as far as snapshots tell. */
function undoableOf(items: readonly Item[]): ReadonlySet<string> {
  return new Set(
    items.flatMap((item) =>
      item.kind === 'checkpoint' && item.moment !== 'turn_started' && item.turn !== undefined ? [item.turn] : [],
    ),
  )
}

/** In the order in which the agent read: a message that waited stands where it was taken, before what came of it. */
function asRead(items: readonly Item[]): readonly Item[] {
  const late = items.flatMap((item, at) => {
    const next = items[at + 1]
    const waited = item.kind === 'message' && next && item.takenSeq !== undefined && item.takenSeq > next.seq
    return waited ? [{ item, seq: item.takenSeq ?? 0 }] : []
  })
  if (late.length === 0) return items
  const moved = new Set<Item>(late.map(({ item }) => item))
  late.sort((one, other) => one.seq - other.seq)
  const order: Item[] = []
  for (const item of items) {
    if (moved.has(item)) continue
    while (late[0] && late[0].seq < item.seq) order.push(...late.splice(0, 1).map((one) => one.item))
    order.push(item)
  }
  return [...order, ...late.map(({ item }) => item)]
}

/** What is known of the items before they are folded. */
interface Folded {
  nested: ReadonlyMap<string, readonly StepItem[]>
  asked: ReadonlyMap<string, StepItem>
  undoable: ReadonlySet<string>
}

function rowsOf(items: readonly Shown[], { nested, asked, undoable }: Folded): readonly Row[] {
  const rows: Row[] = []
  const isAsked = new Set(asked.values())
  let changed = new Set<string>()
  for (let at = 0; at < items.length;) {
    const item = items[at]
    if (!item) break
    if (item.kind === 'step') for (const path of changedBy(item, nested)) changed.add(path)
    if (item.kind === 'step' && isAsked.has(item)) {
      at += 1
      continue
    }
    if (item.kind === 'turn') {
      // Without its beginning some of its steps are not loaded, and a count would be too small.
      rows.push({
        ...item,
        files: item.startedAt === undefined ? 0 : changed.size,
        isUndoable: undoable.has(item.turn),
      })
      changed = new Set()
      at += 1
      continue
    }
    const inside = item.kind === 'step' ? nested.get(item.step) : undefined
    if (item.kind === 'step' && inside) {
      rows.push({ kind: 'nest', key: item.key, step: item, rows: rowsOf(inside, { nested, asked, undoable }) })
      at += 1
      continue
    }
    const steps = runFrom(items, at, { nested, isAsked })
    const [first] = steps
    if (first && steps.length >= foldFrom) rows.push({ kind: 'steps', key: first.key, stepKind: first.stepKind, steps })
    else rows.push(item)
    at += first && steps.length >= foldFrom ? steps.length : 1
  }
  return rows
}

function changedBy(step: StepItem, nested: ReadonlyMap<string, readonly StepItem[]>): readonly string[] {
  const own = step.outcome === 'done' ? step.changes.map(({ path }) => path) : []
  return [...own, ...(nested.get(step.step) ?? []).flatMap((inside) => changedBy(inside, nested))]
}

/** For each approval that another agent asks for: the step in which it works. */
export function subAgentsOf({ items }: Pick<Transcript, 'items'>): ReadonlyMap<string, string> {
  const steps = new Map(items.flatMap((item) => (item.kind === 'step' ? [[item.step, item] as const] : [])))
  const found = new Map<string, string>()
  for (const item of items) {
    if (item.kind !== 'approval' || item.step === undefined) continue
    const title = steps.get(steps.get(item.step)?.parent ?? '')?.title
    if (title !== undefined) found.set(item.key, title)
  }
  return found
}

/** What a group did, in words: `read 10 files`. */
export function groupText({ stepKind, steps }: StepGroup): string {
  const files = new Set(steps.flatMap(({ locations }) => locations)).size
  return timesText(stepKind, stepKind === 'read' && files > 0 ? files : steps.length)
}

function runFrom(
  items: readonly Item[],
  start: number,
  { nested, isAsked }: Pick<Folded, 'nested'> & { isAsked: ReadonlySet<StepItem> },
): readonly StepItem[] {
  const run: StepItem[] = []
  for (let at = start; at < items.length; at += 1) {
    const item = items[at]
    if (item?.kind !== 'step' || item.outcome !== 'done' || item.changes.length > 0 || nested.has(item.step)) break
    if (isAsked.has(item)) break
    if (run[0] && run[0].stepKind !== item.stepKind) break
    run.push(item)
  }
  return run
}
