import { z } from 'zod'
import { idPattern } from './stream.ts'

/** Of an account, a session, a message, … */
export const Id = z.string().regex(idPattern, 'must be 1 to 64 letters, digits, "_" or "-"')

/** `<kind>:<id>`, for example `session:0198a1…`. */
export const StreamId = z
  .string()
  .regex(/^(session|task|project|server|account):[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/, 'must be <kind>:<id>')
export type StreamId = z.infer<typeof StreamId>

/** `<epoch>.<seq>`; `0` for the beginning; `now` for the present end. */
export const CursorText = z
  .string()
  .regex(/^(0|now|[a-z0-9]{8}\.(0|[1-9][0-9]{0,15}))$/, 'must be "0", "now" or <epoch>.<seq>')
