import { type DiffGap, type DiffLine, diffOf, foldUnchanged } from '@hotline/core/line-diff'
import type { EventOf } from '@hotline/protocol/events'
import type { DraftFile, ReviewedFile, WouldMerge } from '@hotline/protocol/events/draft'
import { cut, inLine, lineOf, whyAsks } from './undo-card.ts'

/** Lines on each side of a change that did not change. */
const context = 2

const numberWidth = 5

const signs = { added: 'added    ', changed: 'changed  ', removed: 'removed  ' } as const

/** What the agent changed and nobody has reviewed, as lines for a terminal: files first, then their changes. */
export function draftLines({ data, body }: EventOf<'draft.ready'>): readonly string[] {
  if (!body) return ['What it changed was erased.']
  const more = data.files - body.files.length
  return [
    ...body.files.map(fileLine),
    ...(more > 0 ? [`and ${more} files more`] : []),
    ...(body.changes ?? []).flatMap((change) => [
      '',
      inLine(change.path),
      ...cut(foldUnchanged(diffOf(change), context)).map(change.partial === true ? lineOf : numberedLine),
    ]),
  ]
}

/** With its number, so that something can be said of it. */
function numberedLine(line: DiffLine | DiffGap): string {
  if (line.kind === 'gap') return `${' '.repeat(numberWidth)} ${lineOf(line)}`
  const number = line.kind === 'removed' ? line.old : line.next
  return `${String(number).padStart(numberWidth)} ${lineOf(line)}`
}

function fileLine({ change, path, guarded, ask, added, removed }: DraftFile): string {
  const notes = [
    ...(added === undefined || removed === undefined ? [] : [`+${added} -${removed}`]),
    ...(guarded === undefined ? [] : [`! it ${inLine(guarded)}: to keep it takes --guarded`]),
    ...(ask === undefined ? [] : [whyAsks[ask]]),
  ]
  return `${signs[change]}${inLine(path)}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`
}

/** What became of them. */
export function resolvedLines({ data, body }: EventOf<'draft.resolved'>, session: string): readonly string[] {
  const open = (body?.files ?? []).filter(({ outcome, why }) => outcome === 'open' && why !== undefined)
  return [
    `${data.kept} kept, ${data.discarded} discarded, ${data.open} open.`,
    ...open.map(({ path, why = '' }: ReviewedFile) => `Open: ${inLine(path)} (it ${inLine(why)})`),
    ...(data.commit === undefined ? [] : [`Committed on ${inLine(body?.branch ?? '')}: ${inLine(data.commit)}`]),
    ...(body?.merge === undefined ? [] : [mergeLine(body.merge, body.branch ?? '')]),
    ...(body?.merged === undefined ? [] : [`Merged into ${inLine(body.merged.into)}: ${inLine(body.merged.commit)}`]),
    ...(body?.unmerged === undefined ? [] : [`Not merged: ${inLine(body.unmerged)}`]),
    ...(body?.uncommitted === undefined ? [] : [`Not committed: ${inLine(body.uncommitted)}`]),
    ...(data.before === undefined ? [] : [`To go back: hotline undo ${session} --checkpoint ${data.before}`]),
  ]
}

function mergeLine({ into, conflicts }: WouldMerge, branch: string): string {
  return conflicts.length === 0
    ? `It merges into ${inLine(into)}: git merge ${inLine(branch)}`
    : `Merging it into ${inLine(into)} conflicts in ${conflicts.map(inLine).join(', ')}; nothing was merged.`
}
