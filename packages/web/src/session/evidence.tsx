import { askKey } from '@hotline/core/account/ask-key'
import type { SeenAgent } from '@hotline/client/agent-evidence'
import { whyOver } from '@hotline/client/why-over'
import type { SessionPicture } from '@hotline/client/session-view'
import type { SessionState, Usage } from '@hotline/core/session/state'
import { standstillWords } from '@hotline/core/reach-words'
import { usedWords } from '@hotline/core/budget-words'
import { elapsedText } from '@hotline/core/elapsed'
import { awaitsReview, openApprovals, turnOf } from '@hotline/core/session/state'
import type { PlanItem } from '@hotline/core/transcript/item'
import type { ChangeReason } from '@hotline/protocol/events/session'
import { isLive } from '@hotline/protocol/session-status'
import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useReadable } from '@hotline/client/use-readable'
import { useNow } from '../live/use-now.ts'
import { AsOf } from '../parts/as-of.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { PlanList } from '../parts/plan-list.tsx'
import { countText, groupDigits, moneyText, shortCount } from '../text/amounts.ts'
import { ageText, agoText, clockText, exactText } from '../text/time.ts'
import { ChangedFiles } from './changed-files.tsx'
import { doingNow } from './doing.ts'
import { Fact } from './fact.tsx'
import { WherePlaced } from './where-placed.tsx'
import { ProcessFacts, ProcessTree } from './process-facts.tsx'

const reasons: Record<ChangeReason, string> = {
  claimed: 'a machine took it',
  agent_ready: 'the agent is ready',
  start_failed: 'it could not start',
  agent_exited: 'the agent ended',
  agent_lost: 'the agent is gone',
  adapter_error: 'the agent could not be understood',
  goal_reached: 'its goal is reached',
  idle: 'nothing happened for long',
  requested: 'somebody asked for it',
  budget_spent: 'its budget is used up',
  taken_over: 'another machine took it',
}

const activeWords = {
  idle: 'waits for you to write',
  running: 'at work',
  waiting: 'needs you',
  watched: 'is watched',
}

/** What a session is doing, in words, with why. What the person who looks has put aside (`snoozed`, by `askKey`) does not need them. */
export function statusWords(state: SessionState, now: number, snoozed: ReadonlyMap<string, string>): string {
  const words: string[] = []
  const asks = [
    ...openApprovals(state).map(({ approval }) => approval),
    ...state.questions.map(({ question }) => question),
  ]
  const aside = asks.filter((ask) => snoozed.has(askKey(state.session, ask))).length
  const open = asks.length - aside + (awaitsReview(state) ? 1 : 0)
  if (state.staleSince !== undefined) words.push(`out of contact since ${clockText(state.staleSince, now)}`)
  if (open > 0) words.push(`needs you: ${countText(open, 'request')}`)
  if (aside > 0) words.push(`${aside} snoozed by you`)
  if (words.length > 0) return words.join(' · ')
  if (state.ending) return 'ending …'
  if (state.status === 'active') {
    const isToBeHeld = state.controls.some(({ when }) => when === 'next_step')
    return isToBeHeld ? `${activeWords[turnOf(state)]} · pauses after this step` : activeWords[turnOf(state)]
  }
  if (state.status === 'paused') return pausedWords(state)
  if (state.status === 'interrupted') return `agent gone${state.exit?.signal ? ` (${state.exit.signal})` : ''}`
  if (state.status === 'queued') return 'waits for a machine'
  const why = whyOver({ status: state.status, reason: state.reason ?? null, exit: state.exit ?? null })
  const over = state.status === 'aborted' ? 'ended by a person' : state.status
  return why === undefined ? over : `${over} (${why})`
}

function pausedWords({ paused, exhausted }: SessionState): string {
  if (exhausted) return `needs you: budget used up, ${usedWords(exhausted)}`
  if (paused?.kind === 'held') return 'paused before its next step'
  return ['frozen', paused ? standstillWords(paused) : ''].filter(Boolean).join(' · ')
}

/** Since when it is as it is: where it works or waits, its turn tells. */
function sinceOf({ status, turn, since }: SessionState): string {
  return status === 'active' ? (turn?.since ?? since) : since
}

/** What it does, since when, and how we know: the line below the title. */
export function EvidenceLine({ picture, state }: { picture: SessionPicture; state: SessionState }): ReactNode {
  const now = useNow(1_000)
  const { known, snoozes } = useLive()
  const snoozed = useReadable(snoozes.picture)
  const { transcript, lastEventAt } = picture
  const { cost } = state.usage ?? {}
  const doing = isWorking(state) ? doingNow(transcript) : undefined
  const words = doing
    ? [doing.words, ageText(now - Date.parse(doing.since))]
    : [statusWords(state, now, snoozed), `since ${clockText(sinceOf(state), now)}`]
  words.push(known.agents.get(state.agent) ?? state.agent)
  if (state.mode) words.push(`mode ${state.mode}`)
  if (lastEventAt !== undefined && isLive(state.status)) words.push(`last sign ${agoText(now - lastEventAt)}`)
  const tokens = tokensOf(state.usage)
  if (tokens !== undefined) words.push(`${shortCount(tokens)} tokens`)
  if (cost) words.push(moneyText(cost))
  return (
    <div className="small quiet evidence">
      <AsOf kept={picture.asOf} />
      {words.join(' · ')}
    </div>
  )
}

/** At work, in contact, and with nothing asked: what it does says more than that it works. */
function isWorking(state: SessionState): boolean {
  return state.status === 'active' && state.staleSince === undefined && !state.ending && turnOf(state) === 'running'
}

function tokensOf(usage: Usage | undefined): number | undefined {
  if (usage?.inputTokens === undefined && usage?.outputTokens === undefined) return undefined
  return (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0)
}

/** Everything that is known about a session beside its conversation. */
export function Evidence({
  picture,
  state,
  seen,
  watching,
  children,
  undo,
}: {
  picture: SessionPicture
  state: SessionState
  /** What its machine sees of it now. */
  seen: SeenAgent | undefined
  /** Accounts of those who have it open now. */
  watching: readonly string[]
  /** What can be done about it. */
  children?: ReactNode
  /** Shows what it would do to take everything back; absent where that cannot be. */
  undo?: (() => void) | undefined
}): ReactNode {
  const { names, known } = useLive()
  const now = useNow(1_000)
  const snoozed = useReadable(useLive().snoozes.picture)
  const plan = picture.transcript.items.findLast((item): item is PlanItem => item.kind === 'plan')
  const { counts } = state
  const isAlive = isLive(state.status)
  const since = sinceOf(state)
  const machine = state.lease && known.machines.get(state.lease.runner)
  const hasSpoken = picture.lastEventAt !== undefined && isAlive
  return (
    <>
      <h2>Evidence</h2>
      <dl>
        <Fact name="State">{statusWords(state, now, snoozed)}</Fact>
        <Fact name="Now">{isWorking(state) && doingNow(picture.transcript)?.words}</Fact>
        <Fact name="Since">
          <time title={exactText(since)}>{clockText(since, now)}</time>
        </Fact>
        <Fact name="Elapsed">
          {elapsedText((isAlive ? now : Date.parse(state.since)) - Date.parse(state.createdAt))}
        </Fact>
        <Fact name="Why">{state.status !== 'active' && state.reason && reasons[state.reason]}</Fact>
        <Fact name="Last sign">{hasSpoken ? agoText(now - (picture.lastEventAt ?? now)) : undefined}</Fact>
        <UsageFacts usage={state.usage} />
        <Fact name="Watching">{watching.map((id) => names.get(id) ?? 'somebody').join(', ')}</Fact>
        <Fact name="Machine">
          {machine === undefined ? (
            state.lease && <Short text={state.lease.runner} />
          ) : (
            <span title={state.lease?.runner}>{machine}</span>
          )}
        </Fact>
        <ProcessFacts state={state} seen={seen} now={now} />
      </dl>
      <details className="why further">
        <summary>More facts</summary>
        <dl>
          <Fact name="Agent">{known.agents.get(state.agent) ?? state.agent}</Fact>
          <Fact name="Model">{state.model}</Fact>
          <Fact name="Mode">{state.mode}</Fact>
          <Fact name="Turns">{groupDigits(counts.turns)}</Fact>
          <Fact name="Steps">{groupDigits(counts.steps)}</Fact>
          <Fact name="Approvals">{groupDigits(counts.approvals)}</Fact>
          <Fact name="Session">
            <Short text={state.session} />
          </Fact>
          <Fact name="Export">
            <a href={`/api/sessions/${state.session}/export`} download>
              Markdown
            </a>
            {' · '}
            <a href={`/api/sessions/${state.session}/export?format=json`} download>
              JSON
            </a>
          </Fact>
        </dl>
      </details>
      {children}
      <ProcessTree seen={seen} />
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
      <WherePlaced picture={picture} state={state} />
      {state.changed !== 0 && <ChangedFiles picture={picture} />}
      {undo && (
        <button type="button" className="button" onClick={undo}>
          Undo its changes …
        </button>
      )}
    </>
  )
}

/** What the agent last told of tokens and cost; nothing where it tells nothing. */
function UsageFacts({ usage }: { usage: Usage | undefined }): ReactNode {
  if (!usage) return undefined
  const { contextUsed, contextSize, cost } = usage
  const tokens = tokensOf(usage)
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

/** An id: its end, which tells ids of the same time apart, and the whole of it to copy. */
function Short({ text }: { text: string }): ReactNode {
  return (
    <span className="mono" title={text}>
      …{text.slice(-8)} <CopyButton text={text} what="id" />
    </span>
  )
}
