import type { ApprovalItem } from '@hotline/core/transcript/item'
import type { Problem } from '@hotline/protocol/error'
import { type ReactNode, useState } from 'react'
import { useNow } from '../live/use-now.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { useLive } from '../live/hotline.tsx'
import { Legible } from '../parts/legible.tsx'
import { RiskWord } from '../parts/risk-word.tsx'
import { countdownText } from '../text/time.ts'
import { toolWord } from './step-words.ts'

const strengths = {
  enforced: ['runs exactly this', 'What you allow is what runs; the agent cannot make something else of it.'],
  mediated: ['runs exactly this, in a sandbox', 'What you allow is what runs, and only in its sandbox.'],
  advisory: ['agent promises', 'The agent asks and keeps to the answer; nothing outside of it makes it do so.'],
  observe_only: ['only watching', 'The answer is noted; it does not hold the agent back.'],
} as const

/** A yes to a plan runs nothing: what it binds is whether the agent goes on. */
const ofPlan = {
  ...strengths,
  enforced: ['begins only with your yes', 'Until then the agent keeps planning; a yes runs nothing by itself.'],
  mediated: ['begins only with your yes', 'Until then the agent keeps planning; a yes runs nothing by itself.'],
} as const

/** What is asked, by whom, how far the answer binds, and for how long it can be given. */
export function ApprovalHead({
  item,
  agent,
  subAgent,
  isPaused,
  mayDecide,
  session,
}: {
  item: ApprovalItem
  session: string
  agent: string
  subAgent: string | undefined
  /** Nobody's time runs. */
  isPaused: boolean
  mayDecide: boolean
}): ReactNode {
  const { request } = item
  const isForced = item.agentUntil !== undefined
  const { known } = useLive()
  const tool = request ? (request.plan ? 'plan' : toolWord(request.tool, request.title)) : ''
  const [strength, explained] = (request?.plan ? ofPlan : strengths)[item.strength]
  return (
    <header>
      <span className="asked">
        <Legible text={request?.title ?? 'Erased'} place="name" />{' '}
        <span className="quiet">
          {tool !== '' && (
            <>
              · <Legible text={tool} place="name" />{' '}
            </>
          )}
          · {known.agents.get(agent) ?? agent}
          {subAgent !== undefined && (
            <>
              {' '}
              (sub-agent: <Legible text={subAgent} place="name" />)
            </>
          )}
        </span>
      </span>
      <span className="small bound">
        {item.risk !== undefined && item.risk !== 'low' && (
          <>
            <RiskWord risk={item.risk} /> ·{' '}
          </>
        )}
        <span title={explained}>{strength}</span> ·{' '}
        {isPaused ? (
          'its time stands while the session is paused'
        ) : (
          <>
            <Countdown until={item.expiresAt} />
            {isForced && <span title="Nobody can give it more time than that.">, its agent waits no longer</span>}
            {mayDecide && !isForced && <MoreTime approval={item.approval} until={item.expiresAt} session={session} />}
          </>
        )}
      </span>
    </header>
  )
}

/** More variables than these are one line that opens: an agent gets a dozen in every case. */
const openNamesMax = 3

function EnvNames({ names }: { names: readonly string[] }): ReactNode {
  return (
    <span>
      env{' '}
      <span className="mono">
        <Legible text={names.join(' ')} place="name" />
      </span>
    </span>
  )
}

/** Where it would run and with what, and what stands in the way of allowing it. */
export function ApprovalFacts({
  item: { request },
  seen,
  text,
}: {
  item: ApprovalItem
  seen: boolean
  text: string | undefined
}): ReactNode {
  const names = request?.envNames ?? []
  return (
    <div className="facts">
      {request?.cwd !== undefined && (
        <span className="mono">
          <Legible text={request.cwd} place="name" />
        </span>
      )}
      {names.length > 0 && names.length <= openNamesMax && <EnvNames names={names} />}
      {names.length > openNamesMax && (
        <details>
          <summary>{names.length} variables of the environment</summary>
          <EnvNames names={names} />
        </details>
      )}
      {request?.redacted && <span>a secret is masked</span>}
      {!seen && <span className="danger">Read to the end to allow</span>}
      {text !== undefined && text !== '' && (
        <span className="end">
          <CopyButton text={text} what="request" />
        </span>
      )}
    </div>
  )
}

function Countdown({ until }: { until: string }): ReactNode {
  const left = Date.parse(until) - useNow(1_000)
  return <time>{left > 0 ? `${countdownText(left)} left` : 'time is over'}</time>
}

/** Offered while little is left; it gives a day. */
const littleLeftMs = 60 * 60_000
const dayMs = 24 * 60 * 60_000

function MoreTime({ approval, until, session }: { approval: string; until: string; session: string }): ReactNode {
  const { link } = useLive()
  const [problem, setProblem] = useState<Problem>()
  const now = useNow(1_000)
  const left = Date.parse(until) - now
  if (left <= 0 || left > littleLeftMs) return undefined
  async function extend(): Promise<void> {
    const data = { approval, until: new Date(Date.now() + dayMs).toISOString() }
    const outcome = await link.command(`session:${session}`, 'approval.extend', data)
    setProblem(outcome.ok ? undefined : outcome.problem)
  }
  return (
    <>
      {' '}
      <button type="button" className="button plain small" onClick={() => void extend()}>
        Give it a day more
      </button>
      {problem && <span className="danger">{problem.detail}</span>}
    </>
  )
}
