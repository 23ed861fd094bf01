import { z } from 'zod'
import { policyModes } from './policy-mode.ts'

/** See there. */
export const PolicyModeName = z.enum(policyModes)
