import { z } from 'zod'

/** What a machine that runs agents is, or has: `gpu`, `linux`, `eu-west.1`. */
export const MachineLabel = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, 'must be 1 to 40 letters, digits, ".", "_" or "-"')
