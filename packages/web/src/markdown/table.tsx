import { memo, type ReactNode } from 'react'
import { useFirst } from '../parts/more.tsx'
import type { Align, Block } from './blocks.ts'
import type { References } from './inline.ts'
import { Inline } from './spans.tsx'

/** Rows that are drawn at once; a page with more of them stops answering. */
const rowsAtOnce = 200

/** A table; it scrolls sideways in its own place. */
export function Table({
  block,
  references,
}: {
  block: Extract<Block, { kind: 'table' }>
  references: References
}): ReactNode {
  const { shown, more } = useFirst(block.rows, rowsAtOnce, 'row')
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it */}
      <div className="wide" tabIndex={0} role="group" aria-label="Table">
        <table>
          <thead>
            <tr>
              {block.head.map((text, column) => (
                <th key={String(column)} data-side={block.align[column] ?? undefined}>
                  <Inline text={text} references={references} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((cells, row) => (
              <Row key={String(row)} cells={cells} align={block.align} references={references} />
            ))}
          </tbody>
        </table>
      </div>
      {more}
    </>
  )
}

const Row = memo(
  function Row({
    cells,
    align,
    references,
  }: {
    cells: readonly string[]
    align: readonly Align[]
    references: References
  }): ReactNode {
    return (
      <tr>
        {cells.map((text, column) => (
          <td key={String(column)} data-side={align[column] ?? undefined}>
            <Inline text={text} references={references} />
          </td>
        ))}
      </tr>
    )
  },
  (before, now) =>
    before.references === now.references &&
    before.cells.length === now.cells.length &&
    before.cells.every((text, column) => text === now.cells[column]),
)
