import type { EventOf } from '@hotline/protocol/events'
import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import type { ResolvedApproval } from './state.ts'

/** The end of an approval: somebody answered, nobody did in time, or the agent no longer asks. */
export type Resolving = EventOf<'approval.resolved' | 'approval.timed_out' | 'approval.cancelled'>

/** Who answered, by the event alone; undefined for one that ends no approval. What was asked for it does not tell. */
export function resolvedBy(event: Envelope): ResolvedApproval | undefined {
  const known = asKnown(event)
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- no other event ends an approval
  switch (known?.type) {
    case 'approval.resolved':
      return resolution(known, known.data.outcome)
    case 'approval.timed_out':
      return resolution(known, 'timed_out')
    case 'approval.cancelled':
      return resolution(known, 'cancelled')
    default:
      return undefined
  }
}

function resolution(event: Resolving, outcome: ResolvedApproval['outcome']): ResolvedApproval {
  const { data, actor, channel, at, seq } = event
  return { approval: data.approval, outcome, by: actor, channel, at, seq }
}
