import type { DraftItem } from '@hotline/core/transcript/item'
import type { ReactNode } from 'react'
import { Legible } from '../parts/legible.tsx'
import { countText } from '../text/amounts.ts'

/** What the agent changed, in a line of its conversation, and the way there. */
export function DraftLine({ item, show }: { item: DraftItem; show: () => void }): ReactNode {
  const words = wordsOf(item)
  if (words === undefined) return undefined
  if (item.phase === 'ready' && item.waits === true) return <Asked item={item} show={show} />
  return (
    <div className="notice">
      ◇ <Legible text={words} place="prose" />
      {item.phase === 'ready' && (
        <button type="button" className="button" onClick={show}>
          Review
        </button>
      )}
    </div>
  )
}

/** The agent waits for it: it needs somebody. */
function Asked({ item, show }: { item: DraftItem; show: () => void }): ReactNode {
  return (
    <article className="card" aria-label="Changes to review">
      <header>
        <span>The agent waits for a review of its changes</span>
        <span className="small quiet">
          {countText(item.count, 'file')}
          {linesOf(item)}
        </span>
      </header>
      {item.note !== undefined && (
        <div className="question">
          <Legible text={item.note} place="prose" />
        </div>
      )}
      <div className="answer">
        <button type="button" className="button strong" onClick={show}>
          Review
        </button>
      </div>
    </article>
  )
}

/** ` (+12 −4)`, where they were counted. */
function linesOf({ added, removed }: DraftItem): string {
  return added === undefined || removed === undefined ? '' : ` (+${added} −${removed})`
}

function wordsOf(item: DraftItem): string | undefined {
  const { phase, count, outcomes, reason } = item
  switch (phase) {
    case 'wanted':
      return 'Changes: its machine looks what there is'
    case 'ready':
      return `Changes: ${countText(count, 'file')}${linesOf(item)} to keep or discard`
    case 'reviewed':
      return 'Changes: being kept and discarded'
    case 'refused':
      return `Changes: ${reason ?? 'there are none'}`
    case 'dropped':
      return undefined
    case 'done': {
      const of = (outcome: string): number => outcomes.filter((one) => one.outcome === outcome).length
      const went = item.merged ? `, merged into ${item.merged.into}` : item.unmerged === undefined ? '' : ', not merged'
      return `Changes: ${countText(of('kept'), 'file')} kept, ${of('discarded')} discarded, ${of('open')} open${went}`
    }
  }
}
