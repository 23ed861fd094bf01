import { type ReactNode, useRef, useState } from 'react'
import { countText } from '../text/amounts.ts'
import { CopyButton } from './copy-button.tsx'
import { Legible } from './legible.tsx'

/** Laid out at once; a page with more of it stops answering. */
const charsAtOnce = 500_000
/** From so many lines on it is worth saying how many, and a way to the last. */
const manyLines = 30

/** What a program printed: in a frame of its own, with its size, its copy and a way to its last line. */
export function LongText({ text, what }: { text: string; what: string }): ReactNode {
  const frame = useRef<HTMLPreElement>(null)
  const [shown, setShown] = useState(charsAtOnce)
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  const left = text.length - shown
  const toEnd = (): void => frame.current?.scrollTo({ top: frame.current.scrollHeight })
  return (
    <div className="long">
      <div className="head small quiet">
        <span>{lines >= manyLines ? `${what}, ${countText(lines, 'line')}` : what}</span>
        {lines >= manyLines && (
          <button type="button" className="copy" onClick={toEnd}>
            last line ↓
          </button>
        )}
        <CopyButton text={text} what={what} />
      </div>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it */}
      <pre ref={frame} tabIndex={0} role="group" aria-label={what}>
        <Legible text={left > 0 ? text.slice(0, shown) : text} place="code" />
      </pre>
      {left > 0 && (
        <button type="button" className="button plain" onClick={() => setShown(shown + charsAtOnce)}>
          {`Show more (${Math.ceil((100 * left) / text.length)} % is left)`}
        </button>
      )}
    </div>
  )
}
