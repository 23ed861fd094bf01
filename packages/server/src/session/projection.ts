import {
  answersUnderWay,
  awaitsReview,
  openApprovals,
  type PendingApproval,
  type SessionState,
  timedApprovals,
  turnOf,
} from '@hotline/core/session/state'
import type { Envelope } from '@hotline/protocol/event'
import type { DataOf, DraftOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { Exit } from '@hotline/protocol/events/session'
import type { PolicyModeName } from '@hotline/protocol/policy-mode'
import { holdsAgent } from '@hotline/protocol/session-status'
import type { RowChange, SessionTable } from '../log/tables.ts'
import type { StreamState } from './state.ts'
import { taskRows, untoldBetween } from './task-rows.ts'

/** What lists show of a session; a change of it is a line in the project's stream and a row in the list. */
export function sessionLine(
  state: SessionState,
  at: number,
  ended: readonly string[] = [],
): DraftOf<'session.indexed'> {
  return {
    type: 'session.indexed',
    subject: `session:${state.session}`,
    data: {
      session: state.session,
      ...(state.task === undefined ? {} : { task: state.task }),
      agent: state.agent,
      ...(state.runner === undefined ? {} : { runner: state.runner }),
      at,
      status: state.status,
      turn: turnOf(state),
      openApprovals: openApprovals(state).map(({ approval }) => approval),
      ...(ended.length === 0 ? {} : { endedApprovals: [...ended] }),
      openQuestions: state.questions.map(({ question }) => question),
      ...queueOf(state),
      ...(state.staleSince === undefined ? {} : { staleSince: state.staleSince }),
      since: state.since,
      ...(state.reason === undefined ? {} : { reason: state.reason }),
      ...(state.exit === undefined ? {} : { exit: exitOf(state.exit) }),
      ...(state.ending === undefined ? {} : { ending: state.ending }),
      ...(modeOf(state) ? { policyMode: modeOf(state) } : {}),
    },
    body: { title: state.title },
  }
}

/** How many approvals wait for their turn, how many answers for their agent, and since when the oldest waits for a person. */
function queueOf(
  state: SessionState,
): Pick<DataOf<'session.indexed'>, 'waitingApprovals' | 'answersUnderWay' | 'oldestApprovalAt'> {
  const waiting = state.waiting?.length ?? 0
  const underWay = answersUnderWay(state).length
  const oldest = openApprovals(state)
    .map(({ requestedAt }) => requestedAt)
    .toSorted()[0]
  return {
    ...(waiting === 0 ? {} : { waitingApprovals: waiting }),
    ...(underWay === 0 ? {} : { answersUnderWay: underWay }),
    ...(oldest === undefined ? {} : { oldestApprovalAt: oldest }),
  }
}

/** True where a list would show both states alike. */
export function sameLine(a: SessionState | undefined, b: SessionState): boolean {
  if (a === b) return true
  return a !== undefined && JSON.stringify(sessionLine(a, 0)) === JSON.stringify(sessionLine(b, 0))
}

/** Approvals that were open before and are not after. */
export function endedBetween(before: SessionState | undefined, after: SessionState): readonly string[] {
  if (!before || before.approvals === after.approvals) return []
  const open = new Set(openApprovals(after).map(({ approval }) => approval))
  return openApprovals(before).flatMap(({ approval }) => (open.has(approval) ? [] : [approval]))
}

/** Undefined where everything is asked. */
function modeOf({ policyMode }: SessionState): { mode: PolicyModeName; until?: string } | undefined {
  if (!policyMode || policyMode.mode === 'ask') return undefined
  const { mode, until } = policyMode
  return { mode, ...(until === undefined ? {} : { until }) }
}

/** A runner of a later version may say more; a list does not. */
function exitOf({ code, signal }: Exit): Exit {
  return { code, signal }
}

/** True where no agent is held and a runner has something to do all the same: to take it up, or to undo. */
function isWanted({ status, resuming, undo }: SessionState): boolean {
  return resuming || (!holdsAgent(status) && undo !== undefined && undo.phase !== 'planned')
}

function sessionRow(state: SessionState, now: string): Omit<SessionTable, 'untold'> {
  const mode = modeOf(state)
  const queue = queueOf(state)
  const approvals = openApprovals(state).map(({ approval }) => approval)
  const questions = state.questions.map(({ question }) => question)
  return {
    session: state.session,
    project: state.project,
    task: state.task ?? null,
    agent: state.agent,
    runner: state.runner ?? null,
    title: state.title,
    status: state.status,
    turn: turnOf(state),
    open_approvals: JSON.stringify(approvals),
    open_questions: JSON.stringify(questions),
    waiting_approvals: queue.waitingApprovals ?? 0,
    answers_under_way: queue.answersUnderWay ?? 0,
    oldest_approval_at: queue.oldestApprovalAt ?? null,
    // A budget that is used up is asked about as well, and so are changes that an agent waits for.
    needs:
      approvals.length +
      questions.length +
      (state.status === 'paused' && state.exhausted ? 1 : 0) +
      (awaitsReview(state) ? 1 : 0),
    stale_since: state.staleSince ?? null,
    resuming: isWanted(state) ? 1 : 0,
    since: state.since,
    reason: state.reason ?? null,
    exit: state.exit ? JSON.stringify(exitOf(state.exit)) : null,
    ending: state.ending ?? null,
    policy_mode: mode ? JSON.stringify(mode) : null,
    created_at: state.createdAt,
    updated_at: now,
  }
}

/**
 * An index is written anew where a column of it is set, even to what it was; so the columns that stand still are left out.
 * What is not indexed is always set: nothing is gained by leaving it out.
 */
function sessionChange(
  before: SessionState | undefined,
  after: SessionState,
  now: string,
  untold: number | undefined,
): RowChange {
  const row = sessionRow(after, now)
  if (before === undefined) return { table: 'sessions', put: { ...row, untold: untold ?? 0 } }
  const { session, project: _stays, created_at: _staysToo, status, runner, answers_under_way, ...others } = row
  const was = sessionRow(before, now)
  const set = {
    ...others,
    ...(status === was.status ? {} : { status }),
    ...(runner === was.runner ? {} : { runner }),
    ...(answers_under_way === was.answers_under_way ? {} : { answers_under_way }),
    ...(untold === undefined ? {} : { untold }),
  }
  return { table: 'sessions', set, where: { session } }
}

/** The rows that a stretch of events changes, given the state before and after it. */
export function rowsOf(
  before: StreamState | undefined,
  after: StreamState,
  events: readonly Envelope[],
  now: string,
): readonly RowChange[] {
  switch (after.kind) {
    case 'session': {
      const earlier = before?.kind === 'session' ? before : undefined
      const untold = untoldBetween(earlier, after, events)
      const isShown = !sameLine(earlier, after) || earlier === undefined || isWanted(earlier) !== isWanted(after)
      const used = [...(earlier?.usage === after.usage ? [] : usageRows(after, now)), ...sentRows(after, events, now)]
      if (!isShown && untold === undefined) return used
      return [sessionChange(earlier, after, now, untold), ...approvalRows(earlier, after), ...used]
    }
    case 'project':
      return events.flatMap((event) => projectRows(after.project, event, now))
    case 'server':
    case 'account':
      return []
    case 'task':
      return taskRows(before?.kind === 'task' ? before : undefined, after, events, now)
  }
}

/** Files that a message names now are not waiting any more. */
function sentRows({ session }: SessionState, events: readonly Envelope[], now: string): readonly RowChange[] {
  return events.flatMap((event) => {
    const known = asKnown(event)
    if (known?.type !== 'message.posted' && known?.type !== 'message.completed') return []
    return (known.body?.attachments ?? []).map(({ digest, name }): RowChange => ({
      table: 'attachments',
      set: { sent_at: now },
      where: { session, digest, name },
    }))
  })
}

/** What it has used until now: of this day the last word counts. */
function usageRows({ session, project, agent, startedBy, usage }: SessionState, now: string): readonly RowChange[] {
  if (!usage) return []
  const { inputTokens = 0, outputTokens = 0, cost } = usage
  if (inputTokens === 0 && outputTokens === 0 && cost === undefined) return []
  const row = {
    session,
    day: now.slice(0, 10),
    project,
    agent,
    starter: startedBy?.id ?? null,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cost: cost?.amount ?? null,
    currency: cost?.currency ?? null,
  }
  return [{ table: 'usage_days', put: row }]
}

/** Those whose time runs: while the session is paused it stands. */
function runningClocks(state: SessionState | undefined): ReadonlyMap<string, PendingApproval> {
  const open = state && state.status !== 'paused' ? timedApprovals(state) : []
  return new Map(open.map((one) => [one.approval, one]))
}

function approvalRows(before: SessionState | undefined, after: SessionState): readonly RowChange[] {
  const was = runningClocks(before)
  const is = runningClocks(after)
  const rows: RowChange[] = []
  for (const [approval, open] of is) {
    if (was.get(approval)?.expiresAt === open.expiresAt) continue
    rows.push({
      table: 'approvals',
      put: {
        approval,
        session: after.session,
        project: after.project,
        expires_at: open.expiresAt,
        requested_at: open.requestedAt,
      },
    })
  }
  for (const approval of was.keys()) {
    if (!is.has(approval)) rows.push({ table: 'approvals', drop: { approval, session: after.session } })
  }
  return rows
}

/** A change of membership also makes every credential of that account look at its rights again. */
function projectRows(project: string, event: Envelope, now: string): readonly RowChange[] {
  const known = asKnown(event)
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- no other event of a project changes rows
  switch (known?.type) {
    case 'project.created':
      return [{ table: 'projects', insert: { project, name: known.body?.name ?? '', created_at: now } }]
    case 'project.renamed':
      return [{ table: 'projects', set: { name: known.body?.name ?? '' }, where: { project } }]
    case 'member.added':
    case 'member.changed':
      return [
        { table: 'members', put: { project, account: known.data.account, role: known.data.role } },
        { table: 'accounts', set: { access_version: Date.parse(now) }, where: { account: known.data.account } },
      ]
    case 'member.removed':
      return [
        { table: 'members', drop: { project, account: known.data.account } },
        { table: 'accounts', set: { access_version: Date.parse(now) }, where: { account: known.data.account } },
      ]
    default:
      return []
  }
}
