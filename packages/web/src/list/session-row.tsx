import type { DoingStep } from '@hotline/client/session-list'
import type { SessionRow } from '@hotline/protocol/http'
import { Link as To } from '@tanstack/react-router'
import type { ReactNode, Ref } from 'react'
import { useNow } from '../live/use-readable.ts'
import { doingWords } from '../session/doing.ts'
import { ageText, agoText, exactText } from '../text/time.ts'
import { type Group, whatOf } from './row-words.ts'

/** One session in the list: what it is called, what goes on there, and when that changed. */
export function SessionLine({
  row,
  group,
  doing,
  now,
  ref,
}: {
  row: SessionRow
  group: Group
  doing: DoingStep | undefined
  now: number
  ref?: Ref<HTMLAnchorElement>
}): ReactNode {
  return (
    <To
      to="/sessions/$session"
      params={{ session: row.session }}
      data-session={row.session}
      ref={ref}
      className={`row${group === 'Needs you' ? ' needs' : ''}${group === 'Finished' ? ' over' : ''}`}
    >
      <span className="title" title={row.title}>
        {row.title}
      </span>
      <time className="small quiet" dateTime={row.updatedAt} title={exactText(row.updatedAt)}>
        {agoText(now - Date.parse(row.updatedAt))}
      </time>
      {doing && isAtWork(row) ? (
        <Doing agent={row.agent} step={doing} />
      ) : (
        <span className="what">{whatOf(row, now)}</span>
      )}
    </To>
  )
}

/** What a step is at, and for how long or how long ago. */
function Doing({ agent, step }: { agent: string; step: DoingStep }): ReactNode {
  const now = useNow(1_000)
  const ms = now - Date.parse(step.at)
  // A step that is over may have been denied: nothing is said of what it did.
  const words = step.over ? `last: ${step.object}` : doingWords(step.kind, step.object)
  return (
    <span className="what" title={words}>
      {agent} · <span className="evident">{words}</span> · {step.over ? agoText(ms) : ageText(ms)}
    </span>
  )
}

/** At work, in contact, and with nothing asked: what it does says more than that it works. */
function isAtWork(row: SessionRow): boolean {
  return row.status === 'active' && row.turn === 'running' && row.staleSince === null
}
