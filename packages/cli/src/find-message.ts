import { asKnown } from '@hotline/protocol/known-event'
import type { TranscriptWindow } from '@hotline/protocol/http'
import type { Server } from './ask-server.ts'
import { fail } from './failure.ts'
import { namedBy } from './find-id.ts'

/** Events in one window. */
const windowEvents = 500

/** What somebody types for the newest message of the agent. */
export const lastMessage = 'last'

/**
 * The id of a message of a session: the one with this id, or the only one that begins with it; `last`: what the agent said
 * last. Throws a `Failure` where there is none.
 */
export async function findMessage(server: Server, session: string, text: string): Promise<string> {
  const found = new Set<string>()
  for (let before: number | null | undefined; before !== null;) {
    const from: string = before === undefined ? '' : `&before=${before}`
    const window: TranscriptWindow = await server.get(
      `/api/sessions/${session}/transcript?limit=${windowEvents}${from}`,
    )
    for (const event of window.events.toReversed()) {
      const known = asKnown(event)
      if (known?.type === 'message.completed' || (known?.type === 'message.posted' && known.data.role === 'agent')) {
        if (text === lastMessage) return known.data.message
      }
      if (known?.type === 'message.completed' || known?.type === 'message.posted') found.add(known.data.message)
    }
    if (found.has(text)) return text
    before = window.before
  }
  if (text === lastMessage) throw fail('not_found', 'The agent has said nothing in this session yet.')
  const [only, ...further] = namedBy(text, [...found], (id) => id)
  if (only === undefined) throw fail('not_found', `No message of this session has the id "${text}".`)
  if (further.length > 0) {
    throw fail(
      'invalid_request',
      `Several messages begin with "${text}"; name one of: ${[only, ...further].join(', ')}`,
    )
  }
  return only
}
