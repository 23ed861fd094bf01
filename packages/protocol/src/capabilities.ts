import { z } from 'zod'

/** What the agent behind a session can do, as its adapter declares it. Screens offer only what works. */
export const Capabilities = z.looseObject({
  /**
   * `turns`: prompts, each with an answer that ends; `keys`: a terminal; `lines`: a program that reads lines and knows no
   * turns; `none`: nothing reaches it.
   */
  input: z.enum(['turns', 'keys', 'lines', 'none']),
  /** True where it takes a message in the middle of a turn. Absent: no. */
  steer: z.boolean().optional(),
  interrupt: z.boolean(),
  pause: z.enum(['signal', 'none']),
  resume: z.boolean(),
  /** Verdicts that reach the agent; empty where it never asks. */
  verdicts: z.array(z.enum(['allow', 'deny', 'modify'])),
  /** True where the agent hears the reason of a denial by itself. */
  denyReason: z.boolean(),
  questions: z.boolean(),
  /** True where there is a terminal screen. */
  screen: z.boolean(),
})
export type Capabilities = z.infer<typeof Capabilities>

/** True where what is sent goes to a program as if it were typed there: nobody asks before it acts on it. */
export function isTypedTo(capabilities: Capabilities | undefined): boolean {
  return capabilities?.input === 'keys' || capabilities?.input === 'lines'
}
