import type { FileChange } from '@hotline/protocol/events/turn'
import { type ReactNode, useMemo, useState } from 'react'
import { countText } from '../text/amounts.ts'
import { countChanges, type DiffGap, type DiffLine, diffOf, foldUnchanged } from '@hotline/core/line-diff'
import { markWords } from '../text/word-diff.ts'
import { Legible } from './legible.tsx'

/** Lines on each side of a difference that did not change. */
const context = 3
/** Lines that are laid out at once. */
const linesAtOnce = 400

const signs = { same: ' ', removed: '−', added: '+' } as const

/** A change to one file: its name, how much came and went, and each difference with the lines around it. */
export function Diff({
  change,
  cwd,
}: {
  change: FileChange
  /** A folder that is named beside it: what lies inside is named from there. */
  cwd?: string | undefined
}): ReactNode {
  const lines = useMemo(() => diffOf(change), [change])
  const { added, removed } = useMemo(() => countChanges(lines), [lines])
  const folded = useMemo(() => markWords(foldUnchanged(lines, context)), [lines])
  const [shown, setShown] = useState(linesAtOnce)
  const left = folded.length - shown
  const isNew = change.oldText === undefined || change.oldText === null
  return (
    <figure className="diff" aria-label={`Changes of ${change.path}`}>
      <figcaption className="meta mono">
        <span className="path">
          <Legible text={withinFolder(change.path, cwd)} place="name" />
        </span>
        {isNew && <span className="quiet">new file</span>}
        {change.partial === true && <span className="quiet">a part of it</span>}
        <span className="plus">+{added}</span>
        <span className="minus">−{removed}</span>
      </figcaption>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it */}
      <div className="lines" tabIndex={0} role="group" aria-label={`Lines of ${change.path}`}>
        {folded.slice(0, shown).map(({ line, from, to }, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- lines have no other name
          <Line key={index} line={line} from={from} to={to} />
        ))}
      </div>
      {left > 0 && (
        <button type="button" className="button plain" data-more onClick={() => setShown(folded.length)}>
          {`Show ${countText(left, 'more line', 'more lines')}`}
        </button>
      )}
    </figure>
  )
}

/** The path from a folder on; whole where it does not plainly lie inside. */
function withinFolder(path: string, folder: string | undefined): string {
  if (folder === undefined || !path.startsWith(`${folder}/`)) return path
  const inside = path.slice(folder.length + 1)
  return inside === '' || inside.split('/').some((part) => part === '' || part === '..') ? path : inside
}

/** `from` and `to`: the part of it that differs from the line in whose place it stands. */
function Line({ line, from, to }: { line: DiffLine | DiffGap; from: number; to: number }): ReactNode {
  if (line.kind === 'gap') return <div className="gap">… {countText(line.lines, 'line')} unchanged</div>
  const { text } = line
  return (
    <div className={line.kind}>
      <span className="number" aria-hidden="true">
        {line.kind === 'added' ? line.next : line.old}
      </span>
      <span className="sign">{signs[line.kind]}</span>
      <span className="words">
        <Legible text={text.slice(0, from)} place="code" />
        {to > from && (
          <mark>
            <Legible text={text.slice(from, to)} place="code" />
          </mark>
        )}
        <Legible text={text.slice(Math.max(from, to))} place="code" />
      </span>
    </div>
  )
}
