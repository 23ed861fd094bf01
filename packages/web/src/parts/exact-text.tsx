import { type ReactNode, useMemo } from 'react'
import { type Piece, readExactly } from '../text/odd-characters.ts'

/**
 * Text exactly as it will run: what cannot be seen, or pretends to be something else, is a box with its code point, and
 * letters that are not ASCII are marked. Warnings stand above.
 */
export function ExactText({ text }: { text: string }): ReactNode {
  const reading = useMemo(() => readExactly(text), [text])
  return (
    <>
      {reading.warnings.length > 0 && <p className="small danger">{reading.warnings.join(' · ')}</p>}
      <pre>
        {reading.pieces.map((piece, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- pieces of one text have no other name
          <span key={index} {...lookOf(piece)}>
            {piece.kind === 'odd' || piece.kind === 'blanks' ? piece.label : piece.text}
          </span>
        ))}
      </pre>
    </>
  )
}

function lookOf(piece: Piece): { className?: string; title?: string } {
  if (piece.kind === 'odd') return { className: 'odd', title: piece.name ?? piece.label }
  if (piece.kind === 'blanks') return { className: 'odd' }
  return piece.kind === 'letters' ? { className: 'letters', title: 'not ASCII' } : {}
}
