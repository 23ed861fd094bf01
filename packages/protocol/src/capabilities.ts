import { z } from 'zod'

/** What the agent behind a session can do, as its adapter declares it. Screens offer only what works. */
export const Capabilities = z.looseObject({
  /** `turns`: prompts; `keys`: a terminal; `none`: nothing reaches it. */
  input: z.enum(['turns', 'keys', 'none']),
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
