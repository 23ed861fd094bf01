import { statSync } from 'node:fs'
import { listProfileFiles, readProfiles } from './read-folder.ts'
import type { AgentProfile } from './profile.ts'
import { type Agents, resolveAgents } from './resolve.ts'

/** The agents of a machine, which change while it works. */
export interface KnownAgents {
  readonly now: Agents
  /** Reads the files again where one of them has changed, come or gone. True where it did. */
  look(): boolean
}

/** Those that come with Hotline, and those whose profiles lie in a folder, which need not be there. */
export function openKnownAgents(builtin: readonly AgentProfile[], folder: string): KnownAgents {
  let seen = signatureOf(folder)
  let now = resolveAgents(builtin, readProfiles(folder))
  return {
    get now() {
      return now
    },
    look: () => {
      const signature = signatureOf(folder)
      if (signature === seen) return false
      seen = signature
      now = resolveAgents(builtin, readProfiles(folder))
      return true
    },
  }
}

/** Differs where a file was written, replaced, added or removed, or others may write it now. */
function signatureOf(folder: string): string {
  return listProfileFiles(folder)
    .map((file) => {
      const facts = statSync(file, { throwIfNoEntry: false })
      return [file, facts?.ino, facts?.size, facts?.mtimeMs, facts?.ctimeMs, facts?.mode].join(' ')
    })
    .join('\n')
}
