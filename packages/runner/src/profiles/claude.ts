import type { AgentProfile } from './profile.ts'

/** Claude Code by its own program, without anything in between. */
export const claudeProfiles: readonly AgentProfile[] = []
