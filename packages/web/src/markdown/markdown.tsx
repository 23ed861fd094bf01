import { memo, type ReactNode, useEffect, useMemo, useRef } from 'react'
import { Legible } from '../parts/legible.tsx'
import { useFirst } from '../parts/more.tsx'
import { type Block, type ListItem, type Reading, readBlocks } from './blocks.ts'
import { CodeBlock } from './code-block.tsx'
import type { References } from './inline.ts'
import { Inline } from './spans.tsx'
import { Table } from './table.tsx'

/** More than anybody writes, and as much as is drawn without a stop. */
const blocksAtOnce = 2_000
const itemsAtOnce = 1_000

/**
 * What an agent said. No HTML, no images, no requests: what is not Markdown stays the text that it is. While it `streams`,
 * only its last block is read and drawn anew.
 */
export function Markdown({ text, streaming = false }: { text: string; streaming?: boolean }): ReactNode {
  const before = useRef<Reading>(undefined)
  const reading = useMemo(() => readBlocks(text, streaming ? 'streaming' : 'whole', before.current), [text, streaming])
  useEffect(() => {
    before.current = reading
  }, [reading])
  return (
    <div className="said marked">
      <Blocks blocks={reading.blocks} references={reading.references} />
    </div>
  )
}

function Blocks({ blocks, references }: { blocks: readonly Block[]; references: References }): ReactNode {
  const { shown, more } = useFirst(blocks, blocksAtOnce, 'paragraph')
  const levels = levelsOf(shown)
  return (
    <>
      {shown.map((block, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- blocks of one text have no other name
        <OneBlock key={index} block={block} references={references} level={levels[index] ?? 2} />
      ))}
      {more}
    </>
  )
}

/** Headings of a message stand below the page's own, and none is left out on the way down, whatever an agent counts. */
function levelsOf(blocks: readonly Block[]): readonly number[] {
  let above = 1
  return blocks.map((block) => {
    if (block.kind === 'heading') above = Math.min(6, block.depth + 1, above + 1)
    return above
  })
}

const OneBlock = memo(function OneBlock({
  block,
  references,
  level,
}: {
  block: Block
  references: References
  level: number
}): ReactNode {
  switch (block.kind) {
    case 'paragraph':
      return (
        <p>
          <Inline text={block.text} references={references} />
        </p>
      )
    case 'plain':
      return (
        <p>
          <Legible text={block.text} place="prose" />
        </p>
      )
    case 'heading':
      return (
        <p role="heading" aria-level={level} className={`heading h${block.depth}`}>
          <Inline text={block.text} references={references} />
        </p>
      )
    case 'code':
      return <CodeBlock language={block.language} text={block.text} open={block.open} />
    case 'quote':
      return (
        <blockquote>
          <Blocks blocks={block.blocks} references={references} />
        </blockquote>
      )
    case 'list':
      return <List block={block} references={references} />
    case 'table':
      return <Table block={block} references={references} />
    case 'rule':
      return <hr />
  }
})

function List({ block, references }: { block: Extract<Block, { kind: 'list' }>; references: References }): ReactNode {
  const { shown, more } = useFirst(block.items, itemsAtOnce, 'item')
  // oxlint-disable-next-line react/no-array-index-key -- items of one list have no other name
  const items = shown.map((item, index) => <Item key={index} item={item} references={references} />)
  const isTasks = block.items.some(({ done }) => done !== undefined)
  return (
    <>
      {block.ordered ? (
        <ol start={block.start}>{items}</ol>
      ) : (
        <ul className={isTasks ? 'tasks' : undefined}>{items}</ul>
      )}
      {more}
    </>
  )
}

function Item({ item, references }: { item: ListItem; references: References }): ReactNode {
  const [first, ...rest] = item.blocks
  return (
    <li>
      {item.done !== undefined && (
        <span className="task" role="img" aria-label={item.done ? 'done' : 'to do'}>
          {item.done ? '☑' : '☐'}
        </span>
      )}
      {first?.kind === 'paragraph' ? (
        <Inline text={first.text} references={references} />
      ) : (
        first && <Blocks blocks={[first]} references={references} />
      )}
      <Blocks blocks={rest} references={references} />
    </li>
  )
}
