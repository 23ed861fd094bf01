import { resolvedBy } from '@hotline/core/session/resolved-by'
import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import type { Unsent } from './request-message.ts'

/** How a request ended, as it is told. */
export type Ending =
  | ({ type: 'permission-resolved' } & Unsent<'permission-resolved'>)
  | ({ type: 'permission-timeout' } & Unsent<'permission-timeout'>)
  | ({ type: 'permission-cancelled' } & Unsent<'permission-cancelled'>)

/** By the events of one approval, oldest first; undefined where it has not ended. `nameOf`: of an account. */
export async function readEnding(
  requestId: string,
  events: readonly Envelope[],
  nameOf: (account: string) => Promise<string | undefined>,
): Promise<Ending | undefined> {
  const first = events[0] && asKnown(events[0])
  const end = events.find((event) => resolvedBy(event) !== undefined)
  const known = end && asKnown(end)
  const toolName = first?.type === 'approval.requested' ? (first.body?.tool ?? '') : ''
  const about = { requestId, toolName, timestamp: end?.at ?? '' }
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- no other event ends an approval
  switch (known?.type) {
    case 'approval.timed_out':
      return { type: 'permission-timeout', ...about }
    case 'approval.cancelled':
      return { type: 'permission-cancelled', ...about, reason: known.data.reason }
    case 'approval.resolved': {
      const { actor, channel, data, body } = known
      const name = actor.kind === 'person' ? await nameOf(actor.id) : undefined
      return {
        type: 'permission-resolved',
        ...about,
        decision: data.outcome === 'denied' ? 'deny' : 'allow',
        modified: data.outcome === 'allowed_modified',
        scope: data.scope,
        reason: body?.reason ?? null,
        by: { kind: actor.kind, id: actor.id, name: name ?? null },
        // Where, and not with which key.
        channel: channel?.split(':', 1)[0] ?? null,
      }
    }
    default:
      return undefined
  }
}
