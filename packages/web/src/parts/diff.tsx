import type { FileChange } from '@hotline/protocol/events/turn'
import type { ReactNode } from 'react'
import { countChanges, diffLines, foldUnchanged } from '../text/line-diff.ts'

/** A change to one file, three lines of context around each difference. */
export function Diff({ change }: { change: FileChange }): ReactNode {
  const lines = diffLines(change.oldText ?? '', change.newText)
  const { added, removed } = countChanges(lines)
  return (
    <div>
      <div className="meta mono">
        {change.path} +{added} −{removed}
      </div>
      <div className="diff">
        {foldUnchanged(lines, 3).map((line, index) =>
          line.kind === 'gap' ? (
            // oxlint-disable-next-line react/no-array-index-key -- lines have no other name
            <div key={index} className="quiet">
              … {line.lines} lines
            </div>
          ) : (
            // oxlint-disable-next-line react/no-array-index-key -- lines have no other name
            <div key={index} className={line.kind === 'same' ? '' : line.kind}>
              {line.kind === 'added' ? '+ ' : line.kind === 'removed' ? '− ' : '  '}
              {line.text}
            </div>
          ),
        )}
      </div>
    </div>
  )
}
