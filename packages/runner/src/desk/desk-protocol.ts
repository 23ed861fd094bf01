import { limits } from '@hotline/protocol/limits'
import { z } from 'zod'

/**
 * What the programs of one session say at its desk: lines of JSON over a socket of this machine. The first line is
 * `{ "token": … }`. Each request is answered once under its `id`; one that is given up is named in `cancel`.
 */

/** What the file holds in which the programs of an agent find its desk. */
export const DeskPlace = z.object({ session: z.string(), socket: z.string(), token: z.string() })
export type DeskPlace = z.infer<typeof DeskPlace>

/** Bytes of one line; an input that is longer could not be shown whole. */
export const deskLineBytes: number = 2 * limits.contentBytes

const Words = z.string().min(1).max(10_000)

/** What may be asked. */
export const deskMethods = {
  /** A question, with what the answer has to be in JSON Schema; without it, text. */
  ask_human: z.strictObject({ text: Words, schema: z.record(z.string(), z.unknown()).optional() }),
  /** Somebody decides about exactly this. */
  request_approval: z.strictObject({
    tool: z.string().min(1).max(200),
    title: z.string().min(1).max(500),
    input: z.string().max(limits.contentBytes),
    reason: z.string().max(2_000).optional(),
    /** `changed`: another input can be run in place of this one. */
    takes: z.enum(['yes_or_no', 'changed']),
  }),
  notify: z.strictObject({ text: z.string().min(1).max(limits.agentMessageChars) }),
  /** Shows people a file. `path`: from the folder that the agent works in. */
  send_file: z.strictObject({
    path: z.string().min(1).max(4_096),
    text: z.string().max(limits.agentMessageChars).optional(),
  }),
  /** People look at what was changed, and keep or discard it. `note`: what they should know. */
  submit_draft: z.strictObject({ note: z.string().min(1).max(2_000).optional() }),
  complete_goal: z.strictObject({ summary: z.string().max(2_000).optional() }),
} as const

/** The name of what may be asked. */
export type DeskMethod = keyof typeof deskMethods

/** An answer to a question. */
export const DeskAnswer = z.object({ action: z.enum(['accept', 'decline', 'cancel']), content: z.unknown().optional() })
export type DeskAnswer = z.infer<typeof DeskAnswer>

/** What came of a request for approval. The six are never mixed up. */
export const DeskDecision = z.object({
  outcome: z.enum(['allowed', 'allowed_modified', 'denied', 'timed_out', 'queue_full', 'cancelled']),
  /** The input to run, where it is another one. */
  input: z.string().optional(),
  reason: z.string().optional(),
})
export type DeskDecision = z.infer<typeof DeskDecision>

/** What came of a review. `nothing`: there was nothing to look at; `closed`: nobody will look at it any more. */
export const DeskReview = z.object({
  outcome: z.enum(['reviewed', 'nothing', 'closed']),
  files: z.array(
    z.object({ path: z.string(), outcome: z.enum(['kept', 'discarded', 'open']), why: z.string().optional() }),
  ),
  /** A person's, or why there was none. */
  reason: z.string().optional(),
})
export type DeskReview = z.infer<typeof DeskReview>

/** What became of a file that was to be sent. */
export const DeskSent = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('sent'), name: z.string(), type: z.string(), bytes: z.int() }),
  z.object({ outcome: z.literal('refused'), why: z.string() }),
])
export type DeskSent = z.infer<typeof DeskSent>

/** A line to the desk after the first. */
export const DeskRequest = z.union([
  z.strictObject({ id: z.int().min(1), method: z.string().max(100), params: z.unknown() }),
  z.strictObject({ cancel: z.int().min(1) }),
])

/** A line of the desk. */
export const DeskReply = z.object({ id: z.int(), result: z.unknown().optional(), error: z.string().optional() })
