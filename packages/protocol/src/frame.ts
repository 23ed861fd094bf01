import { z } from 'zod'
import { CommandEnvelope } from './command.ts'
import type { EventType } from './events.ts'
import { CursorText, StreamId } from './ids.ts'

/**
 * What a follow can leave out, where the welcome says that it can. `output`: the bodies of what agents print and say, of
 * which whoever reported it has a copy. The events come all the same, in their places and with their hashes.
 */
export const Without = z.literal('output')

const outputTypes: ReadonlySet<string> = new Set<EventType>([
  'output.appended',
  'screen.saved',
  'message.delta',
  'message.completed',
  'thought.delta',
  'thought.completed',
  'step.started',
  'step.progressed',
  'step.finished',
])

/** Whether events of this type come without their bodies where `output` is left out. */
export function isOutput(type: string): boolean {
  return outputTypes.has(type)
}

/** Frames of `hotline.v1`, one JSON object in each text message; `t` names the frame. */
export const clientFrames = {
  /** First frame of a socket whose upgrade carried no credential. Exactly one of ticket and token. */
  hello: z.strictObject({
    t: z.literal('hello'),
    ticket: z.string().max(200).optional(),
    token: z.string().max(1_000).optional(),
    /** Name and version of the program, for the list of connections. */
    client: z.string().max(100).optional(),
    /** Of a runner: names this life of it. Another one with the same key is refused while this one is here. */
    instance: z.string().max(100).optional(),
  }),
  /** Follow a stream from after a cursor. One follow for a stream and socket; a second one replaces the first. */
  follow: z.strictObject({
    t: z.literal('follow'),
    stream: StreamId,
    after: CursorText,
    without: Without.optional(),
  }),
  unfollow: z.strictObject({ t: z.literal('unfollow'), stream: StreamId }),
  command: z.strictObject({ t: z.literal('command'), ...CommandEnvelope.shape }),
  /** Everything up to `seq` was applied; lets the server pace this follower. */
  ack: z.strictObject({ t: z.literal('ack'), stream: StreamId, seq: z.int().min(0) }),
  typing: z.strictObject({ t: z.literal('typing'), stream: StreamId }),
  ping: z.strictObject({ t: z.literal('ping') }),
} as const

/** Any frame of a client. Strict: a member that is not known is a typing error. */
export const ClientFrame = z.discriminatedUnion('t', [
  clientFrames.hello,
  clientFrames.follow,
  clientFrames.unfollow,
  clientFrames.command,
  clientFrames.ack,
  clientFrames.typing,
  clientFrames.ping,
])
export type ClientFrame = z.infer<typeof ClientFrame>
