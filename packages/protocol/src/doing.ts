import { z } from 'zod'

/**
 * What the agent of a session does at this moment, told to those who follow its project and never logged. With `session`
 * alone: nothing any more.
 */
export const Doing = z.looseObject({
  session: z.string(),
  step: z
    .looseObject({
      /** A `StepKind`; a later version may know more of them. */
      kind: z.string().max(40),
      /** Its first file or its command, in a few words. */
      object: z.string().max(200),
      /** When it began; where it is over, when it ended. */
      at: z.string(),
      over: z.boolean(),
    })
    .optional(),
  /** What its agent last told of the whole session so far; kept between its turns, until the server ends. */
  usage: z
    .looseObject({
      tokens: z.number().optional(),
      cost: z.looseObject({ amount: z.number(), currency: z.string() }).optional(),
    })
    .optional(),
})
export type Doing = z.infer<typeof Doing>
