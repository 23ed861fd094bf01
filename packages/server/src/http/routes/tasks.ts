import { descriptionSubject } from '@hotline/core/task/decide'
import { asKnown } from '@hotline/protocol/known-event'
import { Id } from '@hotline/protocol/ids'
import { Assignee, TaskColumn, TaskDetail, TaskPage, type TaskRow, TaskSession } from '@hotline/protocol/task'
import { z } from 'zod'
import type { Lists, TaskPosition } from '../../log/lists.ts'
import type { LogStore } from '../../log/log-store.ts'
import { readEvent } from '../../log/read-event.ts'
import type { TaskTable } from '../../log/tables.ts'
import type { Exchange } from '../../session/exchange.ts'
import { nothingHere } from '../../session/outcome.ts'
import type { RegisterRoute } from '../route.ts'
import { Count, projectsOf } from './sessions.ts'

/** What these routes read. */
export interface TaskRoutePorts {
  exchange: Exchange
  store: LogStore
  lists: Lists
}

/** The place where an earlier page ended, as its `next` said it. */
const AfterTask: z.ZodType<TaskPosition, string> = z
  .string()
  .regex(
    /^(backlog|todo|in_progress|review|done|cancelled)~[0-9A-Za-z]{1,900}~[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/,
    'must be the "next" of an earlier page',
  )
  .transform((text) => text.split('~'))
  .pipe(
    z.tuple([TaskColumn, z.string().regex(/^[0-9A-Za-z]+$/), Id], { error: 'must be the "next" of an earlier page' }),
  )
  .transform(([column_name, position, task]) => ({ column_name, position, task }))

/** Cards of a board. They are changed by commands to their streams, like everything else. */
export function registerTaskRoutes(route: RegisterRoute, { exchange, store, lists }: TaskRoutePorts): void {
  route({
    method: 'GET',
    url: '/api/tasks',
    summary: 'A page of the cards of a project',
    permission: 'read',
    refuses: ['not_found'],
    answer: TaskPage,
    query: z.strictObject({
      project: Id,
      column: TaskColumn.optional(),
      limit: Count.default(200),
      after: AfterTask.optional(),
    }),
    handle: async ({ principal, query }) => {
      const mine = await projectsOf(principal, lists)
      // The cursor is read first: what a follower sees after it can only be newer than the rows.
      const head = mine.includes(query.project) ? await store.head(`project:${query.project}`) : undefined
      if (!head) return { problem: nothingHere() }
      const page = await lists.tasks(query)
      return {
        value: {
          tasks: page.tasks.map(taskRow),
          next: page.next ? positionText(page.next) : null,
          cursor: `${head.epoch}.${head.head}`,
        },
      }
    },
  })

  route({
    method: 'GET',
    url: '/api/tasks/:id',
    summary: 'A card with its sessions',
    permission: 'read',
    answer: TaskDetail,
    params: z.strictObject({ id: Id }),
    handle: async ({ principal, params }) => {
      const stream = `task:${params.id}`
      const snapshot = (await exchange.mayRead(principal, stream)) ? await exchange.snapshot(stream) : undefined
      const row = snapshot && (await lists.task(params.id))
      if (!row) return { problem: nothingHere() }
      const { cursor } = snapshot
      return { value: { stream, cursor, task: taskRow(row), description: await descriptionOf(store, stream) } }
    },
  })
}

/** As it was written last; null where nobody wrote one, or where it was erased. */
async function descriptionOf(store: LogStore, stream: string): Promise<string | null> {
  const [ends] = await store.readEnds([{ stream, subject: descriptionSubject }])
  const last = ends?.events.at(-1)
  const known = last && asKnown(readEvent(last))
  if (known?.type !== 'task.created' && known?.type !== 'task.changed') return null
  return known.body?.description ?? null
}

function positionText({ column_name, position, task }: TaskPosition): string {
  return [column_name, position, task].join('~')
}

/** A card as the API shows it. */
function taskRow(row: TaskTable): TaskRow {
  const { column_name, labels, assignee, sessions, created_at, updated_at, ...same } = row
  return {
    ...same,
    column: column_name,
    labels: z.array(z.string()).parse(JSON.parse(labels)),
    assignee: assignee === null ? null : Assignee.parse(JSON.parse(assignee)),
    sessions: z.array(TaskSession).parse(JSON.parse(sessions)),
    createdAt: created_at,
    updatedAt: updated_at,
  }
}
