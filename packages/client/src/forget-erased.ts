import { erasedTitle } from '@hotline/core/erased-title'
import type { KeptSessions } from './kept-sessions.ts'
import type { Readable } from './link.ts'
import type { SessionListPicture } from './session-list.ts'

/**
 * Forgets what was kept of sessions that the list shows as erased, also of those that nobody opens any more. Who calls a
 * session so by hand loses nothing: it is read from the server again. Answers what ends it.
 */
export function forgetErased(list: Readable<SessionListPicture>, kept: KeptSessions): () => void {
  const forgotten = new Set<string>()
  const look = ({ sessions }: SessionListPicture): void => {
    for (const { session, title } of sessions) {
      if (title !== erasedTitle || forgotten.has(session)) continue
      forgotten.add(session)
      void kept.drop(session)
    }
  }
  look(list.value)
  return list.watch(look)
}
