import type { Command, CommandOf } from '@hotline/protocol/command'
import { splitStream } from '@hotline/protocol/stream'
import type { Assignee, TaskColumn } from '@hotline/protocol/task'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import { columnAfter } from './column-after.ts'
import type { TaskState } from './state.ts'

/** What a command means for a card. */
export function decideTask(state: TaskState | undefined, command: Command, context: Context): Decision {
  if (command.type === 'task.create') return create(state, command, context)
  if (!state) return refuse('not_found', 'There is no task with this id.')
  // Also what becomes of a session whose card is gone is told to it: its history goes on.
  if (command.type === 'task.observe') return observe(state, command, context)
  if (state.removed) return refuse('not_found', 'There is no task with this id.')
  if (command.type === 'task.change') return change(state, command, context)
  if (command.type === 'task.remove') return remove(state, context)
  if (command.type === 'task.move') return move(state, command, context)
  return refuse('invalid_request', `"${command.type}" is not a command for a task.`)
}

function create(state: TaskState | undefined, command: CommandOf<'task.create'>, { board }: Context): Decision {
  if (state) return refuse('already_exists', 'A task with this id exists.')
  const { project, title, description, column, priority, labels, assignee } = command.data
  const stranger = strangerIn(assignee, board)
  if (stranger) return stranger
  const position = board?.placeFor(column, undefined)
  return accept({
    type: 'task.created',
    ...(description === undefined ? {} : { subject: descriptionSubject }),
    data: {
      task: splitStream(command.stream).id,
      project,
      column,
      ...(position === undefined ? {} : { position }),
      priority,
      ...(assignee ? { assignee } : {}),
    },
    body: {
      title,
      ...(description === undefined ? {} : { description }),
      ...(labels.length === 0 ? {} : { labels }),
    },
  })
}

function change(state: TaskState, { data }: CommandOf<'task.change'>, { board }: Context): Decision {
  const { title, description, labels, priority, assignee } = data
  if (Object.keys(data).length === 0) {
    return refuse('invalid_request', 'Name what shall change: title, description, labels, priority or assignee.')
  }
  const stranger = strangerIn(assignee, board)
  if (stranger) return stranger
  return accept({
    type: 'task.changed',
    ...(description === undefined ? {} : { subject: descriptionSubject }),
    data: {
      task: state.task,
      ...(priority === undefined ? {} : { priority }),
      ...(assignee === undefined ? {} : { assignee }),
    },
    body: {
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      ...(labels === undefined ? {} : { labels }),
    },
  })
}

/** What it said goes with it: nobody could ask for that any more. */
function remove({ task }: TaskState, { head = 0 }: Context): Decision {
  return accept(
    { type: 'task.removed', data: { task } },
    { type: 'content.erased', data: { upTo: head, reason: 'requested' } },
  )
}

function move(state: TaskState, { data: { to, after } }: CommandOf<'task.move'>, { board }: Context): Decision {
  const isThere = state.column === to
  if (isThere && (after === undefined || after === state.task)) return accept()
  const position = board?.placeFor(to, after)
  if (position === undefined && after !== undefined && after !== null) {
    return refuse('not_found', 'The card after which it shall stand is not in that column (any more).')
  }
  return accept(moved(state, to, position))
}

function observe(state: TaskState, { data }: CommandOf<'task.observe'>, { board }: Context): Decision {
  const { at, session, agent, phase, changes } = data
  const seen = { session, agent, phase, changes }
  const to = state.removed ? state.column : columnAfter(state, seen)
  const told = {
    type: 'task.session_seen' as const,
    subject: `session:${session}`,
    data: { task: state.task, ...seen, at },
  }
  if (to === state.column) return accept(told)
  return accept(told, moved(state, to, board?.placeFor(to, undefined), session))
}

function moved(
  { task, column }: TaskState,
  to: TaskColumn,
  position: string | undefined,
  session?: string,
): Extract<Decision, { ok: true }>['events'][number] {
  return {
    type: 'task.moved',
    data: {
      task,
      from: column,
      to,
      ...(position === undefined ? {} : { position }),
      ...(session === undefined ? {} : { session }),
    },
  }
}

function strangerIn(assignee: Assignee | null | undefined, board: Context['board']): Decision | undefined {
  if (assignee?.kind !== 'person' || board?.isMember(assignee.id) !== false) return undefined
  return refuse('not_found', 'Who shall do it is not a member of this project.')
}

/** By it the store finds what was said last. */
export const descriptionSubject = 'description'
