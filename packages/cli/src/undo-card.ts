import { type DiffGap, type DiffLine, diffOf, foldUnchanged } from '@hotline/core/line-diff'
import type { EventOf } from '@hotline/protocol/events'
import type { PlannedFile } from '@hotline/protocol/events/checkpoint'
import { plainText } from './plain-text.ts'

/** Lines on each side of a change that did not change. */
const context = 2
/** Lines of one file that are printed. */
const linesMax = 200

const signs = { restore: 'put back   ', bring_back: 'bring back ', remove: 'remove     ' } as const

/** Why a file waits until it is named. */
export const whyAsks = {
  changed_since: 'somebody else has changed it since',
  mixed: 'somebody else has changed it in between',
  unsure: 'it is not sure that the agent alone wrote it',
} as const

/** What an undo would do, as lines for a terminal: files, their changes, what would be lost, what stays as it is. */
export function undoLines({ data, body }: EventOf<'undo.planned'>): readonly string[] {
  if (!body) return ['What it would do was erased.']
  const sure = body.files.filter(({ ask }) => ask === undefined)
  const asks = body.files.filter(({ ask }) => ask !== undefined)
  const named = body.files.length < data.files ? [`and ${data.files - body.files.length} files more`] : []
  return [
    ...(data.files === 0 ? ['Nothing that the agent wrote is different from then.'] : []),
    ...sure.map(fileLine),
    ...(asks.length > 0 ? ['', 'Only where you name them with --also; what others wrote in them would be lost:'] : []),
    ...asks.map((file) => `${fileLine(file)} (${file.ask === undefined ? '' : whyAsks[file.ask]})`),
    ...named,
    ...(body.changes ?? []).flatMap((change) => [
      '',
      inLine(change.path),
      ...cut(foldUnchanged(diffOf(change), context)).map(lineOf),
    ]),
    ...listed('This is not undone:', body.cannot ?? []),
    ...listed(
      'In no snapshot, so never put back:',
      (body.leftOut ?? []).map(({ path, why }) => `${path} (${why})`),
    ),
  ]
}

function fileLine({ change, path }: PlannedFile): string {
  return `${signs[change]}${inLine(path)}`
}

function listed(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${inLine(line)}`)]
}

/** As many lines as one file may take. */
export function cut(lines: readonly (DiffLine | DiffGap)[]): readonly (DiffLine | DiffGap)[] {
  if (lines.length <= linesMax) return lines
  return [...lines.slice(0, linesMax), { kind: 'gap', lines: lines.length - linesMax }]
}

/** One line of a change. */
export function lineOf(line: DiffLine | DiffGap): string {
  if (line.kind === 'gap') return `  … ${line.lines} lines`
  const sign = { same: ' ', removed: '-', added: '+' }[line.kind]
  return `${sign} ${inLine(line.text)}`
}

/** What was in the text of a file must not look like another line. */
export function inLine(text: string): string {
  return plainText(text).replaceAll('\n', '\\n')
}
