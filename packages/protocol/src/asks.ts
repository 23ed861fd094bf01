import { z } from 'zod'
import { StoredEnvelope } from './http.ts'
import { Digest } from './events/approval.ts'
import { Problem } from './problem.ts'
import { Accepted } from './command-answer.ts'
import { Risk } from './risk.ts'
import { Id } from './ids.ts'

/** Something that an agent asks of people and nobody has answered, as far as the log says it. */
export const AskRow = z.object({
  kind: z.enum(['approval', 'question']),
  /** Of the approval or the question. */
  ask: z.string(),
  session: z.string(),
  project: z.string(),
  agent: z.string(),
  /** Of the session. */
  title: z.string(),
  askedAt: z.string(),
  /** As the server sees it; null for a question, and where it did not look. */
  risk: Risk.nullable(),
  /** The session is paused, and nobody's time to answer runs. */
  timeStands: z.boolean(),
  /** The step for which it is asked, where that is a sub-agent's. */
  subAgent: z.string().nullable(),
  /** The person who asks has put it aside until then; null where they have not, and for all who are no person. */
  snoozedUntil: z.string().nullable(),
  /** What comes of it is in the session's stream after this. */
  cursor: z.string(),
  /** How it was asked, and what was said of it last, word for word as the log has it. */
  events: z.array(StoredEnvelope),
})
export type AskRow = z.infer<typeof AskRow>

/** Sessions that one asks about by name at once. */
export const askedSessionsMax = 50

/** `GET /api/asks`: all that is asked in the projects of the caller, or in the sessions that are named. */
export const AskPage = z.object({
  asks: z.array(AskRow),
  /** `before` of the next page; null at the end. */
  next: z.string().nullable(),
})
export type AskPage = z.infer<typeof AskPage>

/** An ask that a person has put aside for themselves. */
const Snooze = z.object({
  project: z.string(),
  session: z.string(),
  /** Of the approval or the question; it may have been answered meanwhile. */
  ask: z.string(),
  /** When it comes back by itself, RFC 3339, UTC. */
  until: z.string(),
})
export type Snooze = z.infer<typeof Snooze>

/** `GET /api/snoozes`: what the caller has put aside, in projects that they may read. */
export const SnoozePage = z.object({
  snoozes: z.array(Snooze),
  /** What comes after is in the caller's own stream; null where that is not begun (`account.begin`), or not theirs to follow. */
  cursor: z.string().nullable(),
})
export type SnoozePage = z.infer<typeof SnoozePage>

/** How many approvals wait for people, and how many answers for agents. */
const QueueCounts = z.object({
  /** People can decide them now. */
  open: z.int(),
  /** They wait behind the open ones of their session. */
  waiting: z.int(),
  /** Open and waiting. */
  pending: z.int(),
  /** A person has answered them, and their agent does not have the answer yet. */
  processing: z.int(),
  /** When the oldest open one was asked for; null where none is. */
  oldestAt: z.string().nullable(),
})

/** Sessions that are told of one by one; the counts over all of them are of all. */
export const queueSessionsMax = 500

/** `GET /api/asks/status`: over all projects of the caller, or one; and by session, the oldest first. */
export const QueueStatus = QueueCounts.extend({
  sessions: z.array(QueueCounts.extend({ session: z.string(), project: z.string() })),
})
export type QueueStatus = z.infer<typeof QueueStatus>

/** Answers that are given at once. */
export const decisionsMax = 50

/** One of many answers: to one approval, bound to the digest of what was shown of it. */
const ManyDecision = z.strictObject({
  /** The id of its command, made by the sender: sent again, it happens once. */
  id: Id,
  session: Id,
  approval: Id,
  digest: Digest,
  verdict: z.enum(['allow', 'deny']),
  reason: z.string().max(2_000).optional(),
})
export type ManyDecision = z.infer<typeof ManyDecision>

/** `POST /api/approvals/decide`: each is decided by itself; what becomes of one changes nothing of the others. */
export const DecideManyBody = z.strictObject({ decisions: z.array(ManyDecision).min(1).max(decisionsMax) })

/** What became of each, in their order. */
export const DecideManyAnswer = z.object({
  outcomes: z.array(
    z.discriminatedUnion('ok', [
      z.object({ ok: z.literal(true), approval: z.string(), accepted: Accepted }),
      z.object({ ok: z.literal(false), approval: z.string(), problem: Problem }),
    ]),
  ),
})
export type DecideManyAnswer = z.infer<typeof DecideManyAnswer>
