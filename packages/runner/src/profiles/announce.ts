import type { AnnounceBody } from '@hotline/protocol/http'
import { findProgram } from '../process/find-program.ts'
import type { AgentProfile } from './profile.ts'

/** What is announced to the server: which of the profiles can be started here, and what to do about the others. */
export function announceAgents(profiles: readonly AgentProfile[], path: string | undefined): AnnounceBody['agents'] {
  return profiles.map(({ agent, name, description, argv, hint }) => {
    const [program] = argv === 'of-session' ? [] : argv
    const available = argv === 'of-session' || (program !== undefined && findProgram(program, path) !== undefined)
    return { agent, name, description, available, ...(available || hint === '' ? {} : { hint }) }
  })
}
