import type { EventType } from './events.ts'

/** What programs and tools said: their bodies go first where output is kept for a time only. */
export const outputTypes: ReadonlySet<EventType> = new Set<EventType>([
  'output.appended',
  'screen.saved',
  'step.progressed',
  'step.finished',
])
