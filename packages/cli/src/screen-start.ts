import type { SessionState } from '@hotline/core/session/state'
import type { EventOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { TranscriptWindow } from '@hotline/protocol/http'
import { parseCursor } from '@hotline/protocol/stream'
import type { Server } from './ask-server.ts'
import { plainText } from './plain-text.ts'

/** Where one begins who looks at a terminal: with what is on it now. */
export interface ScreenStart {
  /** What is on the screen, as plain lines, and when that was. */
  lines: readonly string[]
  at: string
  /** The position of the screen: everything after it follows. */
  cursor: string
  /** The state of the session, and the position that it is of. */
  state: SessionState
  seq: number
}

/** The newest screen of a session; undefined where it has none, or all of it is short enough to be read. */
export async function findScreen(server: Server, session: string): Promise<ScreenStart | undefined> {
  const { cursor, state } = await server.get<{ cursor: string; state: SessionState }>(`/api/sessions/${session}`)
  if (state.capabilities?.screen !== true) return undefined
  const window = await server.get<TranscriptWindow>(`/api/sessions/${session}/transcript?limit=200`)
  const saved = window.events.findLast(({ type }) => type === 'screen.saved')
  const screen = saved && (asKnown(saved) as EventOf<'screen.saved'> | undefined)
  const place = parseCursor(cursor)
  if (!screen?.body || typeof place !== 'object' || place.epoch !== window.epoch) return undefined
  return {
    lines: plainText(screen.body.plain).split('\n'),
    at: screen.at,
    cursor: `${window.epoch}.${screen.seq}`,
    state,
    seq: place.seq,
  }
}
