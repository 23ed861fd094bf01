import { FollowAnswer, FollowBody } from '@hotline/protocol/http'
import { CursorText, Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { Principal } from '../../access/principal.ts'
import type { ReceptionPorts } from '../../gate/reception.ts'
import { openEventStream } from './event-stream.ts'
import type { FollowRequest } from './follow-request.ts'
import { longPoll } from './long-poll.ts'
import { Nothing, type RegisterRoute } from '../route.ts'
import { nothingHere } from '../../session/outcome.ts'

/** Streams for those whom no WebSocket reaches: the same frames with the same cursors, over plain HTTP. */
export function registerFollowRoutes(route: RegisterRoute, reception: ReceptionPorts): void {
  const { exchange } = reception.gate
  // The router has looked at the credential before: changes of rights since then are not known, so they are looked at again.
  const known = (principal: Principal, instance?: string): FollowRequest['known'] => ({
    principal,
    rightsSeen: Number.NaN,
    instance,
  })

  route({
    method: 'POST',
    url: '/api/follow',
    summary: 'Follow several streams: an answer without end, or with `wait` one answer',
    permission: 'signed-in',
    // Another runner works with this key.
    refuses: ['already_exists'],
    streams: ['text/event-stream; charset=utf-8'],
    answer: FollowAnswer,
    example: { follows: [{ stream: 'project:default', after: 'now' }], wait: 0 },
    body: FollowBody,
    handle: ({ principal, body: { follows, wait, instance }, signal }) => {
      const request = { known: known(principal, instance), follows, signal }
      return wait === undefined ? openEventStream(request, reception) : longPoll(request, wait * 1_000, reception)
    },
  })

  route({
    method: 'GET',
    url: '/api/sessions/:id/stream',
    summary: 'Follow one session as server-sent events',
    permission: 'signed-in',
    streams: ['text/event-stream; charset=utf-8'],
    answer: Nothing,
    params: z.strictObject({ id: Id }),
    query: z.strictObject({ after: CursorText.default('0') }),
    resume: 'last-event-id',
    handle: async ({ principal, params, query, lastEventId, signal }) => {
      const stream = `session:${params.id}`
      if (!(await exchange.mayRead(principal, stream)) || !(await reception.gate.feeds.open(stream))) {
        return { problem: nothingHere() }
      }
      // A browser asks with the address that it began with; where it really stands is in the header.
      const follows = [{ stream, after: lastEventId ?? query.after }]
      return openEventStream({ known: known(principal), follows, signal }, reception)
    },
  })
}
