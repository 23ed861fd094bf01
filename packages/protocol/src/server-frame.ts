import { z } from 'zod'
import { Role } from './actor.ts'
import { Accepted, Refused } from './command-answer.ts'
import { Doing } from './doing.ts'
import { Problem } from './problem.ts'
import { Envelope } from './event.ts'
import { Evidence } from './evidence.ts'
import { QueuePlace } from './queue.ts'

/** Who is connected, and what the connection may expect. */
export const Welcome = z.looseObject({
  t: z.literal('welcome'),
  connection: z.string(),
  principal: z.looseObject({
    kind: z.enum(['person', 'service', 'runner', 'system']),
    id: z.string(),
    name: z.string(),
    admin: z.boolean(),
  }),
  projects: z.array(z.looseObject({ project: z.string(), role: Role })),
  serverTime: z.string(),
  heartbeatMs: z.number(),
  /** What a follow can leave out, as `without` in its frame names it. An older server says nothing, and takes none. */
  without: z.array(z.string()).optional(),
})
export type Welcome = z.infer<typeof Welcome>

/** What a server says. Loose: a client passes over members that it does not know. */
export const serverFrames = {
  welcome: Welcome,
  /** Contiguous events `from` to `to`. The same bytes go to every follower of the stream. */
  events: z.looseObject({
    t: z.literal('events'),
    stream: z.string(),
    epoch: z.string(),
    from: z.int(),
    to: z.int(),
    events: z.array(Envelope),
  }),
  /** The follower has everything that is committed now. */
  caught_up: z.looseObject({ t: z.literal('caught_up'), stream: z.string(), epoch: z.string(), seq: z.int() }),
  unfollowed: z.looseObject({ t: z.literal('unfollowed'), stream: z.string(), problem: Problem }),
  accepted: z.looseObject({ t: z.literal('accepted'), ...Accepted.shape }),
  refused: z.looseObject({ t: z.literal('refused'), ...Refused.shape }),
  /** The cursor does not belong to this log: take a snapshot, then follow after `head`. */
  reset: z.looseObject({
    t: z.literal('reset'),
    stream: z.string(),
    reason: z.enum(['epoch', 'ahead', 'erased']),
    epoch: z.string(),
    head: z.int(),
  }),
  /** An event that a waiting follower will get later in its place, and may act on now. */
  urgent: z.looseObject({ t: z.literal('urgent'), stream: z.string(), event: Envelope }),
  /** Not logged: typing, who watches, what agents do now, work that waits for a runner. */
  ephemeral: z.looseObject({
    t: z.literal('ephemeral'),
    kind: z.string(),
    stream: z.string().optional(),
    /** With `doing`: what has changed in the sessions of a project. */
    doings: z.array(Doing).optional(),
    /** With `look`, to a runner: sessions of which somebody wants to see how they stand. */
    streams: z.array(z.string()).optional(),
    /** With `folder`, to a runner: what a folder is like for an agent, to be answered under `ask`. */
    ask: z.string().optional(),
    agent: z.string().optional(),
    folder: z.string().optional(),
    /** With `evidence`: what its machine sees of the session of `stream`. */
    evidence: Evidence.optional(),
    /** With `queue`: what waits for a machine in a project, in the order in which it will begin. */
    queue: z.array(QueuePlace).optional(),
  }),
  /** Heartbeat, with the heads of the followed streams: finds a lost last event. */
  heads: z.looseObject({ t: z.literal('heads'), heads: z.record(z.string(), z.string()) }),
  pong: z.looseObject({ t: z.literal('pong') }),
  problem: z.looseObject({ t: z.literal('problem'), problem: Problem }),
  goodbye: z.looseObject({ t: z.literal('goodbye'), code: z.string(), retryAfterMs: z.number().optional() }),
} as const

/** Any frame of a server. */
export const ServerFrame = z.discriminatedUnion('t', [
  serverFrames.welcome,
  serverFrames.events,
  serverFrames.caught_up,
  serverFrames.unfollowed,
  serverFrames.accepted,
  serverFrames.refused,
  serverFrames.reset,
  serverFrames.urgent,
  serverFrames.ephemeral,
  serverFrames.heads,
  serverFrames.pong,
  serverFrames.problem,
  serverFrames.goodbye,
])
export type ServerFrame = z.infer<typeof ServerFrame>
