import type { Envelope } from '@hotline/protocol/event'
import type { KnownDraft } from '@hotline/protocol/events'
import { protocolVersion } from '@hotline/protocol/version'
import type { Context } from './decision.ts'

/** A draft as the event it is going to be, without its place: what `evolve` needs to go on before the log has it. */
export function draftEvent(
  stream: string,
  draft: KnownDraft,
  context: Pick<Context, 'now' | 'actor' | 'channel'>,
): Envelope {
  return {
    v: protocolVersion,
    stream,
    seq: 0,
    at: context.now,
    type: draft.type,
    subject: draft.subject,
    actor: draft.actor ?? context.actor,
    channel: draft.actor ? undefined : context.channel,
    data: draft.data,
    body: 'body' in draft ? draft.body : undefined,
    hash: '',
  }
}
