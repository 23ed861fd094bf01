import type { FaultRow } from './fault-row.ts'
import { killServer } from './rows/kill-server.ts'

/** The rows of the list of faults that this repeats, in its order. */
export const faultRows: readonly FaultRow[] = [killServer]
