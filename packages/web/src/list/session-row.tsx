import type { DoingNow } from '@hotline/client/session-list'
import { modeMark } from '@hotline/core/policy/mode-words'
import type { QueuePlace } from '@hotline/protocol/queue'
import { isLive } from '@hotline/protocol/session-status'
import { Link as To } from '@tanstack/react-router'
import type { ReactNode, Ref } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useNow } from '../live/use-now.ts'
import { OneName } from '../parts/legible.tsx'
import { doingWords } from '../session/doing.ts'
import { legibleName } from '../text/legible.ts'
import { moneyText, shortCount } from '../text/amounts.ts'
import { ageText, agoText, exactText } from '../text/time.ts'
import { UnreadCount } from './unread-count.tsx'
import { type Group, isOver, whatOf } from './row-words.ts'
import type { SeenRow } from './seen-rows.ts'

/** One session in the list: what it is called, what goes on there, and when that changed. */
export function SessionLine({
  row,
  group,
  doing,
  place,
  now,
  ref,
}: {
  row: SeenRow
  group: Group
  doing: DoingNow | undefined
  /** Where it stands among those that wait for a machine. */
  place: QueuePlace | undefined
  now: number
  ref?: Ref<HTMLAnchorElement>
}): ReactNode {
  const { known } = useLive()
  const agent = known.agents.get(row.agent) ?? row.agent
  return (
    <To
      to="/sessions/$session"
      params={{ session: row.session }}
      data-session={row.session}
      ref={ref}
      className={`row${group === 'Needs you' ? ' needs' : ''}${isOver(group) ? ' over' : ''}`}
    >
      <span className="title" title={legibleName(row.title)}>
        <OneName text={row.title} />
      </span>
      <time className="small quiet" dateTime={row.updatedAt} title={exactText(row.updatedAt)}>
        {agoText(now - Date.parse(row.updatedAt))}
      </time>
      <span className="what">
        <UnreadCount session={row.session} />
        <Mode row={row} />
        {doing?.step && isAtWork(row) ? (
          <Doing agent={agent} step={doing.step} />
        ) : (
          whatOf({ ...row, agent }, now, place)
        )}
        {doing?.usage && !isOver(group) && <Usage usage={doing.usage} />}
      </span>
    </To>
  )
}

/** What a step is at, and for how long or how long ago. */
function Doing({ agent, step }: { agent: string; step: NonNullable<DoingNow['step']> }): ReactNode {
  const now = useNow(1_000)
  const ms = now - Date.parse(step.at)
  // A step that is over may have been denied: nothing is said of what it did.
  const words = step.over ? `last: ${legibleName(step.object)}` : doingWords(step.kind, step.object)
  return (
    <span title={words}>
      {agent} · <span className="evident">{words}</span> · {step.over ? agoText(ms) : ageText(ms)}
    </span>
  )
}

/** That something is not asked there, and for how long. */
function Mode({ row }: { row: SeenRow }): ReactNode {
  const now = useNow(1_000)
  const mark = isLive(row.status as 'active') ? modeMark(row.policyMode, now) : undefined
  return mark === undefined ? undefined : <span className="mode-mark">{mark} · </span>
}

function Usage({ usage: { tokens, cost } }: { usage: NonNullable<DoingNow['usage']> }): ReactNode {
  return [tokens === undefined ? '' : `${shortCount(tokens)} tokens`, cost ? moneyText(cost) : '']
    .filter(Boolean)
    .map((words) => ` · ${words}`)
}

/** At work, in contact, and with nothing asked: what it does says more than that it works. */
function isAtWork(row: SeenRow): boolean {
  return row.status === 'active' && row.turn === 'running' && row.staleSince === null
}
