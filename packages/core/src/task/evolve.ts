import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import { erasedTitle } from '../erased-title.ts'
import type { TaskState } from './state.ts'

/** Of more, the oldest are forgotten; they are in the log. */
const sessionsMax = 50
/** Where a card stood of which an earlier Hotline kept no place: among such the id decides. */
const firstPosition = 'a0'

/** The fold of a card's stream. */
export function evolveTask(state: TaskState | undefined, event: Envelope): TaskState | undefined {
  const known = asKnown(event)
  if (known?.type === 'task.created') {
    const { task, project, column, position = firstPosition, priority = 'normal', assignee } = known.data
    const { title = '', labels = [] } = known.body ?? {}
    const begun = { title, labels, sessions: [], createdAt: known.at, removed: false }
    return { kind: 'task', task, project, column, position, priority, ...(assignee ? { assignee } : {}), ...begun }
  }
  if (!state || !known) return state
  if (known.type === 'task.changed') {
    const { priority = state.priority, assignee = state.assignee } = known.data
    const { title = state.title, labels = state.labels } = known.body ?? {}
    const { assignee: _before, ...others } = state
    return { ...others, title, labels, priority, ...(assignee ? { assignee } : {}) }
  }
  if (known.type === 'task.moved') {
    return { ...state, column: known.data.to, position: known.data.position ?? state.position }
  }
  if (known.type === 'task.session_seen') {
    const { session, agent, phase, changes } = known.data
    const others = state.sessions.filter((other) => other.session !== session)
    const isNew = others.length === state.sessions.length
    const seen = { session, agent, phase, changes }
    const sessions = isNew
      ? [seen, ...others].slice(0, sessionsMax)
      : state.sessions.map((other) => (other.session === session ? seen : other))
    return { ...state, sessions }
  }
  if (known.type === 'task.removed') return { ...state, removed: true }
  if (known.type === 'content.erased') return { ...state, title: erasedTitle, labels: [] }
  return state
}
