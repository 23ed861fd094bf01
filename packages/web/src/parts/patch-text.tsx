import { type ReactNode, useMemo, useState } from 'react'
import { readExactly } from '@hotline/core/exact-text'
import { countText } from '../text/amounts.ts'
import { ExactPieces } from './exact-text.tsx'

/** Lines that are laid out at once. */
const linesAtOnce = 400

/** A patch as it came, to its last character: only its lines have the colours of what comes and what goes. */
export function PatchText({ text }: { text: string }): ReactNode {
  const lines = useMemo(() => text.replace(/\n$/, '').split('\n'), [text])
  const { warnings } = useMemo(() => readExactly(text), [text])
  const [shown, setShown] = useState(linesAtOnce)
  const left = lines.length - shown
  return (
    <>
      {warnings.length > 0 && <p className="small danger">{warnings.join(' · ')}</p>}
      <div className="patch">
        {lines.slice(0, shown).map((line, at) => (
          // oxlint-disable-next-line react/no-array-index-key -- lines have no other name
          <div key={at} className={lookOf(line)}>
            {line === '' ? '\n' : <ExactPieces text={line} />}
          </div>
        ))}
      </div>
      {left > 0 && (
        <button type="button" className="button plain" data-more onClick={() => setShown(lines.length)}>
          {`Show ${countText(left, 'more line', 'more lines')}`}
        </button>
      )}
    </>
  )
}

function lookOf(line: string): string {
  if (/^(?:---|\+\+\+) /.test(line)) return 'file'
  if (line.startsWith('+')) return 'added'
  if (line.startsWith('-')) return 'removed'
  return line.startsWith('@@') ? 'place' : 'same'
}
