import type { ReportableType } from '@hotline/protocol/commands/agent'

/** The member of `data` that names what an event is about, by family. */
const subjects: Record<string, string> = {
  message: 'message',
  thought: 'thought',
  turn: 'turn',
  step: 'step',
  approval: 'approval',
  question: 'question',
  control: 'control',
  undo: 'undo',
  checkpoint: 'checkpoint',
  draft: 'draft',
}

/** `<family>:<id>` of a reported event, where its family has subjects. A plan is one subject of its own. */
export function subjectOf(type: ReportableType, data: Record<string, unknown>): string | undefined {
  const family = type.slice(0, type.indexOf('.'))
  if (family === 'plan') return 'plan'
  // It is the end of the undo that somebody asked for.
  if (type === 'checkpoint.restored') return typeof data['undo'] === 'string' ? `undo:${data['undo']}` : undefined
  const member = subjects[family]
  const id = member === undefined ? undefined : data[member]
  return typeof id === 'string' ? `${family}:${id}` : undefined
}
