import { runsProgram, StartError } from '../adapters/adapter.ts'
import type { Fences } from '../process/namespace.ts'
import type { AgentProfile } from './profile.ts'

/**
 * In what an agent is contained. `processes`: the kernel keeps together all that it starts, or it is not started. `files`: the
 * same behind a fence. `auto`: behind a fence where the machine can make one, and else without. `none`: never.
 */
export const containments = ['auto', 'files', 'processes', 'none'] as const
export type Containment = (typeof containments)[number]

/** What a profile says of its agent's containment. */
type Wish = Pick<AgentProfile, 'contain' | 'adapter' | 'hasSandbox'>

/** What a profile wants. Agents are behind a fence where there can be one; a program is what a person made it. */
function containmentOf({ contain, adapter }: Wish): Containment {
  return contain ?? (runsProgram(adapter) ? 'none' : 'auto')
}

/** True where an agent of this profile is behind a fence, if nobody says otherwise. */
export function isFenced(profile: Wish, fences: Fences): boolean {
  switch (containmentOf(profile)) {
    case 'files':
      return true
    case 'auto':
      // One that keeps its programs in a sandbox loses that where it can make none: then its own is worth more.
      return profile.hasSandbox === true ? fences.nesting : fences.any
    case 'processes':
    case 'none':
      return false
  }
}

/** A profile of which it is known what its agent is contained in. */
export interface SettledProfile extends AgentProfile {
  contain: Exclude<Containment, 'auto'>
}

/** The profile with what its agent is contained in now, on this machine. Throws a StartError where it cannot be without. */
export function settleContainment(
  profile: AgentProfile,
  { unfenced, fences }: { unfenced: boolean; fences: Fences },
): SettledProfile {
  const wanted = containmentOf(profile)
  if (unfenced && wanted === 'files') {
    throw new StartError('The profile of this agent says "contain: files": it is not started without its fence.')
  }
  const contain = wanted === 'auto' ? (isFenced(profile, fences) && !unfenced ? 'files' : 'none') : wanted
  return { ...profile, contain }
}
