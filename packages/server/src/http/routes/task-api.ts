import { isAtEnd, sessionsOfStatus, taskStatusOf } from '@hotline/core/task/task-status'
import type { SessionState } from '@hotline/core/session/state'
import { uuidOfDigest } from '@hotline/core/uuid-of-digest'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import { type Problem, problem } from '@hotline/protocol/error'
import { asKnown } from '@hotline/protocol/known-event'
import { limits } from '@hotline/protocol/limits'
import { Id } from '@hotline/protocol/ids'
import { taskPriorities } from '@hotline/protocol/task'
import {
  type ApiTask,
  ApproveTaskAnswer,
  ApproveTaskBody,
  CancelTaskAnswer,
  SubmitTaskAnswer,
  SubmitTaskBody,
  TaskAnswer,
  TaskHistoryAnswer,
  TaskStatus,
  UndoTaskAnswer,
  UndoTaskBody,
} from '@hotline/protocol/task-api'
import { z } from 'zod'
import { type Principal, senderKey } from '../../access/principal.ts'
import type { Feeds } from '../../feed/feeds.ts'
import { growthAfter } from '../../feed/growth.ts'
import type { Lists } from '../../log/lists.ts'
import type { LogStore } from '../../log/log-store.ts'
import { readEvent } from '../../log/read-event.ts'
import type { SessionTable } from '../../log/tables.ts'
import type { Clock } from '../../machine/clock.ts'
import type { Ids } from '../../machine/ids.ts'
import { sha256 } from '../../machine/sha256.ts'
import type { Runners } from '../../scheduler/runners.ts'
import type { Exchange } from '../../session/exchange.ts'
import { type CommandOutcome, nothingHere } from '../../session/outcome.ts'
import { type FoundTask, findTask, readTask } from '../../session/find-task.ts'
import { statusOf, viewTask } from '../../session/task-view.ts'
import { commandRefusals } from '../refusals.ts'
import type { RegisterRoute } from '../route.ts'
import { carryOut, Decimal, projectsOf } from './sessions.ts'

/** What these routes read and write. */
export interface TaskApiPorts {
  exchange: Exchange
  store: LogStore
  lists: Lists
  feeds: Feeds
  runners: Runners
  clock: Clock
  ids: Ids
}

const OfTask = z.strictObject({ taskId: Id })
const undoWaitMs = 20_000

/** Tasks for programs: small views of sessions and cards, with the shapes of their documented API. */
export function registerTaskApiRoutes(route: RegisterRoute, ports: TaskApiPorts): void {
  const { exchange, store, lists, runners, ids } = ports

  const find = (principal: Principal, task: string): Promise<FoundTask | undefined> => findTask(ports, principal, task)

  const send = <T extends CommandType>(
    principal: Principal,
    id: string,
    stream: string,
    type: T,
    data: CommandInput<T>,
  ): Promise<CommandOutcome> => carryOut(exchange, principal, { id, stream, type, data })

  /** Waits until the state is as wanted, or the time is over; answers it as it is then. */
  async function waitFor(
    principal: Principal,
    found: FoundTask,
    isReached: (state: SessionState) => boolean,
    { waitMs, signal }: { waitMs: number; signal: AbortSignal },
  ): Promise<FoundTask | undefined> {
    const endMs = ports.clock.monotonicMs() + waitMs
    let now: FoundTask | undefined = found
    while (now && !isReached(now.state)) {
      const leftMs = endMs - ports.clock.monotonicMs()
      if (leftMs <= 0 || signal.aborted) break
      const feed = await ports.feeds.open(now.stream)
      if (feed) await growthAfter(feed, now.seq, { waitMs: leftMs, clock: ports.clock, signal })
      now = await readTask(ports, principal, now.session)
    }
    return now
  }

  route({
    method: 'POST',
    url: '/api/agent',
    summary: 'Hand in a task',
    permission: 'write',
    status: 201,
    refuses: commandRefusals,
    example: { task: 'Say what this project is about', context: { agent: 'demo' } },
    envelope: 'success',
    answer: SubmitTaskAnswer,
    body: SubmitTaskBody,
    once: 'idempotency-key',
    handle: async ({ principal, body, idempotencyKey }) => {
      const { task, priority, conversationId, context = {} } = body
      const project = context.project ?? onlyOf(await projectsOf(principal, lists))
      if (project === undefined) {
        return { problem: problem('invalid_request', 'Name the project in which it shall be done as context.project.') }
      }
      const chosen = chooseAgent(runners, context)
      if ('code' in chosen) return { problem: chosen }
      // The same key makes the same ids, so that what was done is not done again, and what was not is.
      const seed = idempotencyKey === undefined ? ids.uuid() : `${senderKey(principal)} ${idempotencyKey}`
      const id = (of: string): string => uuidOf(`${of} ${seed}`)
      const [card, session] = [conversationId ?? id('card'), id('session')]
      const title = context.title ?? titleOf(task)
      if (conversationId === undefined) {
        const level = taskPriorities[priority] ?? 'normal'
        const data = { project, title, description: task, priority: level }
        const made = await send(principal, id('create'), `task:${card}`, 'task.create', data)
        if (!made.ok) return { problem: made.problem }
      }
      const start = { project, task: card, title, endsAfter: 'turn', ...chosen } as const
      const started = await send(principal, id('start'), `session:${session}`, 'session.start', start)
      if (!started.ok) return { problem: started.problem }
      const message = { text: task, ...(body.context ? { metadata: body.context } : {}) }
      const said = await send(principal, id('message'), `session:${session}`, 'message.send', message)
      if (!said.ok) return { problem: said.problem }
      const data = { taskId: session, conversationId: card, status: 'pending' as const }
      return { value: { success: true as const, data } }
    },
  })

  route({
    method: 'GET',
    url: '/api/agent/history',
    summary: 'Earlier tasks',
    permission: 'read',
    envelope: 'success',
    answer: TaskHistoryAnswer,
    query: z.strictObject({
      status: TaskStatus.optional(),
      limit: Decimal.pipe(z.int().min(1).max(100)).default(20),
      offset: Decimal.pipe(z.int().max(1_000_000)).default(0),
      dateFrom: z.iso.datetime({ offset: true }).or(z.iso.date()).optional(),
      dateTo: z.iso.datetime({ offset: true }).or(z.iso.date()).optional(),
    }),
    handle: async ({ principal, query: { status, limit, offset, dateFrom, dateTo } }) => {
      const { sessions, total } = await lists.history({
        projects: await projectsOf(principal, lists),
        ...(status === undefined ? {} : sessionsOfStatus[status]),
        ...(dateFrom === undefined ? {} : { from: new Date(dateFrom).toISOString() }),
        ...(dateTo === undefined ? {} : { to: new Date(dateTo).toISOString() }),
        limit,
        offset,
      })
      return { value: { success: true as const, data: { tasks: sessions.map(listed), total, limit, offset } } }
    },
  })

  route({
    method: 'GET',
    url: '/api/agent/:taskId',
    summary: 'How a task stands, with its steps and log',
    permission: 'read',
    envelope: 'success',
    answer: TaskAnswer,
    params: OfTask,
    query: z.strictObject({
      /** Seconds to wait until nothing goes on any more. */
      wait: Decimal.pipe(z.int().max(limits.waitSeconds)).default(0),
    }),
    handle: async ({ principal, params, query, signal }) => {
      const found = await find(principal, params.taskId)
      const waitMs = query.wait * 1_000
      const now = found && (await waitFor(principal, found, (state) => isAtEnd(statusOf(state)), { waitMs, signal }))
      const row = now && (await lists.session(now.session))
      if (!row) return { problem: nothingHere() }
      const times = { createdAt: row.created_at, updatedAt: row.updated_at }
      return { value: { success: true as const, data: await viewTask(store, now.state, now.seq, times) } }
    },
  })

  route({
    method: 'POST',
    url: '/api/agent/:taskId/approve',
    summary: 'Answer an approval of a task',
    permission: 'decide',
    refuses: commandRefusals,
    example: { approvalId: '0198a1c0-0000-7000-8000-000000000003', approved: true },
    envelope: 'success',
    answer: ApproveTaskAnswer,
    params: OfTask,
    body: ApproveTaskBody,
    once: 'idempotency-key',
    handle: async ({ principal, params, body, idempotencyKey }) => {
      const found = await find(principal, params.taskId)
      if (!found) return { problem: nothingHere() }
      const decision = await decisionOf(store, found, body)
      if ('code' in decision) return { problem: decision }
      const seed = idempotencyKey === undefined ? ids.uuid() : `${senderKey(principal)} ${idempotencyKey}`
      const outcome = await send(principal, uuidOf(`decide ${seed}`), found.stream, 'approval.decide', decision)
      if (!outcome.ok) return { problem: outcome.problem }
      const results = { allow: 'allowed', modify: 'allowed_modified', deny: 'denied' } as const
      const data = { taskId: found.session, approvalId: body.approvalId, outcome: results[decision.verdict] }
      return { value: { success: true as const, data } }
    },
  })

  route({
    method: 'POST',
    url: '/api/agent/:taskId/undo',
    summary: 'Take back what the agent did to files',
    permission: 'write',
    refuses: commandRefusals,
    example: {},
    envelope: 'success',
    answer: UndoTaskAnswer,
    params: OfTask,
    body: UndoTaskBody,
    handle: async ({ principal, params, body: { stepId }, signal }) => {
      const found = await find(principal, params.taskId)
      if (!found) return { problem: nothingHere() }
      const patience = { waitMs: undoWaitMs, signal }
      const undo = ids.uuid()
      const asked = await send(principal, undo, found.stream, 'undo.plan', stepId === undefined ? {} : { step: stepId })
      if (!asked.ok) return { problem: asked.problem }
      const pending = { success: true as const, data: { taskId: found.session, status: 'pending' as const, files: [] } }
      const now = {
        ...found,
        seq: asked.accepted.seq,
        state: { ...found.state, undo: { undo, phase: 'wanted', to: {} } },
      } as const
      const planned = await waitFor(principal, now, (state) => state.undo?.phase !== 'wanted', patience)
      const plan = planned?.state.undo
      if (plan?.undo !== undo || plan.digest === undefined) {
        const refusal = await refusalOf(store, found.stream, undo)
        return refusal ? { problem: refusal } : { value: pending }
      }
      const applied = await send(principal, uuidOf(`apply ${undo}`), found.stream, 'undo.apply', {
        undo,
        digest: plan.digest,
      })
      if (!applied.ok) return { problem: applied.problem }
      const doing = planned && { ...planned, seq: applied.accepted.seq }
      if (doing) await waitFor(principal, doing, (state) => state.undo?.undo !== undo, patience)
      const refusal = await refusalOf(store, found.stream, undo)
      if (refusal) return { problem: refusal }
      const files = await restoredBy(store, found.stream, undo)
      return { value: files ? { ...pending, data: { ...pending.data, status: 'undone' as const, files } } : pending }
    },
  })

  route({
    method: 'DELETE',
    url: '/api/agent/:taskId',
    summary: 'End a task',
    permission: 'write',
    refuses: commandRefusals,
    envelope: 'success',
    answer: CancelTaskAnswer,
    params: OfTask,
    handle: async ({ principal, params }) => {
      const found = await find(principal, params.taskId)
      if (!found) return { problem: nothingHere() }
      const outcome = await send(principal, ids.uuid(), found.stream, 'session.abort', { reason: 'cancelled' })
      if (!outcome.ok) return { problem: outcome.problem }
      const now = await readTask(ports, principal, found.session)
      return {
        value: { success: true as const, data: { taskId: found.session, status: statusOf((now ?? found).state) } },
      }
    },
  })
}

/** The one that somebody means who names none: the only one, or the first that a server has. */
function onlyOf(projects: readonly string[]): string | undefined {
  return projects.length === 1 ? projects[0] : projects.find((project) => project === 'default')
}

/** The id that a text always gives. */
function uuidOf(text: string): string {
  return uuidOfDigest(sha256(text))
}

/** What a start names of where it is done. The agent that is named, or else the first one that is ready and no demonstration. */
function chooseAgent(
  runners: Runners,
  { agent, machine, folder }: NonNullable<SubmitTaskBody['context']>,
): Problem | { agent: string; runner?: string; cwd?: string } {
  const all = runners.agents().filter((row) => machine === undefined || row.runnerId === machine)
  const ready = all.filter((row) => row.available && row.state === 'ready' && row.asks !== false)
  const fits = ready.filter((row) => folder !== undefined || row.ownFolder === true || row.agent === 'demo')
  const chosen = agent ?? (fits.find((row) => row.agent !== 'demo') ?? fits[0])?.agent
  if (chosen === undefined) {
    return problem(
      'invalid_request',
      'Name the agent that shall do it as context.agent, and its folder as context.folder.',
    )
  }
  const known = all.find((row) => row.agent === chosen)
  if (known && known.ownFolder !== true && chosen !== 'demo' && folder === undefined) {
    return problem('invalid_request', `Name the folder in which "${chosen}" shall work as context.folder.`)
  }
  const runner = machine ?? known?.runnerId
  return {
    agent: chosen,
    ...(runner === undefined ? {} : { runner }),
    ...(folder === undefined ? {} : { cwd: folder }),
  }
}

function titleOf(task: string): string {
  const line = (task.trim().split('\n', 1)[0] ?? '').replaceAll(/\p{Cc}/gu, ' ')
  return line.length > 80 ? `${line.slice(0, 79).trimEnd()}…` : line || 'A task'
}

function listed(row: SessionTable): ApiTask {
  return {
    id: row.session,
    conversationId: row.task,
    title: row.title,
    status: taskStatusOf(row),
    agent: row.agent,
    project: row.project,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

/** The command that says it, with the digest of what was asked; a refusal where there is no such request, or it cannot be changed so. */
async function decisionOf(
  store: LogStore,
  { stream, state }: FoundTask,
  { approvalId, approved, message, modifiedParameters, digest }: ApproveTaskBody,
): Promise<Problem | (CommandInput<'approval.decide'> & { verdict: 'allow' | 'modify' | 'deny' })> {
  const [first] = await store.readSubjects(stream, [`approval:${approvalId}`], 0, 1)
  const asked = first && asKnown(readEvent(first))
  if (asked?.type !== 'approval.requested') {
    return problem('not_found', 'There is no such request. What waits is in "approvals" of the task.')
  }
  // Who answered first is told by the rules of the session, whatever the digest.
  const shown = state.approvals.find(({ approval }) => approval === approvalId)?.digest ?? asked.data.digest
  const common = {
    approval: approvalId,
    digest: digest ?? shown,
    ...(message === undefined ? {} : { reason: message }),
  }
  if (!approved) return { ...common, verdict: 'deny' }
  if (modifiedParameters === undefined) return { ...common, verdict: 'allow' }
  const before = z.record(z.string(), z.unknown()).safeParse(parsedJson(asked.body?.input))
  if (!before.success) {
    return problem('unsupported', 'What was asked has no parameters that could be changed by name. Allow or deny it.')
  }
  return { ...common, verdict: 'modify', input: JSON.stringify({ ...before.data, ...modifiedParameters }) }
}

function parsedJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

async function refusalOf(store: LogStore, stream: string, undo: string): Promise<Problem | undefined> {
  const events = (await store.readSubjects(stream, [`undo:${undo}`], 0, limits.pageEvents)).map(readEvent)
  const refused = events.map(asKnown).find((event) => event?.type === 'undo.refused')
  if (refused?.type !== 'undo.refused') return undefined
  return problem('invalid_transition', refused.body?.reason ?? 'It cannot be undone.')
}

async function restoredBy(
  store: LogStore,
  stream: string,
  undo: string,
): Promise<z.infer<typeof UndoTaskAnswer>['data']['files'] | undefined> {
  const events = (await store.readSubjects(stream, [`undo:${undo}`], 0, limits.pageEvents)).map(readEvent)
  const done = events.map(asKnown).find((event) => event?.type === 'checkpoint.restored')
  if (done?.type !== 'checkpoint.restored') return undefined
  return (done.body?.files ?? []).map(({ path, outcome, why }) => ({
    path,
    outcome,
    ...(why === undefined ? {} : { why }),
  }))
}
