import { z } from 'zod'
import { sessionStatuses } from './session-status.ts'

/** See there. */
export const SessionStatus = z.enum(sessionStatuses)
