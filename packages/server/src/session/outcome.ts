import type { Accepted } from '@hotline/protocol/command'
import type { Problem } from '@hotline/protocol/error'

/** The answer to a command: once accepted it is on disk. */
export type CommandOutcome = { ok: true; accepted: Accepted } | { ok: false; problem: Problem }
