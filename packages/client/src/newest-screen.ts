import type { Envelope } from '@hotline/protocol/event'
import type { TranscriptWindow } from '@hotline/protocol/http'
import type { Link } from './link.ts'

/** The newest windows in which a screen is looked for. One is in the first of them, unless very much was typed since. */
const windowsMax = 5
const windowEvents = 200

/** Where a terminal that is opened now begins. */
export interface NewestScreen {
  /** The newest screen that the log keeps, where there is one, and what came after it. */
  events: readonly Envelope[]
  /** The position after them. */
  cursor: string
}

/**
 * What a terminal has to draw that is opened now: however long the session is, it is the newest screen of the log and what
 * came since. Where there is no terminal behind the session it is the newest window. Undefined where that cannot be read
 * now.
 */
export async function readNewestScreen(
  link: Pick<Link, 'request'>,
  session: string,
  hasScreen: boolean,
): Promise<NewestScreen | undefined> {
  let events: readonly Envelope[] = []
  let cursor: string | undefined
  let before = ''
  for (let windows = 0; windows < (hasScreen ? windowsMax : 1); windows += 1) {
    const path = `/api/sessions/${session}/transcript?limit=${windowEvents}${before}`
    const window = await link.request<TranscriptWindow>('GET', path)
    if (!window.ok) return undefined
    const { epoch, to, events: older, before: next } = window.value
    cursor ??= `${epoch}.${to}`
    // The log began another life in between.
    if (!cursor.startsWith(`${epoch}.`)) return undefined
    events = [...older, ...events]
    const screen = older.findLastIndex(({ type }) => type === 'screen.saved')
    if (screen !== -1) return { events: events.slice(screen), cursor }
    if (next === null) break
    before = `&before=${next}`
  }
  return cursor === undefined ? undefined : { events, cursor }
}
