import type { ReactNode } from 'react'
import { type Place, readLegibly } from '../text/legible.ts'

/** Words of others: what would deceive the eye in them is a box with its code point. */
export function Legible({ text, place }: { text: string; place: Place }): ReactNode {
  return readLegibly(text, place).map((piece, index) =>
    typeof piece === 'string' ? (
      piece
    ) : (
      // oxlint-disable-next-line react/no-array-index-key -- pieces of one text have no other name
      <span key={index} className="odd">
        {piece.odd}
      </span>
    ),
  )
}

/** Longer names lose their middle, and say the whole of themselves as a hint. */
const nameChars = 34
const tailChars = 12

/** A name of one line that somebody gave: what does not fit is cut in the middle, since the end tells names apart. */
export function OneName({ text }: { text: string }): ReactNode {
  const letters = Array.from(text.length > nameChars ? text : '')
  // What is read from right to left is cut by the browser, at its own end.
  if (letters.length <= nameChars || /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/.test(text))
    return <Legible text={text} place="name" />
  return (
    <span className="middle">
      <span className="head">
        <Legible text={letters.slice(0, -tailChars).join('')} place="name" />
      </span>
      <span className="tail">
        <Legible text={letters.slice(-tailChars).join('')} place="name" />
      </span>
    </span>
  )
}
