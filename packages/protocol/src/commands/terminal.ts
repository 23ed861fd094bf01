import { z } from 'zod'
import { Encoding } from '../events/output.ts'

/** What people do to the terminal that a program runs in. */
export const terminalCommands = {
  'input.send': z.strictObject({
    text: z
      .string()
      .min(1)
      .max(32 * 1024),
    encoding: Encoding.default('utf8'),
  }),
  'terminal.resize': z.strictObject({ cols: z.int().min(2).max(1_000), rows: z.int().min(2).max(1_000) }),
}
