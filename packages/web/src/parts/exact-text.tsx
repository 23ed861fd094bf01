import { type ReactNode, useMemo, useState } from 'react'
import { type Piece, type Reading, readExactly } from '@hotline/core/exact-text'

/** Pieces that are laid out at once; a page with more of them stops answering. */
const piecesAtOnce = 5_000

/**
 * Text exactly as it will run: what cannot be seen, or pretends to be something else, is a box with its code point, and
 * letters that are not ASCII are marked. Warnings of the whole text stand above; a very long one is laid out part by part.
 */
export function ExactText({ text }: { text: string }): ReactNode {
  return <ExactReading reading={useMemo(() => readExactly(text), [text])} />
}

/** The same of a text that was read already. */
export function ExactReading({ reading }: { reading: Reading }): ReactNode {
  const [shown, setShown] = useState(piecesAtOnce)
  const left = reading.pieces.length - shown
  return (
    <>
      {reading.warnings.length > 0 && <p className="small danger">{reading.warnings.join(' · ')}</p>}
      <pre>
        {reading.pieces.slice(0, shown).map((piece, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- pieces of one text have no other name
          <span key={index} {...lookOf(piece)}>
            {piece.kind === 'odd' || piece.kind === 'blanks' ? piece.label : piece.text}
          </span>
        ))}
      </pre>
      {left > 0 && (
        <button type="button" className="button" data-more onClick={() => setShown(shown + piecesAtOnce)}>
          {`Show more (${Math.ceil((100 * left) / reading.pieces.length)} % is left)`}
        </button>
      )}
    </>
  )
}

function lookOf(piece: Piece): { className?: string; title?: string } {
  if (piece.kind === 'odd') return { className: 'odd', title: piece.name ?? piece.label }
  if (piece.kind === 'blanks') return { className: 'odd' }
  return piece.kind === 'letters' ? { className: 'letters', title: 'not ASCII' } : {}
}
