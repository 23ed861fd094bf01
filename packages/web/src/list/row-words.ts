import { queueWords } from '@hotline/client/queue-words'
import type { QueuePlace } from '@hotline/protocol/queue'
import { rowAwaitsReview } from '@hotline/client/row-awaits-review'
import { whyOver } from '@hotline/client/why-over'
import type { SessionRow } from '@hotline/protocol/http'
import { isLive } from '@hotline/protocol/session-status'
import { clockText } from '../text/time.ts'
import type { SeenRow } from './seen-rows.ts'

/** Where a session stands that is over, by how it ended. */
type Over = 'Failed' | 'Completed' | 'Ended'

/** The heading under which a session stands in the list. */
export type Group = 'Needs you' | 'Out of contact' | 'Agent gone' | 'Working' | 'Watched' | 'Idle' | Over

/** In the order in which they are shown. */
export const groups: readonly Group[] = [
  'Needs you',
  'Out of contact',
  'Agent gone',
  'Working',
  'Watched',
  'Idle',
  'Failed',
  'Completed',
  'Ended',
]

/** Whether nothing more happens there. */
export function isOver(group: Group): boolean {
  return group === 'Failed' || group === 'Completed' || group === 'Ended'
}

/** A budget is used up, and a person is asked what shall become of it. */
function isSpent({ status, reason }: SessionRow): boolean {
  return status === 'paused' && reason === 'budget_spent'
}

/** How much of it waits for the person who looks. */
export function asksOf(row: SeenRow): number {
  const others = [isSpent(row), rowAwaitsReview(row)].filter(Boolean).length
  const { approvals, questions } = openOf(row)
  return approvals + questions + others
}

/** How many of its asks are open, and not put aside by the person who looks. */
function openOf({ openApprovals, openQuestions, aside }: SeenRow): { approvals: number; questions: number } {
  return {
    approvals: openApprovals.length - (aside?.approvals ?? 0),
    questions: openQuestions.length - (aside?.questions ?? 0),
  }
}

/** What is put aside there, and when the first of it comes back. */
function asideWords({ aside }: SeenRow, now: number): string {
  if (!aside) return ''
  return `${aside.approvals + aside.questions} snoozed until ${clockText(aside.until, now)}`
}

/** Where a session stands in the list. */
export function groupOf(row: SeenRow): Group {
  if (asksOf(row) > 0) return 'Needs you'
  if (row.status === 'interrupted') return 'Agent gone'
  if (row.staleSince !== null) return 'Out of contact'
  if (isLive(row.status as 'active')) return liveGroupOf(row)
  return row.status === 'failed' ? 'Failed' : row.status === 'completed' ? 'Completed' : 'Ended'
}

/** It is at work or about to be, nobody knows, or nothing goes on until somebody does something. */
function liveGroupOf({ status, turn }: SessionRow): Group {
  if (status === 'paused') return 'Idle'
  if (status !== 'active' || turn === 'running') return 'Working'
  return turn === 'watched' ? 'Watched' : 'Idle'
}

const activeWords: Readonly<Record<string, string>> = { running: 'at work', watched: 'is watched' }

function behind({ waitingApprovals: count }: SessionRow): string {
  return count === 0 ? '' : `, ${count} more ${count === 1 ? 'waits' : 'wait'}`
}

/** Evidence in a few words. */
export function whatOf(row: SeenRow, now: number, place?: QueuePlace): string {
  const { approvals, questions } = openOf(row)
  const asks = [
    approvals > 0 ? `${approvals} to allow or deny${behind(row)}` : '',
    questions > 0 ? `${questions} to answer` : '',
    isSpent(row) ? 'budget used up' : '',
    rowAwaitsReview(row) ? 'changes to review' : '',
    asideWords(row, now),
  ]
    .filter(Boolean)
    .join(', ')
  const isStale = row.staleSince !== null && isLive(row.status as 'active')
  // What is asked can be answered, but the answer waits until the machine is back.
  const away = isStale ? `out of contact since ${clockText(row.staleSince ?? '', now)}` : ''
  const ending = row.ending === null ? '' : 'ending …'
  const evidence = [asks, away, ending].filter(Boolean)
  if (evidence.length > 0) return [row.agent, ...evidence].join(' · ')
  if (row.status === 'active') return `${row.agent} · ${activeWords[row.turn] ?? 'waits for you to write'}`
  const words: Record<string, string> = {
    queued: (place && queueWords(place)) ?? 'waits for a machine',
    starting: 'starting',
    interrupted: 'waits to be resumed',
    aborted: 'ended by a person',
  }
  const why = whyOver(row)
  return [row.agent, words[row.status] ?? row.status, ...(why === undefined ? [] : [why])].join(' · ')
}
