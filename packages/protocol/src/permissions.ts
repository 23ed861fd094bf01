import { z } from 'zod'
import { Actor } from './actor.ts'
import { Digest } from './events/approval.ts'
import { Risk } from './risk.ts'
import { Id } from './ids.ts'

/**
 * The messages of `permissions.v1`: what agents ask to be allowed, for any program that can speak JSON over a WebSocket. Its
 * members are named as in the document that it was first described in; times are RFC 3339 in UTC.
 */

/** The WebSocket sub-protocol. A client may also offer none. */
export const permissionsSubprotocol = 'permissions.v1'

/** Messages that a client who acknowledges is sent beyond what it has acknowledged. */
export const unacknowledgedPermissions = 200

/** How a request is named: its session and its approval. */
const RequestId = z.string().min(1).max(140)

/** What a client says. */
export const PermissionInput = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('permission-response'),
    requestId: RequestId,
    /** Made by the sender: a response that is sent again under it happens once, and is answered alike. */
    responseId: Id.optional(),
    /** `approve` means `allow`. */
    decision: z.enum(['allow', 'approve', 'deny']),
    /** What shall run in place of what was asked: as JSON, or as the exact text. */
    updatedInput: z.union([z.string().max(256 * 1024), z.record(z.string(), z.unknown())]).optional(),
    reason: z.string().max(2_000).optional(),
    scope: z.enum(['once', 'session', 'project']).optional(),
    /** Of what was shown; absent where this connection showed it. */
    digest: Digest.optional(),
    /** For what is of high risk: the word that the request names. */
    confirm: z.string().max(100).optional(),
  }),
  /** All up to this `seq` has arrived. */
  z.strictObject({ type: z.literal('permission-ack'), seq: z.int().min(1) }),
  z.strictObject({ type: z.literal('ping') }),
])
export type PermissionInput = z.infer<typeof PermissionInput>
export type PermissionResponse = Extract<PermissionInput, { type: 'permission-response' }>

/** Messages that one batch of a client holds at most. */
const batchMax = 50

/** Several messages of a client in one frame, each read by itself. For one that has asked for batches. */
export const PermissionInputBatch = z.strictObject({
  type: z.literal('permission-batch'),
  messages: z.array(z.unknown()).min(1).max(batchMax),
})

/** What is around a request: whose it is, and what its agent says about it. */
const PermissionContext = z.looseObject({
  session: z.string(),
  title: z.string(),
  project: z.string(),
  agent: z.string(),
  subAgent: z.string().nullable(),
  /** One line for people, of the agent's making. */
  summary: z.string(),
  cwd: z.string().nullable(),
  reason: z.string().nullable(),
  /** A secret was masked in the input. */
  redacted: z.boolean(),
  changes: z.array(z.looseObject({ path: z.string(), newText: z.string() })).optional(),
})

const said = {
  /** 1, 2, 3, … on this connection. */
  seq: z.int(),
  timestamp: z.string(),
}
const about = { ...said, requestId: z.string(), toolName: z.string() }

/** What the server says. */
export const PermissionMessage = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('permission-request'),
    ...said,
    id: z.string(),
    toolName: z.string(),
    /** What would run: the JSON, where its text is written without blanks, otherwise the text; null where it is too long for a message. */
    input: z.unknown(),
    /** Where the exact text lies that is too long for a message. */
    content: z.looseObject({ digest: Digest, bytes: z.int(), path: z.string() }).optional(),
    context: PermissionContext,
    expiresAt: z.string(),
    /** The session is paused, and the time does not run. */
    timeStands: z.boolean(),
    digest: Digest,
    risk: Risk.nullable(),
    /** Present where a person has to type a word to allow it. */
    confirm: z.looseObject({ word: z.string(), why: z.string() }).optional(),
    /** What the agent takes: `allow`, `deny`, `modify` (allow with `updatedInput`). */
    decisions: z.array(z.string()),
    scopes: z.array(z.string()),
  }),
  /** A response was carried out. */
  z.looseObject({
    type: z.literal('permission-ack'),
    ...said,
    requestId: z.string(),
    responseId: z.string().nullable(),
    decision: z.enum(['allow', 'deny']),
    /** Of its command in the log of the session. */
    id: z.string(),
    cursor: z.string(),
  }),
  /** Somebody has answered. */
  z.looseObject({
    type: z.literal('permission-resolved'),
    ...about,
    decision: z.enum(['allow', 'deny']),
    /** Another input was put in its place. */
    modified: z.boolean(),
    scope: z.string(),
    reason: z.string().nullable(),
    by: Actor.extend({ name: z.string().nullable() }),
    channel: z.string().nullable(),
  }),
  /** Nobody answered in time; the agent was told no. */
  z.looseObject({ type: z.literal('permission-timeout'), ...about }),
  /** Nobody has to answer any more. */
  z.looseObject({ type: z.literal('permission-cancelled'), ...about, reason: z.string() }),
  z.looseObject({
    type: z.literal('permission-queue-status'),
    ...said,
    /** Asked and not answered, in all that may be seen here, with those that wait behind others of their session. */
    pending: z.int(),
    /** Answered, and the agent has not got it yet. */
    processing: z.int(),
    /** Since when the oldest open one waits. */
    oldestAt: z.string().nullable(),
    /** For `?after=` of the next connection. */
    cursor: z.string(),
  }),
  z.looseObject({ type: z.literal('pong'), ...said }),
  z.looseObject({
    type: z.literal('error'),
    ...said,
    requestId: z.string().optional(),
    responseId: z.string().optional(),
    error: z.looseObject({ code: z.string(), title: z.string(), status: z.int(), detail: z.string() }),
  }),
])
export type PermissionMessage = z.infer<typeof PermissionMessage>

/** Several of them in one frame, in their order; `seq` and `timestamp` are those of the last. For a client that has asked for it. */
export const PermissionBatch = z.looseObject({
  type: z.literal('permission-batch'),
  ...said,
  messages: z.array(PermissionMessage).min(2),
})
