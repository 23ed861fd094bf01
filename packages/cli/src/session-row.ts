import { askKey } from '@hotline/core/account/ask-key'
import { rowAwaitsReview } from '@hotline/client/row-awaits-review'
import { whyOver } from '@hotline/client/why-over'
import type { SessionRow } from '@hotline/protocol/http'
import { modeMark } from '@hotline/core/policy/mode-words'
import { elapsedText } from '@hotline/core/elapsed'
import { isLive } from '@hotline/protocol/session-status'
import { dayAndTimeOf, inLine } from './approval-card.ts'

/** Letters of a session's id in lists: enough to tell sessions of the same second apart. */
export const shownIdChars = 18

/**
 * A session in a list: a line, and one more for each approval that is open. What whoever asks has put aside (`snoozed`, by
 * `askKey`) is told, and not counted; so is how much of it they have not read (`unread`, messages).
 */
export function rowLines(
  row: SessionRow,
  now: Date,
  snoozed: ReadonlyMap<string, string> = new Map(),
  unread = 0,
): string {
  const isAside = (ask: string): boolean => snoozed.has(askKey(row.session, ask))
  const open = [...row.openApprovals, ...row.openQuestions]
  const aside = open.filter(isAside).length
  const asks = open.length - aside + (rowAwaitsReview(row) ? 1 : 0)
  const state = row.staleSince === null ? standing(row) : `out of contact since ${dayAndTimeOf(row.staleSince, now)}`
  const isSpent = row.status === 'paused' && row.reason === 'budget_spent'
  const turn = isSpent ? 'BUDGET USED UP' : asks > 0 ? `NEEDS YOU ${asks}` : aside > 0 ? `${aside} snoozed` : row.turn
  const id = row.session.slice(0, shownIdChars).padEnd(shownIdChars)
  const approvals = row.openApprovals
    .map((approval) => `${' '.repeat(shownIdChars + 2)}asks: ${approval}${isAside(approval) ? ' (snoozed)' : ''}\n`)
    .join('')
  const { waitingApprovals } = row
  const behind =
    waitingApprovals === 0 ? '' : `${' '.repeat(shownIdChars + 2)}and ${waitingApprovals} more behind these\n`
  const questions = row.openQuestions.map(
    (question) =>
      `${' '.repeat(shownIdChars + 2)}asks: ${question} (${isAside(question) ? 'a question, snoozed' : 'a question'})\n`,
  )
  const mark = isLive(row.status as 'active') ? modeMark(row.policyMode, now.getTime()) : undefined
  const mode = mark === undefined ? '' : `${' '.repeat(shownIdChars + 2)}${mark}\n`
  const news = unread === 0 ? '' : `${' '.repeat(shownIdChars + 2)}${unread} unread\n`
  const review = rowAwaitsReview(row)
    ? `${' '.repeat(shownIdChars + 2)}waits for a review: hotline changes ${row.session.slice(0, shownIdChars)}\n`
    : ''
  return `${id}  ${state.padEnd(14)} ${turn.padEnd(12)} ${elapsedOf(row, now).padEnd(8)} ${inLine(row.agent).padEnd(10)} ${inLine(row.title)}\n${mode}${news}${approvals}${behind}${questions.join('')}${review}`
}

/** From its start until now, or until it was over. */
function elapsedOf({ status, createdAt, since }: SessionRow, now: Date): string {
  const untilMs = isLive(status as 'active') ? now.getTime() : Date.parse(since)
  return elapsedText(untilMs - Date.parse(createdAt))
}

/** Where it stands, with why where that is not what everybody hopes for. */
function standing(row: SessionRow): string {
  if (row.ending !== null) return `ending (${inLine(row.ending)})`
  const why = whyOver(row)
  return why === undefined ? inLine(row.status) : `${inLine(row.status)} (${inLine(why)})`
}
