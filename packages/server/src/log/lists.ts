import type { Role } from '@hotline/protocol/actor'
import type { TaskColumn } from '@hotline/protocol/task'
import { compiledOnce } from './compiled-once.ts'
import type { Kysely, Selectable } from 'kysely'
import { type AuditQuery, readAudit } from './audit-list.ts'
import { readUsage, type UsageQuery, type UsageSum } from './usage-list.ts'
import type {
  AccountTable,
  ApprovalTable,
  AuditTable,
  DeliveryTable,
  KeyTable,
  ProjectTable,
  SecondFactorTable,
  SessionTable,
  Tables,
  TaskTable,
} from './tables.ts'
import { type AttachmentRows, attachmentRows } from './attachment-rows.ts'
import { type WebhookRows, webhookRows } from './webhook-rows.ts'

/** Where a page of sessions ended. */
export interface SessionPosition {
  updatedAt: string
  session: string
}

/** Which sessions; everything that is absent means all. */
export interface SessionQuery {
  projects: readonly string[]
  sessions?: readonly string[] | undefined
  statuses?: readonly string[] | undefined
  /** `open`: only those with an open approval or question. */
  needs?: 'open' | undefined
  /** The page after this one. */
  after?: SessionPosition | undefined
  limit: number
}

/** A page of the list of sessions. */
export interface SessionListPage {
  /** Changed last comes first. */
  sessions: readonly SessionTable[]
  /** Where the next page goes on; absent at the end. */
  next: SessionPosition | undefined
}

/** Where a page of cards ended. */
export type TaskPosition = Pick<TaskTable, 'column_name' | 'position' | 'task'>

/** Which sessions, for whoever counts pages; everything that is absent means all. */
export interface HistoryQuery {
  projects: readonly string[]
  statuses?: readonly string[] | undefined
  turns?: readonly string[] | undefined
  /** RFC 3339, UTC: created at or after, and before. */
  from?: string | undefined
  to?: string | undefined
  limit: number
  offset: number
}

/** Which cards of a project. */
export interface TaskQuery {
  project: string
  /** Absent: of all columns. */
  column?: TaskColumn | undefined
  /** The page after this one. */
  after?: TaskPosition | undefined
  limit: number
}

/** A page of cards. */
export interface TaskListPage {
  tasks: readonly TaskTable[]
  /** Where the next page goes on; absent at the end. */
  next: TaskPosition | undefined
}

/** How a key was used just now; what is absent stays as it is. */
export interface KeyUse {
  key: string
  usedAt: string
  usedFrom: string
  idleExpiresAt?: string | undefined
}

/** A session that waits. `priority`: null where it is for no card. */
export type QueuedRow = Pick<SessionTable, 'session' | 'project' | 'agent' | 'runner' | 'created_at'> & {
  priority: TaskTable['priority'] | null
}

/** Sessions of one project with one agent on one machine. */
export interface BusyRow {
  runner: string
  project: string
  agent: string
  count: number
}

/** What is read from the lists that `append` writes, and the two changes that are no events. All can throw `StoreUnavailable`. */
export interface Lists extends WebhookRows, AttachmentRows {
  session(session: string): Promise<SessionTable | undefined>
  sessions(query: SessionQuery): Promise<SessionListPage>
  /** Those that were begun last come first; `total`: how many there are in all. */
  history(query: HistoryQuery): Promise<{ sessions: readonly SessionTable[]; total: number }>
  /** Sessions of these projects with an open or waiting approval, or with an answer that is not handed over; in no order. */
  queues(projects: readonly string[]): Promise<readonly SessionTable[]>
  /** Sessions that wait for this runner, or for any: queued, starting, and interrupted ones that are wanted back; oldest first. */
  waitingSessions(runner: string, limit: number): Promise<readonly SessionTable[]>
  /** Sessions that no machine has begun, the oldest first, with the priority of the card that they are for. */
  queuedSessions(limit: number): Promise<readonly QueuedRow[]>
  /** Sessions that have begun and are not over, counted. */
  busySessions(): Promise<readonly BusyRow[]>
  /** Sessions that this runner holds and that have not come to an end; oldest first. */
  heldSessions(runner: string): Promise<readonly SessionTable[]>
  /** Sessions in which something is not asked, whose agent may still be at work. */
  sessionsWithMode(): Promise<readonly SessionTable[]>
  project(project: string): Promise<ProjectTable | undefined>
  projects(): Promise<readonly ProjectTable[]>
  /** The projects of an account with its role, by name. */
  projectsOf(account: string): Promise<readonly { project: string; name: string; role: Role }[]>
  roleOf(project: string, account: string): Promise<Role | undefined>
  members(project: string): Promise<readonly { account: string; name: string; role: Role }[]>
  task(task: string): Promise<TaskTable | undefined>
  /** By column, and in each by place. */
  tasks(query: TaskQuery): Promise<TaskListPage>
  /** Its sessions, the oldest first. */
  sessionsOfTask(task: string): Promise<readonly string[]>
  /** The last place that is taken in a column; undefined where it is empty. */
  lastPlace(project: string, column: TaskColumn): Promise<string | undefined>
  /** The first place in a column after this one; undefined where that is the last. */
  nextPlace(project: string, column: TaskColumn, after: string): Promise<string | undefined>
  /** Sessions whose cards have not been told how they stand. */
  untoldSessions(limit: number): Promise<readonly Pick<SessionTable, 'session' | 'untold'>[]>
  /** The same of one session; undefined where its card knows. */
  untold(session: string): Promise<Pick<SessionTable, 'session' | 'untold'> | undefined>
  /** Open approvals, first to expire first: of these projects, or all for the timers. */
  approvals(of: { projects: readonly string[] } | 'all', limit: number): Promise<readonly ApprovalTable[]>
  /** How many sessions there are in each state that occurs, and how many approvals are open. */
  counts(): Promise<{ sessions: readonly { status: string; count: number }[]; openApprovals: number }>
  account(account: string): Promise<AccountTable | undefined>
  /** By the lower-case name. */
  accountByName(nameKey: string): Promise<AccountTable | undefined>
  accounts(): Promise<readonly AccountTable[]>
  key(key: string): Promise<KeyTable | undefined>
  /** Keys of an account, revoked ones too; null for the keys of runners. Newest first. */
  keysOf(account: string | null): Promise<readonly KeyTable[]>
  /** Lines of the audit, newest first. */
  audit(query: AuditQuery): Promise<readonly AuditTable[]>
  fact(name: string): Promise<string | undefined>
  /** What sessions used up, added up. */
  usage(query: UsageQuery): Promise<readonly UsageSum[]>
  /** The second factor of an account, also one that was only begun. */
  secondFactor(account: string): Promise<SecondFactorTable | undefined>
  /** What a channel was sent and did not take back. */
  deliveries(channel: string): Promise<readonly DeliveryTable[]>
  /** Notes the last use of a key that is not revoked. */
  noteKeyUse(use: KeyUse): Promise<void>
}

/** No runner waits for more than this at once. */
const maxHeld = 10_000

const sessionColumns = [
  'session',
  'project',
  'task',
  'agent',
  'runner',
  'title',
  'status',
  'turn',
  'open_approvals',
  'open_questions',
  'waiting_approvals',
  'answers_under_way',
  'oldest_approval_at',
  'needs',
  'stale_since',
  'resuming',
  'since',
  'reason',
  'exit',
  'ending',
  'policy_mode',
  'untold',
  'created_at',
  'updated_at',
] as const satisfies readonly (keyof SessionTable)[]
const projectColumns = ['project', 'name', 'created_at'] as const satisfies readonly (keyof ProjectTable)[]
const taskColumns = [
  'task',
  'project',
  'title',
  'column_name',
  'position',
  'priority',
  'labels',
  'assignee',
  'sessions',
  'created_at',
  'updated_at',
] as const satisfies readonly (keyof TaskTable)[]
const untoldColumns = ['session', 'untold'] as const satisfies readonly (keyof SessionTable)[]
const approvalColumns = ['approval', 'session', 'project', 'expires_at', 'requested_at'] as const
const accountColumns = [
  'account',
  'name',
  'name_key',
  'password',
  'admin',
  'disabled',
  'access_version',
  'created_at',
] as const satisfies readonly (keyof AccountTable)[]
const keyColumns = [
  'key',
  'kind',
  'account',
  'name',
  'secret_hash',
  'scopes',
  'projects',
  'created_at',
  'expires_at',
  'idle_expires_at',
  'last_used_at',
  'last_used_from',
  'revoked_at',
] as const satisfies readonly (keyof KeyTable)[]

/** The lists over either database. */
export function listsOver(db: Kysely<Tables>): Lists {
  const sessions = db.selectFrom('sessions').select(sessionColumns)
  const accounts = db.selectFrom('accounts').select(accountColumns)
  const members = db.selectFrom('members')
  const inColumn = (project: string, column: TaskColumn) =>
    db.selectFrom('tasks').select('position').where('project', '=', project).where('column_name', '=', column)
  const accountById = compiledOnce(db, accounts.where('account', '=', ''))
  const keyById = compiledOnce(db, db.selectFrom('keys').select(keyColumns).where('key', '=', ''))
  const role = compiledOnce(db, members.select('role').where('project', '=', '').where('account', '=', ''))
  const memberships = compiledOnce(
    db,
    members
      .innerJoin('projects', 'projects.project', 'members.project')
      .select(['projects.project', 'projects.name', 'members.role'])
      .where('members.account', '=', '')
      .orderBy('projects.name')
      .orderBy('projects.project'),
  )
  return {
    session: (session) => sessions.where('session', '=', session).executeTakeFirst(),
    sessions: (query) => readSessions(db, query),
    history: (query) => readHistory(db, query),
    queues: (projects) => readQueues(db, projects),
    waitingSessions: (runner, limit) =>
      sessions
        .where((row) =>
          row.or([
            row('status', '=', 'starting'),
            row.and([row('status', 'in', ['interrupted', 'completed', 'failed', 'aborted']), row('resuming', '=', 1)]),
          ]),
        )
        .where((row) => row.or([row('runner', 'is', null), row('runner', '=', runner)]))
        .orderBy('created_at')
        .orderBy('session')
        .limit(limit)
        .execute(),
    queuedSessions: (limit) =>
      db
        .selectFrom('sessions')
        .leftJoin('tasks', 'tasks.task', 'sessions.task')
        .select(['sessions.session', 'sessions.project', 'sessions.agent', 'sessions.runner', 'sessions.created_at'])
        .select('tasks.priority')
        .where('sessions.status', '=', 'queued')
        .orderBy('sessions.created_at')
        .orderBy('sessions.session')
        .limit(limit)
        .execute(),
    busySessions: async () => {
      const rows = await db
        .selectFrom('sessions')
        .select(['runner', 'project', 'agent'])
        .select(({ fn }) => fn.countAll().as('count'))
        .where('status', 'in', ['starting', 'active', 'paused'])
        .where('runner', 'is not', null)
        .groupBy(['runner', 'project', 'agent'])
        .execute()
      return rows.map(({ runner, count, ...same }) => ({ ...same, runner: runner ?? '', count: Number(count) }))
    },
    heldSessions: (runner) =>
      sessions
        .where('runner', '=', runner)
        .where('status', 'in', ['starting', 'active', 'paused', 'interrupted'])
        .orderBy('created_at')
        .orderBy('session')
        .limit(maxHeld)
        .execute(),
    sessionsWithMode: () =>
      sessions.where('policy_mode', 'is not', null).orderBy('created_at').orderBy('session').execute(),
    project: (project) =>
      db.selectFrom('projects').select(projectColumns).where('project', '=', project).executeTakeFirst(),
    projects: () => db.selectFrom('projects').select(projectColumns).orderBy('name').orderBy('project').execute(),
    projectsOf: (account) => memberships(account),
    roleOf: async (project, account) => (await role(project, account))[0]?.role,
    members: (project) =>
      db
        .selectFrom('members')
        .innerJoin('accounts', 'accounts.account', 'members.account')
        .select(['members.account', 'accounts.name', 'members.role'])
        .where('members.project', '=', project)
        .orderBy('accounts.name_key')
        .execute(),
    task: (task) => db.selectFrom('tasks').select(taskColumns).where('task', '=', task).executeTakeFirst(),
    tasks: (query) => readTasks(db, query),
    sessionsOfTask: async (task) => {
      const of = db.selectFrom('sessions').select('session').where('task', '=', task)
      const rows = await of.orderBy('created_at').orderBy('session').execute()
      return rows.map(({ session }) => session)
    },
    lastPlace: async (project, column) => {
      const last = await inColumn(project, column).orderBy('position', 'desc').limit(1).executeTakeFirst()
      return last?.position
    },
    nextPlace: async (project, column, after) => {
      const next = await inColumn(project, column)
        .where('position', '>', after)
        .orderBy('position')
        .limit(1)
        .executeTakeFirst()
      return next?.position
    },
    untoldSessions: (limit) =>
      db.selectFrom('sessions').select(untoldColumns).where('untold', '>', 0).limit(limit).execute(),
    untold: (session) =>
      db
        .selectFrom('sessions')
        .select(untoldColumns)
        .where('session', '=', session)
        .where('untold', '>', 0)
        .executeTakeFirst(),
    approvals: (of, limit) => readApprovals(db, of, limit),
    counts: async () => {
      const { fn } = db
      const counted = await db
        .selectFrom('sessions')
        .select(['status', fn.countAll().as('count')])
        .groupBy('status')
        .orderBy('status')
        .execute()
      const open = await db.selectFrom('approvals').select(fn.countAll().as('count')).executeTakeFirst()
      // PostgreSQL counts in 64 bits and answers text.
      const byStatus = counted.map(({ status, count }) => ({ status, count: Number(count) }))
      return { sessions: byStatus, openApprovals: Number(open?.count ?? 0) }
    },
    account: async (account) => (await accountById(account))[0],
    accountByName: (nameKey) => accounts.where('name_key', '=', nameKey).executeTakeFirst(),
    accounts: () => accounts.orderBy('name_key').execute(),
    key: async (key) => (await keyById(key))[0],
    keysOf: (account) =>
      db
        .selectFrom('keys')
        .select(keyColumns)
        .where('account', account === null ? 'is' : '=', account)
        .orderBy('created_at', 'desc')
        .orderBy('key', 'desc')
        .execute(),
    audit: (query) => readAudit(db, query),
    fact: async (name) => {
      const row = await db.selectFrom('facts').select('value').where('name', '=', name).executeTakeFirst()
      return row?.value
    },
    usage: (query) => readUsage(db, query),
    secondFactor: (account) =>
      db
        .selectFrom('second_factors')
        .select(['account', 'secret', 'last_step', 'recovery', 'since'])
        .where('account', '=', account)
        .executeTakeFirst(),
    deliveries: (channel) =>
      db
        .selectFrom('deliveries')
        .select(['channel', 'session', 'approval', 'state'])
        .where('channel', '=', channel)
        .orderBy('session')
        .orderBy('approval')
        .execute(),
    ...webhookRows(db),
    ...attachmentRows(db),
    noteKeyUse: async (use) => {
      await db
        .updateTable('keys')
        .set({
          last_used_at: use.usedAt,
          last_used_from: use.usedFrom,
          ...(use.idleExpiresAt === undefined ? {} : { idle_expires_at: use.idleExpiresAt }),
        })
        .where('key', '=', use.key)
        .where('revoked_at', 'is', null)
        .execute()
    },
  }
}

async function readSessions(db: Kysely<Tables>, query: SessionQuery): Promise<SessionListPage> {
  const { projects, statuses, after, limit } = query
  if ([projects, query.sessions, statuses].some((wanted) => wanted?.length === 0))
    return { sessions: [], next: undefined }
  let select = db
    .selectFrom('sessions')
    .select(sessionColumns)
    .where('project', 'in', [...projects])
  if (statuses !== undefined) select = select.where('status', 'in', [...statuses])
  if (query.sessions !== undefined) select = select.where('session', 'in', [...query.sessions])
  if (query.needs === 'open') select = select.where('needs', '>', 0)
  if (after !== undefined) {
    select = select.where((row) =>
      row(row.refTuple('updated_at', 'session'), '<', row.tuple(after.updatedAt, after.session)),
    )
  }
  const rows: Selectable<SessionTable>[] = await select
    .orderBy('updated_at', 'desc')
    .orderBy('session', 'desc')
    .limit(limit + 1)
    .execute()
  const sessions = rows.slice(0, limit)
  const last = sessions.at(-1)
  const more = rows.length > limit && last !== undefined
  return { sessions, next: more ? { updatedAt: last.updated_at, session: last.session } : undefined }
}

async function readTasks(db: Kysely<Tables>, { project, column, after, limit }: TaskQuery): Promise<TaskListPage> {
  let select = db.selectFrom('tasks').select(taskColumns).where('project', '=', project)
  if (column !== undefined) select = select.where('column_name', '=', column)
  if (after !== undefined) {
    select = select.where((row) =>
      row(
        row.refTuple('column_name', 'position', 'task'),
        '>',
        row.tuple(after.column_name, after.position, after.task),
      ),
    )
  }
  const rows = await select
    .orderBy('column_name')
    .orderBy('position')
    .orderBy('task')
    .limit(limit + 1)
    .execute()
  const tasks = rows.slice(0, limit)
  return { tasks, next: rows.length > limit ? tasks.at(-1) : undefined }
}

async function readHistory(
  db: Kysely<Tables>,
  { projects, statuses, turns, from, to, limit, offset }: HistoryQuery,
): Promise<{ sessions: readonly SessionTable[]; total: number }> {
  if (projects.length === 0) return { sessions: [], total: 0 }
  let of = db.selectFrom('sessions').where('project', 'in', [...projects])
  if (statuses !== undefined) of = of.where('status', 'in', [...statuses])
  if (turns !== undefined) of = of.where('turn', 'in', [...turns])
  if (from !== undefined) of = of.where('created_at', '>=', from)
  if (to !== undefined) of = of.where('created_at', '<', to)
  const counted = await of.select(db.fn.countAll().as('count')).executeTakeFirst()
  const page = of.select(sessionColumns).orderBy('created_at', 'desc').orderBy('session', 'desc')
  // PostgreSQL counts in 64 bits and answers text.
  return { sessions: await page.limit(limit).offset(offset).execute(), total: Number(counted?.count ?? 0) }
}

/** Two questions, for each has an index of the few rows that it is about. */
async function readQueues(db: Kysely<Tables>, projects: readonly string[]): Promise<readonly SessionTable[]> {
  if (projects.length === 0) return []
  const select = db
    .selectFrom('sessions')
    .select(sessionColumns)
    .where('project', 'in', [...projects])
  const asking = await select.where('needs', '>', 0).where('open_approvals', '<>', '[]').execute()
  const answered = await select.where('answers_under_way', '>', 0).execute()
  return [...new Map([...asking, ...answered].map((row) => [row.session, row])).values()]
}

async function readApprovals(
  db: Kysely<Tables>,
  of: { projects: readonly string[] } | 'all',
  limit: number,
): Promise<readonly ApprovalTable[]> {
  if (of !== 'all' && of.projects.length === 0) return []
  const select = db.selectFrom('approvals').select(approvalColumns)
  const chosen = of === 'all' ? select : select.where('project', 'in', [...of.projects])
  return chosen.orderBy('expires_at').orderBy('approval').orderBy('session').limit(limit).execute()
}
