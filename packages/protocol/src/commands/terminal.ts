import { z } from 'zod'
import { Encoding } from '../events/output.ts'
import { Id } from '../ids.ts'

const cols = z.int().min(2).max(1_000)
const rows = z.int().min(2).max(1_000)

/** What people do to the terminal that a program runs in. */
export const terminalCommands = {
  'input.send': z.strictObject({
    text: z
      .string()
      .min(1)
      .max(32 * 1024),
    encoding: Encoding.default('utf8'),
    /** Of whoever has the keyboard of a terminal; without it, only while nobody has. */
    keyboard: Id.optional(),
  }),
  'terminal.resize': z.strictObject({ cols, rows, keyboard: Id.optional() }),
  /** From now on only what comes with this name is typed, and sets the size. Who had the keyboard before loses it. */
  'terminal.take': z.strictObject({
    /** Made by whoever takes it: it tells two windows of one person apart. */
    keyboard: Id,
    size: z.strictObject({ cols, rows }).optional(),
  }),
  'terminal.release': z.strictObject({ keyboard: Id }),
}
