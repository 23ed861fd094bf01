import type { Me } from '@hotline/protocol/http'
import type { TaskColumn, TaskPage, TaskRow } from '@hotline/protocol/task'
import type { Server } from './ask-server.ts'
import { fail } from './failure.ts'
import { namedBy } from './find-id.ts'

/** The project that is named, or the first of whoever asks. Throws a `Failure` where there is none. */
export async function projectOr(server: Server, named: string | undefined): Promise<string> {
  const project = named ?? (await server.get<Me>('/api/me')).projects[0]?.project
  if (project === undefined) throw fail('not_found', 'You are in no project yet.')
  return project
}

/** All cards of a project, or of one column, in their order. */
export async function readTasks(server: Server, project: string, column?: TaskColumn): Promise<readonly TaskRow[]> {
  const rows: TaskRow[] = []
  for (let next: string | null = ''; next !== null;) {
    const query = new URLSearchParams({ project, limit: '1000' })
    if (column !== undefined) query.set('column', column)
    if (next !== '') query.set('after', next)
    const page: TaskPage = await server.get(`/api/tasks?${query}`)
    rows.push(...page.tasks)
    next = page.next
  }
  return rows
}

/** A card by its id or by the beginning of it. Throws a `Failure` where none or several fit. */
export async function findTask(server: Server, text: string, project: string | undefined): Promise<TaskRow> {
  const fitting = namedBy(text, await readTasks(server, await projectOr(server, project)), ({ task }) => task)
  const [only, another] = fitting
  if (!only) throw fail('not_found', `No card begins with "${text}". See: hotline task ls`)
  if (another) throw fail('invalid_request', `${fitting.length} cards begin with "${text}". Give more of the id.`)
  return only
}
