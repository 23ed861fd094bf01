import { Link as To } from '@tanstack/react-router'
import { type ReactNode, type Ref, useEffect, useRef } from 'react'
import { useLive } from '../live/hotline.tsx'
import { Legible, OneName } from '../parts/legible.tsx'
import { RiskWord } from '../parts/risk-word.tsx'
import { legibleName } from '../text/legible.ts'
import { agoText, exactText } from '../text/time.ts'
import type { Need } from './arrange-asks.ts'

const kindWords = { approval: '', question: 'question', budget: 'budget', changes: 'changes' } as const

/** `gone`: it was answered, or is not asked any more. `aside`: who looks has put it aside. */
export type Standing = 'open' | 'gone' | 'aside'

const standingWords: Readonly<Record<Standing, string>> = { open: '', gone: 'answered', aside: 'snoozed' }

/** One thing that waits: what would run or what is asked, how risky, whose, and since when. */
export function NeedRow({
  need,
  isGrouped,
  isOpen,
  standing,
  isMarked,
  now,
  showProject,
}: {
  need: Need
  /** It stands below the heading of its shape. */
  isGrouped: boolean
  isOpen: boolean
  standing: Standing
  isMarked: boolean
  now: number
  showProject: string | undefined
}): ReactNode {
  const row = useRef<HTMLAnchorElement>(null)
  useEffect(() => {
    if (isOpen) row.current?.scrollIntoView({ block: 'nearest' })
  }, [isOpen])
  const line = legibleName(need.line)
  const inside = (
    <>
      <span className={need.isExact ? 'title mono' : 'title'} title={line}>
        {isMarked && <span aria-hidden="true">✓ </span>}
        {need.isExact ? <Legible text={need.line} place="name" /> : <OneName text={need.line} />}
      </span>
      <time className="small quiet" dateTime={need.since} title={exactText(need.since)}>
        {agoText(now - Date.parse(need.since))}
      </time>
      <What need={need} standing={standing} isMarked={isMarked} showProject={showProject} />
    </>
  )
  const look = `row${standing === 'open' ? ' needs' : ' over'}${isGrouped ? ' grouped' : ''}`
  const shared = { className: look, 'data-session': need.session, ref: row as Ref<HTMLAnchorElement> }
  return need.ask ? (
    <To
      to="/needs/$session/$ask"
      params={{ session: need.session, ask: need.ask.row.ask }}
      aria-current={isOpen ? 'page' : undefined}
      {...shared}
    >
      {inside}
    </To>
  ) : (
    <To to="/sessions/$session" params={{ session: need.session }} {...shared}>
      {inside}
    </To>
  )
}

function What({
  need: { kind, risk, agent, subAgent, title },
  standing,
  isMarked,
  showProject,
}: {
  need: Need
  standing: Standing
  isMarked: boolean
  showProject: string | undefined
}): ReactNode {
  const { known } = useLive()
  const words = [
    standingWords[standing],
    isMarked ? 'marked' : '',
    kindWords[kind],
    `${known.agents.get(agent) ?? agent}${subAgent === null ? '' : ` (sub-agent: ${legibleName(subAgent)})`}`,
    legibleName(title),
    showProject ?? '',
  ].filter(Boolean)
  return (
    <span className="what">
      {risk !== null && (
        <>
          <RiskWord risk={risk} /> ·{' '}
        </>
      )}
      {words.join(' · ')}
    </span>
  )
}
