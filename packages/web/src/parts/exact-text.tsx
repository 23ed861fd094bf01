import { type ReactNode, useMemo, useState } from 'react'
import { type Piece, type Reading, readExactly } from '@hotline/core/exact-text'

/** Of a text this much is laid out at once, pieces and characters; a page with more of it stops answering. */
const piecesAtOnce = 5_000
const charsAtOnce = 100_000

/** What stands as it is, line breaks included: the browser lays out one long text quicker than its lines. */
type Run = { plain: string } | { piece: Piece }

/**
 * Text exactly as it will run: what cannot be seen, or pretends to be something else, is a box with its code point, and
 * letters that are not ASCII are marked. Warnings of the whole text stand above; a very long one is laid out part by part.
 */
export function ExactText({ text }: { text: string }): ReactNode {
  return <ExactReading reading={useMemo(() => readExactly(text), [text])} />
}

/** The same of a short text in a line of its own frame, which warns of what is in it. */
export function ExactPieces({ text }: { text: string }): ReactNode {
  return <Part runs={useMemo(() => runsOf(readExactly(text).pieces), [text])} />
}

/** The same of a text that was read already. */
function ExactReading({ reading }: { reading: Reading }): ReactNode {
  const runs = useMemo(() => runsOf(reading.pieces), [reading])
  const parts = useMemo(() => partsOf(runs), [runs])
  const [count, setCount] = useState(1)
  const left = parts.length - count
  return (
    <>
      {reading.warnings.length > 0 && <p className="small danger">{reading.warnings.join(' · ')}</p>}
      <pre>
        {parts.slice(0, count).map((part, at) => (
          // oxlint-disable-next-line react/no-array-index-key -- parts of one text have no other name
          <Part key={at} runs={part} />
        ))}
      </pre>
      {left > 0 && (
        <button type="button" className="button" data-more onClick={() => setCount(count + 1)}>
          {`Show more (${Math.ceil((100 * left) / parts.length)} % is left)`}
        </button>
      )}
    </>
  )
}

function Part({ runs }: { runs: readonly Run[] }): ReactNode {
  return runs.map((run, index) =>
    'plain' in run ? (
      run.plain
    ) : (
      // oxlint-disable-next-line react/no-array-index-key -- pieces of one text have no other name
      <span key={index} {...lookOf(run.piece)}>
        {run.piece.kind === 'odd' || run.piece.kind === 'blanks' ? run.piece.label : run.piece.text}
      </span>
    ),
  )
}

function runsOf(pieces: readonly Piece[]): readonly Run[] {
  const runs: Run[] = []
  let plain: string[] = []
  const flush = (): void => {
    const text = plain.join('')
    for (let at = 0; at < text.length; at += charsAtOnce) runs.push({ plain: text.slice(at, at + charsAtOnce) })
    plain = []
  }
  for (const piece of pieces) {
    if (piece.kind === 'plain' || piece.kind === 'break' || piece.kind === 'tab') plain.push(piece.text)
    else {
      flush()
      runs.push({ piece })
    }
  }
  flush()
  return runs
}

function partsOf(runs: readonly Run[]): readonly (readonly Run[])[] {
  const parts: Run[][] = []
  let chars = Number.POSITIVE_INFINITY
  for (const run of runs) {
    const length = 'plain' in run ? run.plain.length : run.piece.text.length
    let part = parts.at(-1)
    if (!part || part.length >= piecesAtOnce || chars + length > charsAtOnce) {
      part = []
      parts.push(part)
      chars = 0
    }
    chars += length
    part.push(run)
  }
  return parts
}

function lookOf(piece: Piece): { className?: string; title?: string } {
  if (piece.kind === 'odd') return { className: 'odd', title: piece.name ?? piece.label }
  if (piece.kind === 'blanks') return { className: 'odd' }
  return piece.kind === 'letters' ? { className: 'letters', title: 'not ASCII' } : {}
}
