import type { Budget, BudgetName } from '@hotline/protocol/budget'
import type { Actor } from '@hotline/protocol/actor'
import type { Capabilities } from '@hotline/protocol/capabilities'
import type { ApprovalOutcome, Scope, Strength, Verdict } from '@hotline/protocol/events/approval'
import type { UndoTarget } from '@hotline/protocol/events/checkpoint'
import type { ControlAction, PauseKind, PauseMoment } from '@hotline/protocol/events/control'
import type { ChangeReason, Exit } from '@hotline/protocol/events/session'
import type { FileFence, TreeReach } from '@hotline/protocol/process-tree'
import type { Isolation } from '@hotline/protocol/place'
import type { PolicyModeName } from '@hotline/protocol/policy-mode'
import type { Risk } from '@hotline/protocol/risk'
import type { SessionStatus } from '@hotline/protocol/session-status'

/** A message that waits for the agent. Its text is in the log, not here. */
export interface QueuedMessage {
  message: string
  by: Actor
  /** How often its text was changed: a claim names the text that the agent will get by it. Absent: never. */
  edits?: number | undefined
  /** It shall not wait for the end of the turn. */
  hurried?: boolean | undefined
}

/** An approval that is open, or decided and not yet handed to the agent. */
export interface PendingApproval {
  approval: string
  step?: string | undefined
  digest: string
  contextDigest: string
  verdicts: readonly Verdict[]
  scopes: readonly Scope[]
  strength: Strength
  risk?: Risk | undefined
  requestedAt: string
  /** When its time began, where it had waited behind others until then. */
  openedAt?: string | undefined
  expiresAt: string
  /** The agent itself waits no longer than until then. */
  agentUntil?: string | undefined
  /** It is about settings of a folder, of this digest. */
  trusts?: string | undefined
  /** Absent while it is open. */
  outcome?: ApprovalOutcome | undefined
  /** Who has taken back that it was allowed; whether the agent has the answer all the same, its runner says. */
  recalledBy?: Actor | undefined
  /** A rule or a mode has answered it, and no person waits for what becomes of that. */
  byPolicy?: true | undefined
}

/** An approval that nobody can decide yet, because others are open. */
export interface WaitingApproval extends PendingApproval {
  /** The place of its request in the stream: all else of it is there. */
  seq: number
}

/** Who answered, for the second one who tries. The last fifty are kept. */
export interface ResolvedApproval {
  approval: string
  outcome: ApprovalOutcome
  /** Of settings of a folder: their digest, and how far an allowance reaches. */
  trusts?: { digest: string; scope: Scope } | undefined
  by: Actor
  channel?: string | undefined
  at: string
  /** The place of its event in the stream; absent where a Hotline kept it that did not note it. */
  seq?: number | undefined
}

/** Tokens, room in the agent's memory, and cost. An agent may tell some of them. */
export interface Usage {
  inputTokens?: number | undefined
  outputTokens?: number | undefined
  contextUsed?: number | undefined
  contextSize?: number | undefined
  cost?: { amount: number; currency: string } | undefined
}

/** `wanted`: its runner looks what it would do; `planned`: a person has to look at that; `approved`: it is being done. */
export interface Undo {
  undo: string
  phase: 'wanted' | 'planned' | 'approved'
  to: UndoTarget
  /** Of what was shown. */
  digest?: string | undefined
}

/** `wanted`: its runner looks what there is; `ready`: a person has to look at that; `reviewed`: it is being done. */
export interface Draft {
  draft: string
  phase: 'wanted' | 'ready' | 'reviewed'
  /** Of what was shown. */
  digest?: string | undefined
  /** How many files were shown. */
  files?: number | undefined
  /** The agent waits for it in the middle of its work. */
  waits?: boolean | undefined
}

/** A mode with who said it and when; `seq`: where in the log. */
export interface StandingMode {
  mode: PolicyModeName
  /** Of hands-free: its end, RFC 3339, UTC. */
  until?: string | undefined
  by: Actor
  at: string
  seq: number
}

/**
 * What the rules know of a session. It stays small whatever the length of the session: ids, digests and counters, never
 * text of a conversation, never output.
 */
export interface SessionState {
  kind: 'session'
  session: string
  project: string
  task?: string | undefined
  agent: string
  /** The runner that must take it, or that holds it. */
  runner?: string | undefined
  /** What that runner has to be, or have; absent: anything. */
  labels?: readonly string[] | undefined
  title: string
  status: SessionStatus
  /** Since when it is in this status, and why. */
  since: string
  reason?: ChangeReason | undefined
  exit?: Exit | undefined
  createdAt: string
  /** All that was in it is erased, and nothing has come since. */
  erased?: true | undefined
  personMessageChars: number
  agentMessageChars: number
  approvalTimeoutMs: number
  /** Who started it; absent where a Hotline kept it that did not note it. */
  startedBy?: Pick<Actor, 'kind' | 'id'> | undefined
  /** It was started as something that asks nobody, by somebody with the right to decide. */
  unasked?: boolean | undefined
  /** It was started to be without a fence. */
  unfenced?: boolean | undefined
  /** Who wants its edits to be free once its place is its own and behind a fence; absent where nobody does, or they are by now. */
  freeEdits?: Actor | undefined
  /** It completes by itself at the end of its agent's turn; absent where somebody ends it. */
  endsAfter?: 'turn' | undefined
  /** How the place is its own where it works; absent until that is there. */
  isolation?: Isolation | undefined
  /** Absent until an adapter has spoken. */
  capabilities?: Capabilities | undefined
  mode?: string | undefined
  modes?: readonly { id: string; name: string }[] | undefined
  model?: string | undefined
  pid?: number | undefined
  startedAt?: string | undefined
  /** How far stopping and ending its processes reaches. */
  reach?: TreeReach | undefined
  /** What it is kept from. */
  fence?: FileFence | undefined
  /** How it is paused; absent where it is not. */
  paused?: { kind: PauseKind; reach?: TreeReach | undefined; processes?: number | undefined } | undefined
  native?: string | undefined
  lease?: { runner: string; fence: number } | undefined
  /** Leases that a person took away, newest last: what their runners still deliver is kept beside. */
  former?: readonly { runner: string; fence: number }[] | undefined
  staleSince?: string | undefined
  /** Who types into the terminal, from which window, since when; absent while nobody has taken the keyboard. */
  keyboard?: { keyboard: string; by: Actor; since: string } | undefined
  turn?: { turn: string; since: string; message?: string | undefined } | undefined
  /** A turn for which the agent has its message, and that it has not begun yet; absent where there is none. */
  begins?: string | undefined
  queue: readonly QueuedMessage[]
  /** Ids of steps whose end was not told; absent where there are none. */
  steps?: readonly string[] | undefined
  /** Messages and thoughts (`message:<id>`, `thought:<id>`) that are still being written; absent where there are none. */
  texts?: readonly string[] | undefined
  approvals: readonly PendingApproval[]
  /** Approvals that wait until one of those before them is closed, the oldest first; absent where there are none. */
  waiting?: readonly WaitingApproval[] | undefined
  resolved: readonly ResolvedApproval[]
  questions: readonly { question: string; askedAt: string }[]
  /** Asked of the runner and not yet answered by it. */
  controls: readonly {
    control: string
    action: ControlAction
    when?: PauseMoment | undefined
    hard?: boolean | undefined
  }[]
  /** A person has ended it and the runner has not yet said that nothing is left running. */
  ending?: 'aborted' | 'completed' | undefined
  /** A person wants an interrupted session to be taken up again. */
  resuming: boolean
  /** Snapshots that there are of its files; absent where none was needed yet. */
  checkpoints?: number | undefined
  /** Going back that somebody asked for, from the question to the deed; one at a time. */
  undo?: Undo | undefined
  /** Changes that are up for review; one at a time. */
  draft?: Draft | undefined
  /** Files that are others than at the start because of its agent, as was last told; absent where nobody knows it now. */
  changed?: number | undefined
  /** What is not asked in it, as was said last; absent where nobody has said anything, and everything is asked. */
  policyMode?: StandingMode | undefined
  /** As the agent last told it, of the whole session; absent where it tells nothing. */
  usage?: Usage | undefined
  /** How much it may use up; absent: as much as it wants. */
  budget?: Budget | undefined
  /**
   * What it has used beside what `counts` and `usage` say; `since`: it works since then, and that is not in `timeMs` yet;
   * `diskBytes`: as was last told, which is from where most of its budget is used.
   */
  spent?:
    | { timeMs: number; outputBytes: number; diskBytes?: number | undefined; since?: string | undefined }
    | undefined
  /** Budgets of which most is used, as was said. */
  warned?: readonly BudgetName[] | undefined
  /** The one that is used up: the agent is held, or will be before its next step. */
  exhausted?: { budget: BudgetName; used: number; limit: number } | undefined
  counts: { messages: number; turns: number; steps: number; approvals: number }
}

/** Approvals that still need a person. */
export function openApprovals(state: SessionState): readonly PendingApproval[] {
  return state.approvals.filter((approval) => approval.outcome === undefined)
}

/** Approvals whose time runs: open ones, and of those that wait for their turn the ones whose agent waits no longer. */
export function timedApprovals(state: SessionState): readonly PendingApproval[] {
  const limited = state.waiting?.filter(({ agentUntil }) => agentUntil !== undefined) ?? []
  return [...openApprovals(state), ...limited]
}

/** Approvals that a person has answered, and whose agent does not have the answer yet. */
export function answersUnderWay(state: SessionState): readonly PendingApproval[] {
  return state.approvals.filter(({ outcome, byPolicy }) => outcome !== undefined && byPolicy === undefined)
}

/** The agent has put its changes up for review and waits for a person. */
export function awaitsReview({ draft }: SessionState): boolean {
  return draft?.phase === 'ready' && draft.waits === true
}

/**
 * What the agent is doing: nothing, its turn, or waiting for a person in the middle of it, as where a budget is used up. A program knows no turns: while it
 * runs it is at work, for all that anybody can tell. Where there is no process, a file is `watched`, and nobody can tell.
 */
export function turnOf(state: SessionState): 'idle' | 'running' | 'waiting' | 'watched' {
  const isAsked = state.status === 'paused' && state.exhausted !== undefined
  if (openApprovals(state).length > 0 || state.questions.length > 0 || isAsked || awaitsReview(state)) return 'waiting'
  if (state.turn) return 'running'
  const input = state.status === 'active' ? (state.capabilities?.input ?? 'turns') : 'turns'
  if (input === 'turns') return 'idle'
  return input === 'none' && state.pid === undefined ? 'watched' : 'running'
}
