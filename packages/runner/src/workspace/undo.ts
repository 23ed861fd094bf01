import { countChanges, type DiffLine, diffLines, foldUnchanged } from '@hotline/core/line-diff'
import { type FileUndo, planUndo, undoDigest } from '@hotline/core/undo/plan-undo'
import type { LeftOut, PlannedFile, RestoredFile, UndoTarget } from '@hotline/protocol/events/checkpoint'
import type { FileChange } from '@hotline/protocol/events/turn'
import { sha256 } from '../sha256.ts'
import { HeldFolder } from './held-folder.ts'
import { type Kept, readKept, readStretches } from './history.ts'
import { readState } from './places.ts'
import { putBack, removeEmptyFolders } from './put-back.ts'
import { BlobReader } from './read-blobs.ts'
import type { Store } from './store.ts'

/** Files that a preview names, and the room for the text of their changes, in characters. */
const namedMax = 1_000
const textChars = 96 * 1024
const fileTextChars = 24 * 1024
/** Lines around a change that are shown of what is too long to be shown whole. */
const aroundLines = 3
/** Of files whose lines are counted: the characters of one, and of all. */
const countedChars = 256 * 1024
const allCountedChars = 2 * 1024 * 1024
/** Commands that are named as what may have acted elsewhere. */
const ranMax = 20

/** What going back would do. */
export interface UndoPlan {
  digest: string
  files: readonly FileUndo[]
  /** What nobody can put back, by name. */
  cannot: readonly string[]
  /** The last snapshot: of how it is now. */
  tip: Kept
}

/** There is nothing to go back to, said in words for people. */
export class NoSuchPlace extends Error {
  override readonly name = 'NoSuchPlace'
}

/** From the snapshots of a session alone; the last one is taken for what is there now. */
export async function makePlan(store: Store, session: string, to: UndoTarget): Promise<UndoPlan> {
  const kept = await readKept(store.git, session)
  const at = placeOf(kept, to)
  const target = kept[at]
  const tip = kept.at(-1)
  if (!target || !tip) throw new NoSuchPlace('There is no snapshot of the files to go back to.')
  const since = kept.slice(at + 1)
  const { stretches } = await readStretches(store.git, target, since)
  const all = planUndo(stretches)
  const isLarge = ({ now, to: then }: FileUndo): boolean =>
    [now, then].some((state) => state !== undefined && readState(state).isLarge)
  const files = all.filter((file) => !isLarge(file))
  const ran = since.flatMap(({ note }) => note.ran ?? [])
  const cannot = [
    ...all.filter(isLarge).map(({ path }) => `${path}: too large to keep, or not readable`),
    ...(to.checkpoint === undefined && to.step === undefined && to.turn === undefined && target.note.moment !== 'start'
      ? ['what was before the first snapshot: there was none at the start']
      : []),
    ...ran.slice(0, ranMax).map((title) => `what this did elsewhere (pushes, network, other folders): ${title}`),
    ...(ran.length > ranMax ? [`and what ${ran.length - ranMax} more commands did elsewhere`] : []),
    'commits, branches and all else inside of .git',
  ]
  return { digest: undoDigest(target.commit, files, sha256), files, cannot, tip }
}

/** The last snapshot that was complete before it; where nothing changed since, that is the last of all. */
function placeOf(kept: readonly Kept[], { checkpoint, step, turn }: UndoTarget): number {
  if (checkpoint !== undefined) return kept.findIndex(({ note }) => note.checkpoint === checkpoint)
  const id = step ?? turn
  if (id === undefined) return 0
  const begun = kept.flatMap(({ note }) => note.began ?? []).find((one) => one.id === id)
  if (!begun) return kept.length - 1
  return kept.findIndex(({ note }) => note.checkpoint === begun.after)
}

/** How much of the changes is shown, and whether their lines are counted. */
export interface Shows {
  textChars: number
  counts: 'lines' | 'nothing'
}

/** What there is to know of a file besides, for whoever reviews it. */
export interface FileMark {
  path: string
  /** Of what it was and what it is. */
  digest: string
  wasThere: boolean
  /** It can be run now and could not before, or the other way round. */
  turnsProgram: boolean
  isLink: boolean
  /** Lines that came and went, seen as what the agent did; absent where nobody counted. */
  added?: number
  removed?: number
}

/** A plan as people read it. */
export interface Preview {
  marks: readonly FileMark[]
  digest: string
  files: readonly PlannedFile[]
  count: number
  asks: number
  changes: readonly FileChange[]
  cannot: readonly string[]
  leftOut: readonly LeftOut[]
}

/** Names the files, and shows as much of their text as there is room for. */
export async function previewOf(
  store: Store,
  plan: UndoPlan,
  leftOut: readonly LeftOut[],
  shows: Shows = { textChars, counts: 'nothing' },
): Promise<Preview> {
  const files = plan.files.slice(0, namedMax).map(({ path, now, to, ask }): PlannedFile => ({
    path,
    change: to === undefined ? 'remove' : now === undefined ? 'bring_back' : 'restore',
    ...(ask === undefined ? {} : { ask }),
  }))
  const asks = plan.files.filter(({ ask }) => ask !== undefined).length
  const { changes, counts } = await textsOf(store, plan.files, shows)
  const marks = plan.files.slice(0, namedMax).map((file) => ({ ...markOf(file), ...counts.get(file.path) }))
  return { marks, digest: plan.digest, files, count: plan.files.length, asks, changes, cannot: plan.cannot, leftOut }
}

function markOf({ path, now, to }: FileUndo): FileMark {
  const [mode, before] = [now, to].map((state) => (state === undefined ? undefined : readState(state).mode))
  const isProgram = (one: string | undefined): boolean => one === '100755'
  return {
    path,
    digest: sha256(JSON.stringify([path, to ?? null, now ?? null])),
    wasThere: to !== undefined,
    turnsProgram: now !== undefined && isProgram(mode) !== isProgram(before),
    isLink: mode === '120000',
  }
}

interface Texts {
  changes: readonly FileChange[]
  counts: ReadonlyMap<string, { added: number; removed: number }>
}

async function textsOf(store: Store, files: readonly FileUndo[], shows: Shows): Promise<Texts> {
  const changes: FileChange[] = []
  const counts = new Map<string, { added: number; removed: number }>()
  if (files.length === 0) return { changes, counts }
  const isCounting = shows.counts === 'lines'
  const fileChars = isCounting ? countedChars : fileTextChars
  const reader = new BlobReader(store.git)
  try {
    let left = shows.textChars
    let uncounted = isCounting ? allCountedChars : 0
    for (const { path, now, to } of files.slice(0, namedMax)) {
      if (left < 0 && uncounted < 0) break
      const [oldText, newText] = [await textOf(reader, now, fileChars), await textOf(reader, to, fileChars)]
      if (oldText === undefined || newText === undefined) continue
      const chars = oldText.length + newText.length
      uncounted -= chars
      const lines = isCounting && uncounted >= 0 ? diffLines(oldText, newText) : undefined
      if (lines) {
        // An undo goes the other way than what it takes back.
        const { added, removed } = countChanges(lines)
        counts.set(path, { added: removed, removed: added })
      }
      const fits = ({ oldText: one, newText: other }: FileChange): boolean =>
        (one ?? '').length + other.length <= Math.min(left, 2 * fileTextChars)
      const whole = { path, oldText: now === undefined ? null : oldText, newText }
      const isWhole = Math.max(oldText.length, newText.length) <= fileTextChars
      const shown = isWhole && fits(whole) ? whole : lines && partsOf(path, lines)
      if (!shown || !fits(shown)) continue
      left -= (shown.oldText ?? '').length + shown.newText.length
      changes.push(shown)
    }
  } finally {
    await reader.close()
  }
  return { changes, counts }
}

/** Only what changed, and the lines around it: of what is too long to be shown whole. */
function partsOf(path: string, lines: readonly DiffLine[]): FileChange {
  const [old, next]: [string[], string[]] = [[], []]
  for (const line of foldUnchanged(lines, aroundLines)) {
    const text = line.kind === 'gap' ? '⋯' : line.text
    if (line.kind !== 'added') old.push(`${text}\n`)
    if (line.kind !== 'removed') next.push(`${text}\n`)
  }
  return { path, oldText: old.join(''), newText: next.join(''), partial: true }
}

/** Undefined for what is no text, or too much of it. */
async function textOf(reader: BlobReader, state: string | undefined, chars: number): Promise<string | undefined> {
  if (state === undefined) return ''
  const bytes = await reader.read(readState(state).oid)
  if (bytes.length > chars || bytes.includes(0)) return undefined
  const text = bytes.toString('utf8')
  return text.includes('\ufffd') ? undefined : text
}

/** A file as a snapshot has it; without content it is not there. */
export interface KeptContent {
  path: string
  content?: { mode: '100644' | '100755' | '120000'; bytes: Uint8Array }
}

/** Bytes that are handed over at once. */
const contentBytes = 64 * 1024 * 1024

/** What is there now, of files of a plan. */
export async function contentsOf(
  store: Store,
  { files }: UndoPlan,
  paths: ReadonlySet<string>,
): Promise<readonly KeptContent[]> {
  const reader = new BlobReader(store.git)
  const contents: KeptContent[] = []
  let left = contentBytes
  try {
    for (const { path, now } of files) {
      if (!paths.has(path)) continue
      if (now === undefined) contents.push({ path })
      else {
        const { mode, oid } = readState(now)
        // A copy of its own: it goes to another thread.
        const bytes = Uint8Array.from(await reader.read(oid))
        left -= bytes.length
        if (left < 0) throw new NoSuchPlace('These files are too large to be committed at once.')
        contents.push({ path, content: { mode: mode === '100755' || mode === '120000' ? mode : '100644', bytes } })
      }
    }
  } finally {
    await reader.close()
  }
  return contents
}

/** Does what was shown, for the files that were not asked about and those that were chosen. */
export async function applyPlan(
  store: Store,
  { files }: UndoPlan,
  {
    also,
    except,
    only,
  }: { also: ReadonlySet<string>; except: ReadonlySet<string>; only?: ReadonlySet<string> | undefined },
): Promise<readonly RestoredFile[]> {
  const outcomes: RestoredFile[] = []
  const chosen = files.filter(({ path, ask }) => {
    if (only?.has(path) === false) return false
    if (except.has(path)) outcomes.push({ path, outcome: 'kept', why: 'you wanted it to stay' })
    else if (ask !== undefined && !also.has(path)) outcomes.push({ path, outcome: 'kept', why: whyKept[ask] })
    else return true
    return false
  })
  const reader = new BlobReader(store.git)
  const root = HeldFolder.open(store.root)
  try {
    // What goes, goes first, the deepest first: a folder may stand where a file shall be again.
    const going = chosen.filter(({ to }) => to === undefined).toReversed()
    for (const file of [...going, ...chosen.filter(({ to }) => to !== undefined)]) {
      const bytes = file.to === undefined ? undefined : await reader.read(readState(file.to).oid)
      const options = { maxBytes: store.bounds.fileBytes, umask: store.umask }
      const { why } = putBack(root, { path: file.path, now: file.now, to: file.to, bytes }, options)
      outcomes.push({ path: file.path, ...(why === undefined ? { outcome: 'restored' } : { outcome: 'kept', why }) })
      if (why === undefined && file.to === undefined) removeEmptyFolders(root, file.path)
    }
  } finally {
    root[Symbol.dispose]()
    await reader.close()
  }
  return outcomes.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

const whyKept = {
  changed_since: 'somebody else has changed it since',
  mixed: 'somebody else has changed it in between',
  unsure: 'it is not sure that the agent alone wrote it',
} as const
