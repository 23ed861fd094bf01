import { z } from 'zod'

/** From the least to the most. */
export const risks = ['low', 'medium', 'high'] as const

/** How much harm a request could do, as Hotline sees it; what an agent says of itself never lowers it. */
export const Risk = z.enum(risks)
export type Risk = z.infer<typeof Risk>
