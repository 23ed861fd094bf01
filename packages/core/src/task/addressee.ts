import type { TaskSession, TaskSessionPhase } from '@hotline/protocol/task'

/** At the beginning of a word: an address of mail names nobody, and neither does the scope of a package. */
const mention = /(?<![^\s(,;:])@([A-Za-z0-9_][A-Za-z0-9_-]{0,63})(?![A-Za-z0-9_/@-]|\.[A-Za-z0-9])/g

const over: readonly TaskSessionPhase[] = ['completed', 'failed', 'aborted']

type Addressee = Pick<TaskSession, 'session' | 'agent' | 'phase'>

/** Whose session is not over, the newest first. */
export function openSessions<S extends Addressee>(sessions: readonly S[]): readonly S[] {
  return sessions.filter(({ phase }) => !over.includes(phase))
}

/**
 * The session of the first agent of a card that the words name (`@codex`), which has to be at work there. `sessions`: the newest
 * first; of an agent that has more than one it is the newest that is not over.
 */
export function namedIn<S extends Addressee>(sessions: readonly S[], text: string): S | undefined {
  for (const [, name = ''] of text.matchAll(mention)) {
    const named = openSessions(sessions).find(({ agent }) => agent.toLowerCase() === name.toLowerCase())
    if (named) return named
  }
  return undefined
}

/** The session of a card that a message is for: that of the agent that it names, or else the newest. */
export function addresseeOf<S extends Addressee>(sessions: readonly S[], text: string): S | undefined {
  return namedIn(sessions, text) ?? sessions[0]
}
