import { z } from 'zod'
import { errorCodes } from './error.ts'

/** A refusal, as `error.ts` describes it. */
export const Problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(errorCodes),
  detail: z.string(),
  retryAfterMs: z.number().optional(),
})
