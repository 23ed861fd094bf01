import { z } from 'zod'
import { Id } from './ids.ts'

/**
 * The messages of `/ws/agents/:name`: a small view of one session for scripts. Its members are in snake case, as in the
 * document that it was first described in; times are RFC 3339 in UTC.
 */

/** What can be asked of an agent. */
export const lineCommands = ['get_state', 'pause', 'resume', 'kill', 'send_input'] as const

const requestId = z.string().min(1).max(100)

const envelope = {
  type: z.literal('command'),
  /** By the sender's clock; nothing is decided by it. */
  timestamp: z.string().max(100).optional(),
  /** Where it is there, the name that stands in the address. */
  agent: Id.optional(),
  /** Comes back with what came of it. A UUID is the id of the command as well: sent again, it happens once. */
  request_id: requestId.optional(),
}
const reason = z.string().max(500).optional()
const Nothing = z.strictObject({}).optional()

/** What a client says. */
export const LineCommand = z.discriminatedUnion('command', [
  z.strictObject({ ...envelope, command: z.literal('get_state'), data: Nothing }),
  z.strictObject({ ...envelope, command: z.literal('pause'), data: z.strictObject({ reason }).optional() }),
  z.strictObject({ ...envelope, command: z.literal('resume'), data: Nothing }),
  z.strictObject({ ...envelope, command: z.literal('kill'), data: z.strictObject({ reason }).optional() }),
  z.strictObject({
    ...envelope,
    command: z.literal('send_input'),
    data: z.strictObject({
      /** As it is typed: a line ends with `\n`. */
      input: z
        .string()
        .min(1)
        .max(32 * 1024),
      encoding: z.enum(['utf8', 'base64']).optional(),
    }),
  }),
])
export type LineCommand = z.infer<typeof LineCommand>

/** The first message of a client that could send no `Authorization` header. Exactly one of the two. */
export const LineHello = z.strictObject({
  type: z.literal('hello'),
  ticket: z.string().max(200).optional(),
  token: z.string().max(1_000).optional(),
})

/** How an agent stands. What is not known is null. */
export const LineState = z.looseObject({
  session: z.string(),
  title: z.string(),
  project: z.string(),
  profile: z.string(),
  status: z.string(),
  since: z.string(),
  reason: z.string().nullable(),
  turn: z.enum(['idle', 'running', 'waiting', 'watched']),
  pid: z.int().nullable(),
  start_time: z.string().nullable(),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  /** It is being ended. */
  ending: z.enum(['aborted', 'completed']).nullable(),
  /** Since when nothing was heard of its machine. */
  out_of_contact_since: z.string().nullable(),
  open_approvals: z.int(),
  open_questions: z.int(),
  queued_messages: z.int(),
  /** In the answer to `get_state`, as its machine sees it now: of the whole process tree. */
  processes: z.int().nullable().optional(),
  cpu_ms: z.number().nullable().optional(),
  memory_bytes: z.number().nullable().optional(),
  last_output_time: z.string().nullable().optional(),
})
export type LineState = z.infer<typeof LineState>

/** What became of a command. */
export const LineOutcome = z.looseObject({
  /** False where the agent's side could not do it; `reason` says why. */
  success: z.boolean(),
  /** `under_way`: asked for, and not done for some seconds; a `status` tells when it is. */
  result: z.enum(['done', 'failed', 'under_way']),
  reason: z.string().optional(),
  /** The command as the log of the session names it, and where it stands there. */
  id: z.string(),
  seq: z.int(),
})
export type LineOutcome = z.infer<typeof LineOutcome>

const said = { timestamp: z.string(), agent: z.string(), request_id: z.string() }

/** What the server says. A refusal is an `error` with a problem of the one table in `data`. */
export const LineMessage = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('connected'), ...said, data: LineState }),
  z.looseObject({ type: z.literal('status'), ...said, data: LineState }),
  z.looseObject({ type: z.literal('response'), ...said, command: z.string(), data: z.union([LineState, LineOutcome]) }),
  z.looseObject({
    type: z.literal('error'),
    ...said,
    command: z.string().optional(),
    data: z.looseObject({ success: z.literal(false), code: z.string(), detail: z.string() }),
  }),
])
export type LineMessage = z.infer<typeof LineMessage>

/** `GET /api/ws/stats`: the connections of `/ws/agents/:name` to sessions that the caller may read. */
export const LineStats = z.object({
  total_connections: z.int(),
  /** By the name in the address. */
  agents: z.record(z.string(), z.int()),
  sessions: z.array(z.object({ session: z.string(), agent: z.string(), connections: z.int() })),
})
export type LineStats = z.infer<typeof LineStats>
