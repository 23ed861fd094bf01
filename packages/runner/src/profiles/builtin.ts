import { acpProfiles } from './acp.ts'
import { claudeProfiles } from './claude.ts'
import { codexProfiles } from './codex.ts'
import { commandProfiles } from './command.ts'
import { demoProfile } from './demo.ts'
import type { AgentProfile } from './profile.ts'

/** The profiles that come with Hotline, in the order in which people see them. `demo`: how the demonstration agent is started. */
export function builtinProfiles(demo: readonly string[] | undefined): readonly AgentProfile[] {
  return [demoProfile(demo), ...commandProfiles, ...claudeProfiles, ...codexProfiles, ...acpProfiles]
}
