import type { SessionPicture } from '@hotline/client/session-view'
import type { SessionState, Usage } from '@hotline/core/session/state'
import { openApprovals, turnOf } from '@hotline/core/session/state'
import type { PlanItem } from '@hotline/core/transcript/item'
import type { ChangeReason } from '@hotline/protocol/events/session'
import { isLive } from '@hotline/protocol/session-status'
import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useNow } from '../live/use-readable.ts'
import { AsOf } from '../parts/as-of.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { PlanList } from '../parts/plan-list.tsx'
import { countText, groupDigits, moneyText, shortCount } from '../text/amounts.ts'
import { agoText, clockText, exactText } from '../text/time.ts'
import { ChangedFiles } from './changed-files.tsx'

const reasons: Record<ChangeReason, string> = {
  claimed: 'a machine took it',
  agent_ready: 'the agent is ready',
  start_failed: 'it could not start',
  agent_exited: 'the agent ended',
  agent_lost: 'the agent is gone',
  adapter_error: 'the agent could not be understood',
  goal_reached: 'its goal is reached',
  requested: 'somebody asked for it',
  taken_over: 'another machine took it',
}

/** What a session is doing, in words, with why. */
export function statusWords(state: SessionState, now: number): string {
  const words: string[] = []
  const open = openApprovals(state).length + state.questions.length
  if (state.staleSince !== undefined) words.push(`out of contact since ${clockText(state.staleSince, now)}`)
  if (open > 0) words.push(`needs you: ${countText(open, 'request')}`)
  if (words.length > 0) return words.join(' · ')
  if (state.ending) return 'ending …'
  if (state.status === 'active')
    return { idle: 'waits for you to write', running: 'at work', waiting: 'needs you' }[turnOf(state)]
  if (state.status === 'interrupted') return `agent gone${state.exit?.signal ? ` (${state.exit.signal})` : ''}`
  if (state.status === 'queued') return 'waits for a machine'
  return state.status
}

/** What it does, since when, and how we know: the line below the title. */
export function EvidenceLine({
  state,
  lastEventAt,
}: {
  state: SessionState
  lastEventAt: number | undefined
}): ReactNode {
  const now = useNow(1_000)
  const words = [statusWords(state, now), `since ${clockText(state.turn?.since ?? state.since, now)}`, state.agent]
  if (state.mode) words.push(`mode ${state.mode}`)
  if (lastEventAt !== undefined && isLive(state.status)) words.push(`last sign ${agoText(now - lastEventAt)}`)
  return (
    <div className="small quiet evidence">
      <AsOf />
      {words.join(' · ')}
    </div>
  )
}

/** Everything that is known about a session beside its conversation. */
export function Evidence({
  picture,
  state,
  watching,
}: {
  picture: SessionPicture
  state: SessionState
  /** Accounts of those who have it open now. */
  watching: readonly string[]
}): ReactNode {
  const { names } = useLive()
  const now = useNow(1_000)
  const plan = picture.transcript.items.findLast((item): item is PlanItem => item.kind === 'plan')
  const { counts } = state
  const isAlive = isLive(state.status)
  const hasSpoken = picture.lastEventAt !== undefined && isAlive
  return (
    <>
      <h2>Evidence</h2>
      <dl>
        <Fact name="State">{statusWords(state, now)}</Fact>
        <Fact name="Since">
          <time title={exactText(state.since)}>{clockText(state.since, now)}</time>
        </Fact>
        <Fact name="Why">{state.reason && reasons[state.reason]}</Fact>
        <Fact name="Agent">{state.agent}</Fact>
        <Fact name="Model">{state.model}</Fact>
        <Fact name="Mode">{state.mode}</Fact>
        <Fact name="Machine">{state.lease && <Short text={state.lease.runner} />}</Fact>
        <Fact name="Process">{state.pid !== undefined && isAlive ? `pid ${state.pid}` : undefined}</Fact>
        <Fact name="Last sign">{hasSpoken ? agoText(now - (picture.lastEventAt ?? now)) : undefined}</Fact>
        <UsageFacts usage={state.usage} />
        <Fact name="Watching">{watching.map((id) => names.get(id) ?? 'somebody').join(', ')}</Fact>
        <Fact name="Turns">{groupDigits(counts.turns)}</Fact>
        <Fact name="Steps">{groupDigits(counts.steps)}</Fact>
        <Fact name="Approvals">{groupDigits(counts.approvals)}</Fact>
        <Fact name="Session">
          <Short text={state.session} />
        </Fact>
      </dl>
      {plan && (
        <>
          <h2>
            Plan{' '}
            <span className="quiet">
              {plan.entries.filter(({ status }) => status === 'completed').length}/{plan.entries.length}
            </span>
          </h2>
          <PlanList entries={plan.entries} />
        </>
      )}
      <ChangedFiles picture={picture} />
    </>
  )
}

/** What the agent last told of tokens and cost; nothing where it tells nothing. */
function UsageFacts({ usage }: { usage: Usage | undefined }): ReactNode {
  if (!usage) return undefined
  const { inputTokens, outputTokens, contextUsed, contextSize, cost } = usage
  const tokens =
    inputTokens === undefined && outputTokens === undefined ? undefined : (inputTokens ?? 0) + (outputTokens ?? 0)
  return (
    <>
      <Fact name="Tokens">{tokens !== undefined && <span title={groupDigits(tokens)}>{shortCount(tokens)}</span>}</Fact>
      <Fact name="Context">
        {contextUsed !== undefined &&
          `${shortCount(contextUsed)}${contextSize === undefined ? '' : ` of ${shortCount(contextSize)}`}`}
      </Fact>
      <Fact name="Cost">{cost && moneyText(cost)}</Fact>
    </>
  )
}

/** What is not known is left out. */
function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  if (children === undefined || children === '' || children === false) return undefined
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}

/** An id: its end, which tells ids of the same time apart, and the whole of it to copy. */
function Short({ text }: { text: string }): ReactNode {
  return (
    <span className="mono" title={text}>
      …{text.slice(-8)} <CopyButton text={text} what="id" />
    </span>
  )
}
