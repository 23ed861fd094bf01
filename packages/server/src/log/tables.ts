import type { Role } from '@hotline/protocol/actor'
import type { KeyKind } from '@hotline/protocol/events/server'
import type { TaskColumn, TaskPriority } from '@hotline/protocol/task'

/** The lists that are written together with the events that change them. All times are RFC 3339 text. */
export interface SessionTable {
  session: string
  project: string
  task: string | null
  agent: string
  runner: string | null
  title: string
  status: string
  turn: string
  /** JSON arrays of ids. */
  open_approvals: string
  open_questions: string
  /** Approvals that wait behind the open ones. */
  waiting_approvals: number
  /** Approvals that a person has answered, and whose agent does not have the answer yet. */
  answers_under_way: number
  /** When the oldest open approval was asked for. */
  oldest_approval_at: string | null
  /** Open approvals and questions, for the order of lists. */
  needs: number
  stale_since: string | null
  /** 1 where somebody wants an interrupted session to be taken up again. */
  resuming: number
  since: string
  reason: string | null
  /** As JSON. */
  exit: string | null
  ending: string | null
  /** What is not asked in it, as JSON; null where everything is. */
  policy_mode: string | null
  /** The position of its stream that its card has to be told of; 0 where it knows, or where there is none. */
  untold: number
  created_at: string
  updated_at: string
}

/** A project. */
export interface ProjectTable {
  project: string
  name: string
  created_at: string
}

/** Who has which role in a project. */
export interface MemberTable {
  project: string
  account: string
  role: Role
}

/** A card on a board. */
export interface TaskTable {
  task: string
  project: string
  title: string
  column_name: TaskColumn
  position: string
  priority: TaskPriority
  /** JSON array. */
  labels: string
  /** As JSON; null where nobody shall do it. */
  assignee: string | null
  /** JSON array, the newest first. */
  sessions: string
  created_at: string
  updated_at: string
}

/** Open approvals with their deadlines: the inbox, and what the timers read after a restart. */
export interface ApprovalTable {
  approval: string
  session: string
  project: string
  expires_at: string
  requested_at: string
}

/** A person who may sign in. */
export interface AccountTable {
  account: string
  name: string
  /** Lower case; unique. */
  name_key: string
  /** PHC string (argon2id). */
  password: string
  admin: number
  disabled: number
  /** Grows with every change of password, role or membership; credentials of an older version are dead. */
  access_version: number
  created_at: string
}

/** A credential: a browser's session, a personal token, a key of a service or of a runner. */
export interface KeyTable {
  key: string
  kind: KeyKind
  /** The account it acts for; null for runners. */
  account: string | null
  name: string
  /** SHA-256 of the secret. */
  secret_hash: string
  /** JSON arrays. */
  scopes: string
  projects: string | null
  created_at: string
  expires_at: string
  /** For browser sessions: the idle end, moved forward by use. */
  idle_expires_at: string | null
  last_used_at: string | null
  last_used_from: string | null
  revoked_at: string | null
}

/** Facts of which there is one: that the first account was claimed, the server's own id, … */
export interface FactTable {
  name: string
  value: string
}

/** Where the lines of the audit lie in the log: one for each event that it lists, written with the event. */
export interface AuditTable {
  stream: string
  seq: number
  at: string
  type: string
  /** The id of whoever did it. */
  actor: string
  /** Null for what belongs to the server. */
  project: string | null
  /** The address that it came from, where that is known. It is no part of the event: followers do not see it. */
  address: string | null
}

/** The second factor of a person. */
export interface SecondFactorTable {
  account: string
  /** Sealed. */
  secret: string
  /** Time step of the last code that was taken: none is good twice. */
  last_step: number
  /** JSON array of SHA-256, of the recovery codes that are left. */
  recovery: string
  /** When it was turned on; null while the first code has not been shown. */
  since: string | null
}

/** What a session had used up at the end of a day, or has until now, as its agent told it. */
export interface UsageTable {
  session: string
  /** `2026-11-23`, UTC. */
  day: string
  project: string
  agent: string
  /** The account or the service that started it; null where nobody knows. */
  starter: string | null
  input_tokens: number
  output_tokens: number
  /** Null where its agent tells none. */
  cost: number | null
  currency: string | null
}

/** What a channel was sent of an open request, or may have been. */
export interface DeliveryTable {
  /** Its kind and its name: `webhook:ops`. */
  channel: string
  session: string
  approval: string
  state: 'sending' | 'shown' | 'refused'
}

/** How far a webhook has got in a stream, and how its next event fares. */
export interface WebhookCursorTable {
  webhook: string
  stream: string
  /** All up to here has arrived, was not wanted, or was given up. */
  seq: number
  /** Where the next event that is wanted stands, and how often it was tried; both 0 where none failed. */
  next_seq: number
  tries: number
  due_at: string | null
  why: string | null
}

/** What a webhook gave up. */
export interface WebhookLetterTable {
  webhook: string
  stream: string
  seq: number
  tries: number
  why: string
}

/** A file that somebody has uploaded to a session. */
export interface AttachmentTable {
  session: string
  digest: string
  name: string
  /** Kind and id. */
  uploader: string
  project: string
  type: string
  bytes: number
  uploaded_at: string
  /** Null while no message names it. */
  sent_at: string | null
}

/** The rows of each table. */
export interface Tables {
  sessions: SessionTable
  projects: ProjectTable
  members: MemberTable
  tasks: TaskTable
  approvals: ApprovalTable
  accounts: AccountTable
  keys: KeyTable
  facts: FactTable
  audit: AuditTable
  deliveries: DeliveryTable
  second_factors: SecondFactorTable
  usage_days: UsageTable
  webhook_cursors: WebhookCursorTable
  webhook_letters: WebhookLetterTable
  attachments: AttachmentTable
}

/** The name of a table, as it is in the database. */
export type TableName = keyof Tables

/** `insert` refuses the whole append as a conflict where the row exists; `put` writes over it. */
export type RowChange = {
  [T in TableName]:
    | { table: T; insert: Tables[T] }
    | { table: T; put: Tables[T] }
    | { table: T; set: Partial<Tables[T]>; where: Partial<Tables[T]> }
    | { table: T; drop: Partial<Tables[T]> }
}[TableName]
