import type { Envelope } from '@hotline/protocol/event'
import type { EventOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'

/** The steps that run, by what events have said. */
export interface RunningSteps {
  take(event: Envelope): void
  /** The title of the step in which another agent works and asks for this; undefined where none does. */
  subAgentOf(event: EventOf<'approval.requested'>): string | undefined
}

/** Knows no more than the steps that have not ended. */
export function openRunningSteps(): RunningSteps {
  const running = new Map<string, { title: string | undefined; parent: string | undefined }>()
  return {
    take: (event) => {
      const known = asKnown(event)
      if (known?.type === 'step.started')
        running.set(known.data.step, { title: known.body?.title, parent: known.data.parent })
      if (known?.type === 'step.finished') running.delete(known.data.step)
    },
    subAgentOf: ({ data: { step } }) => running.get(running.get(step ?? '')?.parent ?? '')?.title,
  }
}
