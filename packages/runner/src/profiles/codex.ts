import type { AgentProfile } from './profile.ts'

/** Codex by its own program, without anything in between. */
export const codexProfiles: readonly AgentProfile[] = []
