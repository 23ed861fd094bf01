import type { FileChange } from '@hotline/protocol/events/turn'
import { changeFacts } from '@hotline/core/change-facts'
import { readExactly } from '@hotline/core/exact-text'
import { Fragment, type KeyboardEvent, type ReactNode, useMemo, useState } from 'react'
import { countText } from '../text/amounts.ts'
import { countChanges, diffOf, foldUnchanged } from '@hotline/core/line-diff'
import { pairLines } from '../text/pair-lines.ts'
import { type MarkedLine, markWords } from '../text/word-diff.ts'
import { ExactPieces } from './exact-text.tsx'
import { Legible } from './legible.tsx'

/** Lines on each side of a difference that did not change. */
const context = 3
/** Lines that are laid out at once. */
const linesAtOnce = 400

const signs = { same: ' ', removed: '−', added: '+' } as const

/** A line of a change, on the side that somebody speaks of. */
export interface LinePlace {
  side: 'old' | 'new'
  line: number
  text: string
}

/** What can be said of lines. */
export interface DiffComments {
  /** Somebody wants to say something of this line. */
  begin: (place: LinePlace) => void
  /** What stands below it; undefined where that is nothing. */
  below: (place: LinePlace) => ReactNode
}

/** For what somebody is asked to allow: letters that deceive are marked, and no line of it is left out on an agent's word. */
export interface Exactly {
  /** What the change is seen against, in words. */
  against?: string | undefined
  /** The old text is what the agent says: by it alone nothing passes as unchanged. */
  isOldTold: boolean
}

/** A change to one file: its name, how much came and went, and each difference with the lines around it. */
export function Diff({
  change,
  cwd,
  sides = 'one',
  comments,
  aside,
  note,
  exact,
}: {
  change: FileChange
  /** A folder that is named beside it: what lies inside is named from there. */
  cwd?: string | undefined
  /** `two`: before and after beside each other. */
  sides?: 'one' | 'two'
  comments?: DiffComments | undefined
  /** What can be done with the file, at the end of its name. */
  aside?: ReactNode
  /** What there is to know of it, below its name. */
  note?: ReactNode
  exact?: Exactly | undefined
}): ReactNode {
  const lines = useMemo(() => diffOf(change), [change])
  const { added, removed } = useMemo(() => countChanges(lines), [lines])
  const around = exact?.isOldTold ? lines.length : context
  const folded = useMemo(() => markWords(foldUnchanged(lines, around)), [lines, around])
  const look = exact ? 'exact' : 'legible'
  const warnings = useMemo(() => (look === 'exact' ? warningsOf(change) : []), [change, look])
  const [shown, setShown] = useState(linesAtOnce)
  const left = folded.length - shown
  const inSight = folded.slice(0, shown)
  const isPart = change.partial === true
  const isNew = change.oldText === null || (change.oldText === undefined && !exact)
  const facts = changeFacts(change)
  return (
    <figure className="diff" aria-label={`Changes of ${change.path}`}>
      <figcaption className="meta mono">
        <span className="path">
          <Legible text={withinFolder(change.path, cwd)} place="name" />
        </span>
        {isNew && <span className="quiet">new file</span>}
        {exact?.against !== undefined && <span className="quiet">{exact.against}</span>}
        {isPart && <span className="quiet">a part of it</span>}
        <span className="plus">+{added}</span>
        <span className="minus">−{removed}</span>
        {aside}
      </figcaption>
      {facts.length > 0 && (
        <ul className="becomes small" aria-label={`What becomes of ${change.path}`}>
          {facts.map(({ words, name }) => (
            <li key={words}>
              {words}
              {name !== undefined && (
                <>
                  {' '}
                  <span className="mono">
                    <Words text={name} look={look} />
                  </span>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
      {note}
      {warnings.length > 0 && <p className="small danger">{warnings.join(' · ')}</p>}
      {/* oxlint-disable jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions -- it scrolls, so the keyboard must reach it; from there arrows go to its lines */}
      <div
        className="lines"
        tabIndex={0}
        role="group"
        aria-label={`Lines of ${change.path}`}
        onKeyDown={comments && walkLines}
      >
        {sides === 'two'
          ? pairLines(inSight).map((pair, index) => (
              // oxlint-disable-next-line react/no-array-index-key -- lines have no other name
              <Row key={index} cells={[pair.old, pair.next]} comments={comments} look={look} isPart={isPart} />
            ))
          : inSight.map((marked, index) => (
              // oxlint-disable-next-line react/no-array-index-key -- lines have no other name
              <Row key={index} cells={[marked]} comments={comments} look={look} isPart={isPart} />
            ))}
      </div>
      {/* oxlint-enable */}
      {left > 0 && (
        <button type="button" className="button plain" data-more onClick={() => setShown(folded.length)}>
          {`Show ${countText(left, 'more line', 'more lines')}`}
        </button>
      )}
    </figure>
  )
}

type Look = 'exact' | 'legible'

function warningsOf({ path, oldText, newText, cameFrom }: FileChange): readonly string[] {
  return readExactly([path, cameFrom?.path ?? '', oldText ?? '', newText].join('\n|\n')).warnings
}

/** The path from a folder on; whole where it does not plainly lie inside. */
function withinFolder(path: string, folder: string | undefined): string {
  if (folder === undefined || !path.startsWith(`${folder}/`)) return path
  const inside = path.slice(folder.length + 1)
  return inside === '' || inside.split('/').some((part) => part === '' || part === '..') ? path : inside
}

/** Arrows go from line to line, for whoever wants to say something of one. */
function walkLines(event: KeyboardEvent<HTMLDivElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
  const { target, currentTarget } = event
  if (target !== currentTarget && !(target instanceof HTMLButtonElement && target.matches('.number'))) return
  const all = [...currentTarget.querySelectorAll<HTMLButtonElement>('button.number')]
  const at = all.findIndex((one) => one === target)
  const next = event.key === 'ArrowDown' ? all[at + 1] : all[Math.max(0, at - 1)]
  if (!next) return
  event.preventDefault()
  next.focus()
}

/** One line, or what was beside what is now; and below it what was said of it. */
function Row({
  cells,
  comments,
  look,
  isPart,
}: {
  cells: readonly (MarkedLine | undefined)[]
  comments: DiffComments | undefined
  look: Look
  /** Nobody knows which line of its file it is. */
  isPart: boolean
}): ReactNode {
  const [first] = cells
  if (first?.line.kind === 'gap') return <div className="gap">… {countText(first.line.lines, 'line')} unchanged</div>
  const places = isPart ? [] : cells.map(placeOf)
  const isSame = first?.line.kind === 'same'
  const below = places.map((place, index) => {
    // A line that stands on both sides is one line.
    const isAgain = index > 0 && isSame
    return place && !isAgain ? comments?.below(place) : undefined
  })
  return (
    <>
      <div className={cells.length === 1 ? undefined : 'pair'}>
        {cells.map((cell, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- there are two sides
          <Cell key={index} marked={cell} place={places[index]} begin={comments?.begin} look={look} />
        ))}
      </div>
      {below.map((node, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- there are two sides
        <Fragment key={index}>{node}</Fragment>
      ))}
    </>
  )
}

/** What did not change is spoken of as it is now, in both columns. */
function placeOf(cell: MarkedLine | undefined): LinePlace | undefined {
  if (!cell || cell.line.kind === 'gap') return undefined
  const { line } = cell
  return line.kind === 'removed'
    ? { side: 'old', line: line.old, text: line.text }
    : { side: 'new', line: line.next, text: line.text }
}

/** `from` and `to`: the part of it that differs from the line in whose place it stands. */
function Cell({
  marked,
  place,
  begin,
  look,
}: {
  marked: MarkedLine | undefined
  place: LinePlace | undefined
  begin: ((place: LinePlace) => void) | undefined
  look: Look
}): ReactNode {
  if (!marked || marked.line.kind === 'gap') return <span className="cell none" />
  const { line, from, to } = marked
  const { text } = line
  const number = line.kind === 'added' ? line.next : line.old
  return (
    <span className={`cell ${line.kind}`}>
      {begin && place ? (
        <button
          type="button"
          className="number"
          tabIndex={-1}
          aria-label={`Comment on line ${place.line}`}
          onClick={() => begin(place)}
        >
          {number}
        </button>
      ) : (
        <span className="number" aria-hidden="true">
          {place && number}
        </span>
      )}
      <span className="sign">{signs[line.kind]}</span>
      <span className="words">
        <Words text={text.slice(0, from)} look={look} />
        {to > from && (
          <mark>
            <Words text={text.slice(from, to)} look={look} />
          </mark>
        )}
        <Words text={text.slice(Math.max(from, to))} look={look} />
      </span>
    </span>
  )
}

function Words({ text, look }: { text: string; look: Look }): ReactNode {
  return look === 'exact' ? <ExactPieces text={text} /> : <Legible text={text} place="code" />
}
