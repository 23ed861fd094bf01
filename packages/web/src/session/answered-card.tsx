import { modeAnswered } from '@hotline/core/policy/mode-words'
import type { ApprovalItem, StepItem } from '@hotline/core/transcript/item'
import type { Problem } from '@hotline/protocol/error'
import { type ReactNode, useState } from 'react'
import { useExactInput } from '../live/use-exact-input.ts'
import { useLive } from '../live/hotline.tsx'
import { ExactText } from '../parts/exact-text.tsx'
import { Given } from '../parts/given.tsx'
import { Legible } from '../parts/legible.tsx'
import { AskedInput, RawInput } from './asked-input.tsx'
import { outcomes, runsText, StepCounts, StepResult } from './step-line.tsx'
import { clockText, exactText } from '../text/time.ts'
import { MissingInput } from './missing-input.tsx'

/**
 * An approval that was answered, as one line: what became of it, by whom, when and where, and how the step went for which it
 * was; opened, what was asked, what ran and what came of it.
 */
export function AnsweredCard({
  item,
  ran,
  session,
  problem,
}: {
  item: ApprovalItem
  ran: StepItem | undefined
  session: string
  problem: Problem | undefined
}): ReactNode {
  const { names } = useLive()
  const [opened, setOpened] = useState(false)
  const input = useExactInput(session, item.request, opened)
  const words = {
    allowed: '✓ Allowed',
    allowed_modified: '✓ Edited and allowed',
    denied: '✗ Denied',
    timed_out: 'Nobody answered',
    cancelled: 'No longer asked',
  } as const
  const who = whoText(item, names)
  const where = whereText(item.channel)
  const outcome = item.outcome ?? 'cancelled'
  return (
    <details className="step answered" onToggle={({ currentTarget }) => setOpened(currentTarget.open)}>
      <summary>
        <span className={outcome === 'denied' ? 'danger' : ''}>
          {words[outcome]}
          {who}
        </span>
        <span className="title">
          <Legible text={item.request?.title ?? ''} place="name" />
        </span>
        {ran && ran.outcome !== 'denied' && <StepCounts item={ran} />}
        {item.resolvedAt !== undefined && (
          <span className="small">
            <time dateTime={item.resolvedAt} title={exactText(item.resolvedAt)}>
              {clockText(item.resolvedAt, Date.now())}
            </time>
            {item.by?.kind === 'person' && where !== '' && ` · ${where}`}
          </span>
        )}
        {ran && <Went step={ran} />}
        {problem && <span className="danger">your answer did not count: somebody was before you</span>}
        {item.recalledBy && <span className="danger">{takenBackText(item, names)}</span>}
        {item.dispatch === 'refused' && !item.recalledBy && (
          <span className="danger">the agent did not get this answer</span>
        )}
        {item.dispatch === 'unknown' && <span className="danger">unknown whether the agent heard it</span>}
      </summary>
      <div className="inside">
        {opened && input.text !== undefined && item.request ? (
          <>
            <Given what="what was asked">
              <AskedInput text={input.text} request={item.request} />
            </Given>
            <RawInput text={input.text} request={item.request} />
          </>
        ) : (
          opened && <MissingInput input={input} bytes={item.request?.content?.bytes} />
        )}
        {item.modifiedInput !== undefined && (
          <>
            <p className="quiet small">What ran in its place:</p>
            <Given what="what ran">
              <ExactText text={item.modifiedInput} />
            </Given>
          </>
        )}
        {item.reason !== undefined && (
          <p className="quiet said">
            <Legible text={item.reason} place="prose" />
          </p>
        )}
        {opened && ran && <StepResult item={ran} />}
      </div>
    </details>
  )
}

/** How the step went; that it was denied is said already. */
function Went({ step }: { step: StepItem }): ReactNode {
  if (step.outcome === 'denied') return undefined
  return (
    <span className={step.outcome === 'failed' ? 'danger' : ''}>
      {step.outcome === undefined ? runsText(step) : step.outcome === 'done' ? 'done' : outcomes[step.outcome]}
    </span>
  )
}

/** Whose answer it was: a person's, that of a mode with who had switched it on, or a rule's. */
function whoText({ by, mode, ruleOf }: ApprovalItem, names: ReadonlyMap<string, string>): string {
  if (by?.kind === 'person') return ` by ${names.get(by.id) ?? 'somebody'}`
  if (mode) return `: ${modeAnswered(mode.mode)}, by ${names.get(mode.by.id) ?? 'somebody'}`
  return by?.kind === 'system' && by.id === 'policy' ? ` by a rule of the ${ruleOf ?? 'project'}` : ''
}

/** Whether that was in time its machine says. */
function takenBackText({ recalledBy, dispatch }: ApprovalItem, names: ReadonlyMap<string, string>): string {
  const who = `taken back by ${names.get(recalledBy?.id ?? '') ?? 'somebody'}`
  if (dispatch === 'dispatched') return `${who}, too late: the agent had the answer`
  return dispatch === 'refused' ? `${who}; the agent was told no` : who
}

/** Through what somebody answered, in words; nothing where it is not known. */
function whereText(channel: string | undefined): string {
  const words: Record<string, string> = { web: 'on the web', cli: 'in a terminal', api: 'over the API' }
  return words[channel?.split(':', 1)[0] ?? ''] ?? ''
}
