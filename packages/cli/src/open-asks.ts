import type { SessionRow } from '@hotline/protocol/http'
import { namedBy } from './find-id.ts'

/** Something that waits for a person. */
export interface OpenAsk {
  session: string
  /** Of the approval or the question. */
  id: string
}

/** What waits for an answer, in one session or in all. */
export interface OpenAsks {
  approvals: readonly OpenAsk[]
  questions: readonly OpenAsk[]
}

/**
 * What is asked under an id of an approval, a question or a session, or the beginning of one; without one, everything.
 * Undefined where nothing has that name. Throws a `Failure` for too little of an id.
 */
export function openAsks(rows: readonly SessionRow[], text?: string): OpenAsks | undefined {
  const all: OpenAsks = {
    approvals: rows.flatMap(({ session, openApprovals }) => openApprovals.map((id) => ({ session, id }))),
    questions: rows.flatMap(({ session, openQuestions }) => openQuestions.map((id) => ({ session, id }))),
  }
  if (text === undefined) return all
  const named = new Set(namedBy(text, [...all.approvals, ...all.questions], ({ id }) => id))
  if (named.size > 0) return filterAsks(all, (ask) => named.has(ask))
  const sessions = namedBy(text, rows, ({ session }) => session).map(({ session }) => session)
  return sessions.length === 0 ? undefined : filterAsks(all, ({ session }) => sessions.includes(session))
}

function filterAsks({ approvals, questions }: OpenAsks, isWanted: (ask: OpenAsk) => boolean): OpenAsks {
  return { approvals: approvals.filter(isWanted), questions: questions.filter(isWanted) }
}
