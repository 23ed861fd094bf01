import type { Actor } from '@hotline/protocol/actor'
import type { AcceptedFacts } from '@hotline/protocol/command-answer'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import type { ApprovalTimeouts, HeldRule } from '@hotline/protocol/policy'
import { type ErrorCode, type Problem, problem } from '@hotline/protocol/error'
import type { KnownDraft } from '@hotline/protocol/events'
import type { ReadPlace } from './account/read-mark.ts'
import type { Upload } from './session/attachments.ts'
import type { SaidById } from './session/said.ts'
import type { Board } from './task/board.ts'

/** What the rules may know besides the state: all of it given, so that the same question has the same answer. */
export interface Context {
  /** RFC 3339, UTC, milliseconds. */
  now: string
  /** Position of the last event of the stream, the one that is decided upon; absent where nobody has said. */
  head?: number | undefined
  actor: Actor
  channel?: string | undefined
  /** Hex SHA-256 of the UTF-8 bytes of a text. */
  sha256: (text: string) => string
  /** The rules that count for the project of the session, in their order; absent where nobody has looked. */
  rules?: readonly HeldRule[] | undefined
  /** Whether who answers may allow what is of high risk, or in a sentence why not. Absent: nobody looked, so they may not. */
  allowHigh?: true | string | undefined
  /** How long people have to answer an approval of the project; absent where nobody has looked. */
  approvalTimeouts?: ApprovalTimeouts | undefined
  /** Approvals of a session that are open at once, and that may wait for their turn; absent: as in `limits`. */
  approvalLimits?: { open: number; waiting: number } | undefined
  /**
   * Asks that are open, by session and id (`askKey`), where somebody wants to put them aside; `endsMs`: when their time is
   * over, in wall milliseconds; absent where it never is.
   */
  openAsks?: ReadonlyMap<string, { project: string; endsMs?: number }> | undefined
  /** Places up to which somebody says to have read, by session and event (`placeKey`). */
  readTo?: ReadonlyMap<string, ReadPlace> | undefined
  /** Cards that there are, with their projects, where a session shall belong to one; absent where nobody has looked. */
  cards?: ReadonlyMap<string, string> | undefined
  /** The board that a card is on; absent where nobody has looked. */
  board?: Board | undefined
  /** Messages of the session that commands are about; absent where nobody has looked. */
  said?: SaidById | undefined
  /** Files of the session that commands name, as far as they were uploaded; absent where nobody has looked. */
  uploads?: readonly Upload[] | undefined
  /** Of accounts that commands name, those that are not there. */
  strangers?: ReadonlySet<string> | undefined
  /** What open approvals ask, by their ids, where it is needed. */
  asked?: ReadonlyMap<string, ApprovalRequest> | undefined
}

/** What a command means now: events, or a refusal that says why and what to do. Never both. */
export type Decision =
  | { ok: true; events: readonly KnownDraft[]; facts?: AcceptedFacts }
  | { ok: false; problem: Problem }

/** It happens: these events, in order; none where it is so already. */
export function accept(...events: KnownDraft[]): Decision {
  return { ok: true, events }
}

/** It does not happen; nothing is written. */
export function refuse(code: ErrorCode, detail: string, facts?: Record<string, unknown>): Decision {
  return { ok: false, problem: problem(code, detail, facts) }
}
