import type { Actor } from '@hotline/protocol/actor'
import type { ApprovalOutcome, ApprovalRequest, Scope, Strength, Verdict } from '@hotline/protocol/events/approval'
import type { DraftFile, ReviewedFile, WasMerged, WouldMerge } from '@hotline/protocol/events/draft'
import type { Attachment } from '@hotline/protocol/attachment'
import type { Quote } from '@hotline/protocol/events/message'
import type { LeftOut, Moment, PlannedFile, RestoredFile, UndoTarget } from '@hotline/protocol/events/checkpoint'
import type { ControlAction, PauseMoment } from '@hotline/protocol/events/control'
import type { PolicyModeName } from '@hotline/protocol/policy-mode'
import type { TreeReach } from '@hotline/protocol/process-tree'
import type { Risk } from '@hotline/protocol/risk'
import type { OutputSource } from '@hotline/protocol/events/output'
import type { ChangeReason, Exit } from '@hotline/protocol/events/session'
import type { FileChange, StepKind, StepOutcome, TurnEnd } from '@hotline/protocol/events/turn'
import type { SessionStatus } from '@hotline/protocol/session-status'
import type { GivenSign } from '../session/said.ts'

/** What all items share. `key` names the item for good: screens use it, and later events find it by it. */
interface Placed {
  key: string
  /** Position of the event that brought it. */
  seq: number
  at: string
}

/** A message, or as much of it as has come. */
export interface MessageItem extends Placed {
  kind: 'message'
  message: string
  role: 'person' | 'agent' | 'system'
  by: Actor
  channel?: string | undefined
  text: string
  /** True while more of it may come. */
  streaming: boolean
  /** True where it ended in the middle, because its writer was gone. */
  isBrokenOff?: boolean | undefined
  /** True where the text was erased. */
  erased: boolean
  /** For a person's message to an agent. `unread`: the session ended while it waited. */
  delivery?: 'queued' | 'delivered' | 'seen' | 'unknown' | 'withdrawn' | 'unread' | undefined
  /** Where in the log the agent took it: what waited is read there, and not where it was written. */
  takenSeq?: number | undefined
  editedAt?: string | undefined
  replyTo?: string | undefined
  /** How that one began, as it was said then. */
  quote?: Quote | undefined
  /** Absent where there are none. */
  signs?: readonly GivenSign[] | undefined
  metadata?: Record<string, unknown> | undefined
  /** Files that belong to it. */
  attachments?: readonly Attachment[] | undefined
}

/** What an agent thought aloud. */
export interface ThoughtItem extends Placed {
  kind: 'thought'
  text: string
  streaming: boolean
}

/** A tool call, from its begin to its outcome. */
export interface StepItem extends Placed {
  kind: 'step'
  step: string
  parent?: string | undefined
  stepKind: StepKind
  title: string
  input?: unknown
  output?: string | undefined
  error?: string | undefined
  changes: readonly FileChange[]
  locations: readonly string[]
  progress?: number | undefined
  outcome?: StepOutcome | undefined
  endedAt?: string | undefined
}

/** A request, and its answer once there is one. */
export interface ApprovalItem extends Placed {
  kind: 'approval'
  approval: string
  step?: string | undefined
  digest: string
  verdicts: readonly Verdict[]
  scopes: readonly Scope[]
  strength: Strength
  /** As the server sees it; absent where it did not look. */
  risk?: Risk | undefined
  expiresAt: string
  /** The agent itself waits no longer than until then. */
  agentUntil?: string | undefined
  /** Others are open and come first: nobody can decide it yet. */
  isWaiting?: boolean | undefined
  /** Absent where it was erased. */
  request?: ApprovalRequest | undefined
  outcome?: ApprovalOutcome | undefined
  scope?: Scope | undefined
  by?: Actor | undefined
  /** The mode of the session that gave the answer, and who had switched it on. */
  mode?: { mode: PolicyModeName; by: Actor } | undefined
  /** A rule of the server gave it; absent where one of the project did. */
  ruleOf?: 'server' | undefined
  channel?: string | undefined
  resolvedAt?: string | undefined
  reason?: string | undefined
  modifiedInput?: string | undefined
  /** Who has taken back that it was allowed. Where `dispatch` is `dispatched`, that was too late. */
  recalledBy?: Actor | undefined
  /** Whether the agent has the answer. */
  dispatch?: 'dispatched' | 'refused' | 'unknown' | undefined
}

/** It is asked now: a person can decide it. */
export function isOpenApproval(item: Item): item is ApprovalItem {
  return item.kind === 'approval' && item.outcome === undefined && item.isWaiting !== true
}

/** A question of the agent, and its answer. */
export interface QuestionItem extends Placed {
  kind: 'question'
  question: string
  text: string
  schema?: Record<string, unknown> | undefined
  action?: 'accept' | 'decline' | 'cancel' | 'withdrawn' | undefined
  content?: unknown
  by?: Actor | undefined
  resolvedAt?: string | undefined
}

/** Output that came without anything in between, as one block. */
export interface OutputItem extends Placed {
  kind: 'output'
  source: OutputSource
  encoding: 'utf8' | 'base64'
  /** In order; each as it was appended. */
  chunks: readonly string[]
  bytes: number
}

/** What somebody typed into the terminal. */
export interface InputItem extends Placed {
  kind: 'input'
  by: Actor
  encoding: 'utf8' | 'base64'
  text: string
}

/** The agent's plan as it stood then. */
export interface PlanItem extends Placed {
  kind: 'plan'
  entries: readonly { text: string; status: 'pending' | 'in_progress' | 'completed' }[]
}

/** The thin line at the end of a turn. */
export interface TurnItem extends Placed {
  kind: 'turn'
  turn: string
  startedAt?: string | undefined
  end: TurnEnd
  error?: string | undefined
  /** What the agent says that it changed in the turn, as one git patch. */
  patch?: string | undefined
}

/** A change of the session's state. */
export interface StateItem extends Placed {
  kind: 'state'
  from: SessionStatus
  to: SessionStatus
  reason: ChangeReason
  exit?: Exit | undefined
  by: Actor
  note?: string | undefined
}

/** Something that a person wanted done to the agent, and what became of it. */
export interface ControlItem extends Placed {
  kind: 'control'
  control: string
  action: ControlAction
  /** For a pause; absent: at once. */
  when?: PauseMoment | undefined
  /** For `set_mode`. */
  mode?: string | undefined
  by: Actor
  /** How many processes it was done to, and how far that reaches. */
  found?: { reach?: TreeReach | undefined; processes?: number | undefined } | undefined
  /** For an interrupt that had to go further: so many processes of the turn were ended. */
  ended?: number | undefined
  /** For an interrupt that went further still: the agent itself got a signal. */
  agent?: true | undefined
  /** For an interrupt: that it went further was asked for. */
  hard?: boolean | undefined
  outcome?: 'done' | 'failed' | undefined
  reason?: string | undefined
}

/** The files were snapshot, and were others than before. */
export interface CheckpointItem extends Placed {
  kind: 'checkpoint'
  checkpoint: string
  moment: Moment
  turn?: string | undefined
  step?: string | undefined
  files: number
  changed: number
}

/** There is no snapshot, and why. */
export interface SkippedItem extends Placed {
  kind: 'skipped'
  note: string
}

/** Where the agent works, or what became of that place when the session was over; one sentence in each line. */
export interface PlaceItem extends Placed {
  kind: 'place'
  phase: 'prepared' | 'removed' | 'kept'
  lines: readonly string[]
  /** Absent where it was erased. */
  folder?: string | undefined
  branch?: string | undefined
}

/** Going back that somebody asked for: what it would do, and what became of it. */
export interface UndoItem extends Placed {
  kind: 'undo'
  undo: string
  by: Actor
  to: UndoTarget
  phase: 'wanted' | 'planned' | 'approved' | 'refused' | 'dropped' | 'done'
  digest?: string | undefined
  /** Files that would go back, all told; the ones that are named may be fewer. */
  count: number
  asks: number
  files: readonly PlannedFile[]
  changes: readonly FileChange[]
  cannot: readonly string[]
  leftOut: readonly LeftOut[]
  reason?: string | undefined
  /** The snapshot of how it was before, to go back to. */
  before?: string | undefined
  outcomes: readonly RestoredFile[]
}

/** What the machine that a session was taken over from delivered afterwards. It is no part of the conversation. */
export interface RecoveredItem extends Placed {
  kind: 'recovered'
  /** Of the machine. */
  runner: string
  /** All that came. */
  count: number
  /** Each as a line; of many, the last. */
  lines: readonly string[]
}

/** The agent made the same call again and again. */
export interface LoopItem extends Placed {
  kind: 'loop'
  times: number
  title: string
}

/** How much the session may use up, or how far it has. */
export interface BudgetItem extends Placed {
  kind: 'budget'
  what: 'changed' | 'warned' | 'exhausted'
  by: Actor
  /** In words: all limits, or what is used of one. */
  words: string
}

/** What is not asked in the session any more, or is again. */
export interface ModeItem extends Placed {
  kind: 'mode'
  mode: PolicyModeName
  until?: string | undefined
  /** Its time was over, and nobody said so. */
  isOver: boolean
  by: Actor
}

/** What the agent changed, up for review: what there is, and what became of it. */
export interface DraftItem extends Placed {
  kind: 'draft'
  draft: string
  by: Actor
  phase: 'wanted' | 'ready' | 'reviewed' | 'refused' | 'dropped' | 'done'
  /** Somebody has decided, whatever came of it. */
  isDecided?: boolean | undefined
  /** The turn at whose end it was made by itself. */
  turn?: string | undefined
  /** The agent has asked for it and waits, and what it says of it. */
  waits?: boolean | undefined
  note?: string | undefined
  digest?: string | undefined
  /** All told; the ones that are named may be fewer. */
  count: number
  /** Lines that came and went in all of them, where they were counted. */
  added?: number | undefined
  removed?: number | undefined
  files: readonly DraftFile[]
  changes: readonly FileChange[]
  outcomes: readonly ReviewedFile[]
  reason?: string | undefined
  before?: string | undefined
  /** The branch on which what is kept can be committed, or was. */
  branch?: string | undefined
  /** Others that it could be merged into, the one that is checked out first. */
  branches?: readonly string[] | undefined
  /** The commit in which is what was kept, and why it is not all of it. */
  commit?: string | undefined
  /** How its branch would merge into the one that was chosen, or into the one that is checked out in the repository. */
  merge?: WouldMerge | undefined
  /** Where it was merged, or why it was not. */
  merged?: WasMerged | undefined
  unmerged?: string | undefined
  uncommitted?: string | undefined
}

/** The server's own words. */
export interface NoticeItem extends Placed {
  kind: 'notice'
  code: string
  text: string
}

/** One thing in a conversation, as a screen shows it. */
export type Item =
  | MessageItem
  | ThoughtItem
  | StepItem
  | ApprovalItem
  | QuestionItem
  | OutputItem
  | InputItem
  | PlanItem
  | TurnItem
  | StateItem
  | ControlItem
  | CheckpointItem
  | SkippedItem
  | PlaceItem
  | UndoItem
  | DraftItem
  | RecoveredItem
  | BudgetItem
  | ModeItem
  | LoopItem
  | NoticeItem
