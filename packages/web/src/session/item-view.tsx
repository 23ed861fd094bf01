import type { MessageItem, StepItem, Item } from '@hotline/core/transcript/item'
import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import { Diff } from '../parts/diff.tsx'
import { ExactText } from '../parts/exact-text.tsx'
import { PlanList } from '../parts/plan-list.tsx'
import { Said } from '../parts/said.tsx'
import { countText } from '../text/amounts.ts'
import { clockText, durationText, exactText } from '../text/time.ts'
import { ApprovalCard, type Decide, type Drafts } from './approval-card.tsx'
import { groupText, type Row, type StepGroup } from './fold-steps.ts'
import { type AnswerQuestion, QuestionCard } from './question-card.tsx'

/** What can be done from within a conversation. */
export interface Acts {
  session: string
  decide: Decide
  drafts: Drafts
  answer: AnswerQuestion
  /** What the role of whoever looks allows. */
  mayWrite: boolean
  mayDecide: boolean
}

/** One item of a conversation. */
export function ItemView({ item, acts, firstOpen }: { item: Row; acts: Acts; firstOpen: boolean }): ReactNode {
  switch (item.kind) {
    case 'steps':
      return <Steps group={item} />
    case 'message':
      return <Message item={item} />
    case 'thought':
      return (
        <details className="step">
          <summary>
            <span>{item.streaming ? 'Thinking …' : 'Thought'}</span>
          </summary>
          <div className="inside">
            <Said text={item.text} />
          </div>
        </details>
      )
    case 'step':
      return <Step item={item} />
    case 'approval':
      return (
        <ApprovalCard
          item={item}
          session={acts.session}
          decide={acts.decide}
          drafts={acts.drafts}
          first={firstOpen}
          mayDecide={acts.mayDecide}
        />
      )
    case 'question':
      return <QuestionCard item={item} mayAnswer={acts.mayWrite} answer={acts.answer} />
    case 'output':
      return (
        <details className="step">
          <summary>
            <span>{item.source}</span>
            <span className="title mono">
              {(item.encoding === 'utf8' ? item.chunks.join('') : '(binary)').trim().split('\n').at(-1)}
            </span>
          </summary>
          <div className="inside">
            <ExactText text={item.encoding === 'utf8' ? item.chunks.join('') : `${item.bytes} bytes`} />
          </div>
        </details>
      )
    case 'input':
      return <div className="notice">keys sent ({item.text.length} characters)</div>
    case 'plan':
      return <PlanList entries={item.entries} />
    case 'turn': {
      const took = item.startedAt === undefined ? '' : durationText(Date.parse(item.at) - Date.parse(item.startedAt))
      const ends = {
        end: 'turn ended',
        cancelled: 'turn stopped',
        refused: 'the agent refused',
        limit: 'a limit was reached',
        error: 'turn failed',
      }
      return (
        <div className="turn">
          <span>
            {[ends[item.end], took, item.files > 0 ? `${countText(item.files, 'file')} changed` : '', item.error]
              .filter(Boolean)
              .join(' · ')}
          </span>
        </div>
      )
    }
    case 'state':
      return <div className="notice">{stateWords(item)}</div>
    case 'control': {
      const words = {
        interrupt: 'Stop this turn',
        kill: 'End the session',
        pause: 'Freeze',
        resume: 'Resume',
        set_mode: 'Change the mode',
      }
      const outcome =
        item.outcome === undefined ? ' …' : item.outcome === 'failed' ? `: did not work, ${item.reason ?? ''}` : ''
      return (
        <div className="notice">
          {words[item.action]}
          {outcome}
        </div>
      )
    }
    case 'notice':
      return <div className="notice">◇ {item.text}</div>
  }
}

function stateWords(item: Extract<Item, { kind: 'state' }>): string {
  const exit = item.exit?.signal ? ` (${item.exit.signal})` : item.exit?.code ? ` (exit code ${item.exit.code})` : ''
  const words: Record<string, string> = {
    starting: 'A machine takes it',
    active: 'The agent is ready',
    interrupted: `Agent gone${exit}`,
    completed: 'Completed',
    failed: `Failed${exit}`,
    aborted: 'Ended',
    paused: 'Frozen',
  }
  return `${words[item.to] ?? item.to} · ${clockText(item.at, Date.now())}${item.note ? ` · ${item.note}` : ''}`
}

function Message({ item }: { item: MessageItem }): ReactNode {
  const { names } = useLive()
  if (item.role === 'system') return <div className="notice">◇ {item.text}</div>
  const who = item.role === 'agent' ? 'AI' : (names.get(item.by.id) ?? 'Somebody')
  const delivery = {
    queued: 'queued',
    delivered: 'delivered',
    seen: 'seen',
    unknown: 'unknown whether it arrived',
    withdrawn: 'withdrawn',
    unread: 'not read: the session ended',
  }
  return (
    <div className={`message ${item.role}`}>
      <div className="meta">
        {who} · <time title={exactText(item.at)}>{clockText(item.at, Date.now())}</time>
        {item.delivery && ` · ${delivery[item.delivery]}`}
        {item.editedAt && ' · edited'}
        {item.isBrokenOff === true && ' · broken off'}
      </div>
      {item.erased ? <div className="said quiet">erased</div> : <Said text={item.text} />}
    </div>
  )
}

/** Many steps of one kind, opened to each of them. */
function Steps({ group }: { group: StepGroup }): ReactNode {
  const last = group.steps.at(-1)
  return (
    <details className="step">
      <summary>
        <span className="title">{groupText(group)}</span>
        <span>✓</span>
        {last?.endedAt && group.steps[0] && (
          <span className="small">{durationText(Date.parse(last.endedAt) - Date.parse(group.steps[0].at))}</span>
        )}
      </summary>
      <div className="inside">
        {group.steps.map((item) => (
          <Step key={item.key} item={item} />
        ))}
      </div>
    </details>
  )
}

function Step({ item }: { item: StepItem }): ReactNode {
  const outcome = { done: '✓', failed: '✗ failed', denied: '✗ denied', cancelled: 'stopped' }
  const input = item.input === undefined ? '' : JSON.stringify(item.input, null, 2)
  return (
    <details className="step">
      <summary>
        <span className="mono">{item.stepKind}</span>
        <span className="title">{item.title}</span>
        <span className={item.outcome === 'failed' ? 'danger' : ''}>{item.outcome ? outcome[item.outcome] : '…'}</span>
        {item.endedAt && <span className="small">{durationText(Date.parse(item.endedAt) - Date.parse(item.at))}</span>}
      </summary>
      <div className="inside">
        {input && <ExactText text={input} />}
        {item.changes.map((change) => (
          <Diff key={change.path} change={change} />
        ))}
        {item.output !== undefined && <ExactText text={item.output} />}
        {item.error !== undefined && <p className="danger">{item.error}</p>}
      </div>
    </details>
  )
}
