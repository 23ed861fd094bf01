import type { KnownEvent } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { TranscriptWindow } from '@hotline/protocol/http'
import type { Server } from './ask-server.ts'

/** Events that are read at once. */
const windowEvents = 500

/** What was asked is in the log, not in the state: looked for from the end of the session. */
export async function findEvent<E extends KnownEvent>(
  server: Server,
  session: string,
  isWanted: (event: KnownEvent) => event is E,
): Promise<E | undefined> {
  for (let before: number | null | undefined; before !== null;) {
    const from: string = before === undefined ? '' : `&before=${before}`
    const window: TranscriptWindow = await server.get(
      `/api/sessions/${session}/transcript?limit=${windowEvents}${from}`,
    )
    for (const event of window.events) {
      const known = asKnown(event)
      if (known && isWanted(known)) return known
    }
    before = window.before
  }
  return undefined
}
