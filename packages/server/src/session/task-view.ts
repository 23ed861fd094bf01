import { oneLine } from '@hotline/core/one-line'
import type { SessionState } from '@hotline/core/session/state'
import { openApprovals, turnOf } from '@hotline/core/session/state'
import { taskStatusOf } from '@hotline/core/task/task-status'
import type { KnownEvent } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import { limits } from '@hotline/protocol/limits'
import type { ApiTask, TaskAnswer, TaskApproval, TaskLog, TaskStatus, TaskStep } from '@hotline/protocol/task-api'
import type { LogStore, StoredEvent } from '../log/log-store.ts'
import { readEvent } from '../log/read-event.ts'

/** Lines of a task that are told at once, the newest of them. */
const logsMax = 200
/** The beginning of a session, where its task stands. */
const beginningEvents = 20

type Data = TaskAnswer['data']

/** How a session stands, in the words of the Task API. A message that the agent gets, or has and has not begun with, is work to come, and an end that is under way is none. */
export function statusOf(state: SessionState): TaskStatus {
  const status = taskStatusOf({ status: state.status, turn: turnOf(state) })
  const isBetween = state.queue.length > 0 || state.begins !== undefined || state.ending !== undefined
  return status === 'idle' && isBetween ? 'running' : status
}

/** A session as a task: what was asked for, how far it is, what was said last, and what it waits for. */
export async function viewTask(
  store: LogStore,
  state: SessionState,
  head: number,
  row: Pick<ApiTask, 'createdAt' | 'updatedAt'>,
): Promise<Data> {
  const stream = `session:${state.session}`
  const first = (await readKnown(store, stream, 0, beginningEvents)).find(
    (event) => event.type === 'message.posted' && event.data.role !== 'agent',
  )
  const last = await readKnown(store, stream, Math.max(0, head - limits.pageEvents), head)
  const logs = last.flatMap(logOf).slice(-logsMax)
  const broken = last.findLast((event) => event.type === 'turn.ended')
  const over = last.findLast((event) => event.type === 'session.state_changed')
  const current = await currentStep(store, state)
  return {
    task: {
      id: state.session,
      conversationId: state.task ?? null,
      title: state.title,
      status: statusOf(state),
      agent: state.agent,
      project: state.project,
      createdAt: row.createdAt,
      updatedAt: row.updatedAt,
      task: first?.type === 'message.posted' ? (first.body?.text ?? null) : null,
      result: saidLast(last),
      error: errorOf(broken, over),
    },
    logs,
    approvals: await openRequests(store, state),
    ...(current ? { currentExecution: current } : {}),
  }
}

async function readKnown(store: LogStore, stream: string, after: number, upTo: number): Promise<KnownEvent[]> {
  const events: KnownEvent[] = []
  for (let at = after; at < upTo;) {
    const page = await store.read(stream, { after: at, upTo, limit: limits.pageEvents, maxBytes: limits.pageBytes })
    events.push(...page.flatMap(knownOf))
    at = page.at(-1)?.seq ?? upTo
  }
  return events
}

/** Why it came to no good end; null where it did not, or as far as nobody knows. */
export function errorOf(turn: KnownEvent | undefined, change: KnownEvent | undefined): string | null {
  if (change?.type === 'session.state_changed' && ['failed', 'aborted', 'interrupted'].includes(change.data.to)) {
    return change.body?.note ?? change.data.reason.replaceAll('_', ' ')
  }
  if (turn?.type === 'turn.ended' && turn.data.end !== 'end')
    return turn.body?.error ?? `The turn was ${turn.data.end}.`
  return null
}

function logOf(event: KnownEvent): readonly TaskLog[] {
  const message = oneLine(event)
  return message === undefined ? [] : [{ id: String(event.seq), timestamp: event.at, type: event.type, message }]
}

/** The step that was begun last and is not over. */
async function currentStep(store: LogStore, state: SessionState): Promise<Data['currentExecution']> {
  const last = state.steps?.at(-1)
  const step = last === undefined ? undefined : await readStep(store, state.session, last)
  return step && { step: step.step, progress: step.progress, status: statusOf(state) }
}

/** A step, how far it is, per cent, and what was wrong with it; undefined where its beginning is not in the log. */
export async function readStep(
  store: Pick<LogStore, 'readSubjects'>,
  session: string,
  step: string,
): Promise<{ step: TaskStep; progress: number; error: string | undefined } | undefined> {
  const events = (await store.readSubjects(`session:${session}`, [`step:${step}`], 0, limits.pageEvents)).flatMap(
    knownOf,
  )
  const begun = events.find((event) => event.type === 'step.started')
  const told = events.findLast((event) => event.type === 'step.progressed')
  const ended = events.findLast((event) => event.type === 'step.finished')
  if (begun?.type !== 'step.started') return undefined
  return {
    error: ended?.type === 'step.finished' ? ended.body?.error : undefined,
    step: { id: step, title: begun.body?.title ?? '', kind: begun.data.kind, startedAt: begun.at },
    progress: told?.type === 'step.progressed' ? Math.round((told.data.progress ?? 0) * 100) : 0,
  }
}

/** What the agent said last, as far as the end of the log has it. */
export async function readLastWords(store: LogStore, session: string, head: number): Promise<string | null> {
  return saidLast(await readKnown(store, `session:${session}`, Math.max(0, head - limits.pageEvents), head))
}

function saidLast(events: readonly KnownEvent[]): string | null {
  const said = events.findLast((event) => event.type === 'message.completed')
  return said?.type === 'message.completed' ? (said.body?.text ?? null) : null
}

/** What waits for an answer. */
export async function openRequests(store: Pick<LogStore, 'readEnds'>, state: SessionState): Promise<TaskApproval[]> {
  const open = openApprovals(state)
  const ends = await store.readEnds(
    open.map(({ approval }) => ({ stream: `session:${state.session}`, subject: `approval:${approval}` })),
  )
  return open.flatMap(({ approval, digest, expiresAt }, at): TaskApproval[] => {
    const [first] = ends[at]?.events ?? []
    const asked = first && knownOf(first)[0]
    if (asked?.type !== 'approval.requested' || !asked.body) return []
    const { tool, title, input } = asked.body
    return [{ approvalId: approval, tool, title, input: input ?? null, digest, expiresAt }]
  })
}

function knownOf(event: StoredEvent): readonly KnownEvent[] {
  const known = asKnown(readEvent(event))
  return known ? [known] : []
}
