import { z } from 'zod'

/** How much harm a request could do, as Hotline sees it; what an agent says of itself never lowers it. */
export const Risk = z.enum(['low', 'medium', 'high'])
export type Risk = z.infer<typeof Risk>
