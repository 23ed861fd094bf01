import { problem } from '@hotline/protocol/error'
import { InteractionPage } from '@hotline/protocol/interactions'
import { limits } from '@hotline/protocol/limits'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import { nothingHere } from '../../session/outcome.ts'
import { readInteractions, type Told } from '../../session/read-interactions.ts'
import type { RegisterRoute } from '../route.ts'
import { Count } from './sessions.ts'
import type { TaskRoutePorts } from './tasks.ts'

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
export function registerInteractionRoutes(route: RegisterRoute, { exchange, store, lists }: TaskRoutePorts): void {
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
}

function nextText(told: Told): string {
  return Object.entries(told)
    .map(([session, seq]) => `${session}.${seq}`)
    .join('~')
}
