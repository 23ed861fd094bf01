import { parseCommand } from '@hotline/protocol/command'
import { problem } from '@hotline/protocol/error'
import { InteractionPage } from '@hotline/protocol/interactions'
import { limits } from '@hotline/protocol/limits'
import { Id } from '@hotline/protocol/ids'
import { isLive, type SessionStatus } from '@hotline/protocol/session-status'
import { z } from 'zod'
import type { Ids } from '../../machine/ids.ts'
import type { Eraser } from '../../scheduler/eraser.ts'
import { nothingHere } from '../../session/outcome.ts'
import { readInteractions, type Told } from '../../session/read-interactions.ts'
import type { StreamState } from '../../session/state.ts'
import { Nothing, type RegisterRoute } from '../route.ts'
import { Count } from './sessions.ts'
import type { TaskRoutePorts } from './tasks.ts'

/** What these routes read and write. */
export interface InteractionRoutePorts extends TaskRoutePorts {
  ids: Ids
  eraser: Pick<Eraser, 'erased'>
}

/** How far each session was told, as `next` of an earlier page. */
const AfterInteractions: z.ZodType<Told, string> = z
  .string()
  .max(100_000)
  .regex(/^[A-Za-z0-9_-]+(\.\d{1,15})(~[A-Za-z0-9_-]+\.\d{1,15})*$/, 'must be the "next" of an earlier page')
  .transform((text) =>
    Object.fromEntries(
      text.split('~').map((one) => {
        const at = one.lastIndexOf('.')
        return [one.slice(0, at), Number(one.slice(at + 1))] as const
      }),
    ),
  )

/** The conversation of a task: what was said in all of its sessions. */
export function registerInteractionRoutes(
  route: RegisterRoute,
  { exchange, store, lists, ids, eraser }: InteractionRoutePorts,
): void {
  route({
    method: 'GET',
    url: '/api/projects/:id/tasks/:taskId/interactions',
    summary: 'What was said in all sessions of a card, as one conversation',
    permission: 'read',
    refuses: ['too_large'],
    answer: InteractionPage,
    params: z.strictObject({ id: Id, taskId: Id }),
    query: z.strictObject({ limit: Count.default(100), after: AfterInteractions.optional() }),
    handle: async ({ principal, params: { id, taskId }, query: { limit, after = {} } }) => {
      const stream = `task:${taskId}`
      const row = (await exchange.mayRead(principal, stream)) ? await lists.task(taskId) : undefined
      if (row?.project !== id) return { problem: nothingHere() }
      const sessions = await lists.sessionsOfTask(taskId)
      if (sessions.length > limits.taskSessions) {
        const detail = `This task has more than ${limits.taskSessions} sessions. Read them one by one.`
        return { problem: problem('too_large', detail, { limit: limits.taskSessions }) }
      }
      const { interactions, told, isOver } = await readInteractions(store, {
        task: taskId,
        sessions,
        told: after,
        limit,
      })
      return { value: { interactions: [...interactions], next: isOver ? null : nextText(told) } }
    },
  })

  route({
    method: 'DELETE',
    url: '/api/projects/:id/tasks/:taskId/interactions',
    summary: 'Erase what was said and done in all sessions of a card',
    permission: 'admin',
    refuses: ['invalid_transition', 'storage_unavailable'],
    proof: 'password',
    answer: Nothing,
    params: z.strictObject({ id: Id, taskId: Id }),
    handle: async ({ principal, params: { id, taskId } }) => {
      const row = (await exchange.mayRead(principal, `task:${taskId}`)) ? await lists.task(taskId) : undefined
      if (row?.project !== id) return { problem: nothingHere() }
      const refusal = await exchange.refusalIn(principal, id, 'admin')
      if (refusal) return { problem: refusal }
      const streams = (await lists.sessionsOfTask(taskId)).map((session) => `session:${session}`)
      // Nothing goes while one of them is at work, so that nobody is left with half of a conversation.
      const live = await Promise.all(streams.map(async (stream) => liveIn(await exchange.snapshot(stream))))
      const running = live.find((status) => status !== undefined)
      if (running !== undefined) {
        const detail = `A session of this task is ${running}. End it first; then the conversation can be deleted.`
        return { problem: problem('invalid_transition', detail, { status: running }) }
      }
      for (const stream of streams) {
        const parsed = parseCommand({ id: ids.uuid(), stream, type: 'session.erase', data: {} })
        if ('issues' in parsed) throw new Error('what erases a session is no valid command')
        const outcome = await exchange.command(principal, parsed.command)
        if (!outcome.ok) return { problem: outcome.problem }
      }
      const gone = await Promise.all(streams.map((stream) => eraser.erased(stream)))
      if (gone.every(Boolean)) return { value: undefined }
      const detail = 'The conversation is marked as erased, but not all of it could be removed yet. Delete it again.'
      return { problem: problem('storage_unavailable', detail, { retryAfterMs: 1_000 }) }
    },
  })
}

/** Where a session stands that is not over. */
function liveIn(snapshot: { state: StreamState } | undefined): SessionStatus | undefined {
  const { state } = snapshot ?? {}
  return state?.kind === 'session' && isLive(state.status) ? state.status : undefined
}

function nextText(told: Told): string {
  return Object.entries(told)
    .map(([session, seq]) => `${session}.${seq}`)
    .join('~')
}
