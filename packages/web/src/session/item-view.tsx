import { nothingLeftWords, standstillWords } from '@hotline/core/reach-words'
import { endedWords, escalatedWords } from '@hotline/core/one-line'
import type { Item, StepItem } from '@hotline/core/transcript/item'
import type { OutputSource } from '@hotline/protocol/events/output'
import { memo, type ReactNode } from 'react'
import { Markdown } from '../markdown/markdown.tsx'
import { Legible } from '../parts/legible.tsx'
import { LongText } from '../parts/long-text.tsx'
import { PlanList } from '../parts/plan-list.tsx'
import { legibleName } from '../text/legible.ts'
import { withoutControls } from '../text/terminal-words.ts'
import { clockText } from '../text/time.ts'
import { ApprovalCard, type Drafts } from './approval-card.tsx'
import { DraftLine } from '../changes/draft-line.tsx'
import type { Row } from './fold-steps.ts'
import { type MessageActs, MessageLine, Notice } from './message-line.tsx'
import { ModeLine } from './mode-line.tsx'
import { type AnswerQuestion, QuestionCard } from './question-card.tsx'
import { sourceWords } from './step-words.ts'
import { UndoCard, type UndoActs } from './undo-card.tsx'
import { UndoTurn } from './undo-turn.tsx'
import type { Decide, Remember } from './use-decision.ts'
import { Recovered } from './recovered.tsx'
import { StepLine, StepRow, StepsLine } from './step-line.tsx'
import { TurnLine } from './turn-line.tsx'

/** What can be done from within a conversation. */
export interface Acts extends MessageActs {
  session: string
  project: string
  decide: Decide
  remember: Remember
  drafts: Drafts
  answer: AnswerQuestion
  undo: UndoActs
  /** Shows what the agent changed, to keep or to discard it. */
  showChanges: () => void
  /** Holds the agent at its next step; absent where it cannot be held, or will be. */
  pause?: (() => void) | undefined
  isPaused: boolean
  /** The machine of its agent is out of contact. */
  isAway: boolean
  /** What the role of whoever looks allows. */
  mayDecide: boolean
  mayDecideHigh: boolean
}

interface Shown {
  item: Row
  acts: Acts
  /** It is what keys answer. */
  firstOpen: boolean
  /** For an approval: the step in which another agent asks for it. */
  subAgent?: string | undefined
  /** For an approval: the step that was asked for. */
  ran?: StepItem | undefined
}

/** One item of a conversation; drawn anew only when it changes. */
export const ItemView: (props: Shown) => ReactNode = memo(function ItemView({
  item,
  acts,
  firstOpen,
  subAgent,
  ran,
}: Shown): ReactNode {
  switch (item.kind) {
    case 'steps':
      return <StepsLine group={item} />
    case 'nest':
      return <StepRow row={item} />
    case 'message':
      return <MessageLine item={item} acts={acts} />
    case 'thought':
      return (
        <details className="step">
          <summary>
            <span>{item.streaming ? 'Thinking …' : 'Thought'}</span>
          </summary>
          <div className="inside">
            <Markdown text={item.text} streaming={item.streaming} />
          </div>
        </details>
      )
    case 'step':
      return <StepLine item={item} />
    case 'approval':
      return (
        <ApprovalCard
          item={item}
          session={acts.session}
          project={acts.project}
          decide={acts.decide}
          remember={acts.remember}
          drafts={acts.drafts}
          first={firstOpen}
          mayDecide={acts.mayDecide}
          mayDecideHigh={acts.mayDecideHigh}
          agent={acts.agent}
          isPaused={acts.isPaused}
          isAway={acts.isAway}
          subAgent={subAgent}
          ran={ran}
        />
      )
    case 'question':
      return (
        <QuestionCard
          item={item}
          session={acts.session}
          mayAnswer={acts.mayWrite}
          answer={acts.answer}
          hasKey={false}
        />
      )
    case 'output': {
      const text = item.encoding === 'utf8' ? item.chunks.join('') : ''
      return (
        <details className="step">
          <summary>
            <span>{sourceWords[item.source]}</span>
            <span className="title mono">
              <Legible text={item.encoding === 'utf8' ? lastLine(text, item.source) : '(binary)'} place="name" />
            </span>
          </summary>
          <div className="inside">
            {item.encoding === 'utf8' ? (
              <LongText text={text} what={sourceWords[item.source].toLowerCase()} />
            ) : (
              `${item.bytes} bytes`
            )}
          </div>
        </details>
      )
    }
    case 'input':
      return <div className="notice">keys sent ({item.text.length} characters)</div>
    case 'plan':
      return <PlanList entries={item.entries} />
    case 'turn':
      return (
        <TurnLine item={item}>
          {item.isUndoable && acts.mayWrite && <UndoTurn turn={item.turn} acts={acts.undo} />}
        </TurnLine>
      )
    case 'state':
      return <div className="notice">{stateWords(item)}</div>
    case 'control': {
      const words = {
        interrupt: item.hard ? 'Stop this turn harder' : 'Stop this turn',
        kill: 'End the session',
        pause: item.when === 'next_step' ? 'Pause after this step' : 'Freeze now',
        resume: 'Resume',
        set_mode: item.mode === undefined ? 'Change the mode' : `Change the mode to ${legibleName(item.mode)}`,
      }
      const found = item.outcome === 'done' ? foundWords(item) : ''
      const steps = [
        ...(item.ended === undefined ? [] : [endedWords(item.ended)]),
        ...(item.agent ? [escalatedWords({ processes: 0, agent: true })] : []),
      ]
      const further = item.outcome === 'failed' ? '' : steps.map((step) => ` · ${step}`).join('')
      const outcome =
        item.outcome === undefined
          ? ' …'
          : item.outcome === 'failed'
            ? `: did not work, ${item.reason ?? ''}`
            : found && `: ${found}`
      return (
        <div className="notice">
          {words[item.action]}
          {further}
          {outcome}
        </div>
      )
    }
    case 'undo':
      return <UndoCard item={item} mayUndo={acts.mayWrite} acts={acts.undo} />
    case 'skipped':
      return <Notice text={`No snapshot of the files, so they cannot be undone from here: ${item.note}`} />
    case 'recovered':
      return <Recovered item={item} />
    case 'loop':
      return (
        <div className="notice">
          ◇ The same call {item.times} times in a row: <Legible text={item.title} place="name" />
          {acts.pause && (
            <button type="button" className="button" onClick={acts.pause}>
              Pause after this step
            </button>
          )}
        </div>
      )
    case 'budget': {
      const words = { changed: 'Budget', warned: 'Budget nearly used up', exhausted: 'Budget used up' }
      return <Notice text={`${words[item.what]}: ${item.words}`} />
    }
    case 'mode':
      return <ModeLine item={item} />
    case 'draft':
      return <DraftLine item={item} show={acts.showChanges} />
    case 'place':
      return <Notice text={item.lines.join(' ')} />
    case 'notice':
      return <Notice text={item.text} />
  }
})

function stateWords(item: Extract<Item, { kind: 'state' }>): string {
  const exit = item.exit?.signal ? ` (${item.exit.signal})` : item.exit?.code ? ` (exit code ${item.exit.code})` : ''
  const words: Record<string, string> = {
    starting: 'A machine takes it',
    active: item.from === 'paused' ? 'Goes on' : 'The agent is ready',
    interrupted: `Agent gone${exit}`,
    completed: 'Completed',
    failed: `Failed${exit}`,
    aborted: 'Ended',
    paused: 'Paused',
  }
  return `${words[item.to] ?? item.to} · ${clockText(item.at, Date.now())}${item.note ? ` · ${item.note}` : ''}`
}

/** The evidence that something was done to the agent. */
function foundWords({ action, found }: Extract<Item, { kind: 'control' }>): string {
  if (!found) return ''
  if (action === 'kill') return nothingLeftWords(found.reach)
  return action === 'pause' ? standstillWords(found) : ''
}

/** The last line with something in it, as much as a line shows; of a terminal, what a person would read there. */
function lastLine(text: string, source: OutputSource): string {
  const end = text.slice(-2_000)
  const words = source === 'pty' ? withoutControls(end) : end
  return (words.trim().split('\n').at(-1) ?? '').slice(0, 300)
}
