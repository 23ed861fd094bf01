/** Sessions of which it is known how far they were read; of more the oldest are forgotten. */
const sessionsMax = 200
const readKey = 'hotline-read'

/** Up to where somebody has read a session in this browser; undefined where they never did. */
export function readUpTo(session: string): number | undefined {
  return new Map(stored()).get(session)
}

/** Remembers it over a reload, and for the other tabs. */
export function markRead(session: string, seq: number): void {
  const others = stored().filter(([name]) => name !== session)
  localStorage.setItem(readKey, JSON.stringify([...others, [session, seq]].slice(-sessionsMax)))
}

function stored(): readonly (readonly [session: string, seq: number])[] {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(readKey) ?? '[]')
    return Array.isArray(read) ? read.filter(isEntry) : []
  } catch {
    // Somebody else wrote there: nothing was read.
    return []
  }
}

function isEntry(entry: unknown): entry is [string, number] {
  return Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number'
}

/** Where somebody has scrolled to: an item at the upper edge, where it begins in the log, and how much of it is above. */
export interface Place {
  key: string
  seq: number
  offset: number
}

const placeKey = (session: string): string => `hotline-place:${session}`

/** Where this tab had scrolled to before it was loaded anew; undefined for the end. */
export function keptPlace(session: string): Place | undefined {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(placeKey(session)) ?? 'null')
    return isPlace(kept) ? kept : undefined
  } catch {
    return undefined
  }
}

function isPlace(kept: unknown): kept is Place {
  const { key, seq, offset } = { ...(kept as Partial<Record<keyof Place, unknown>> | null) }
  return typeof key === 'string' && typeof seq === 'number' && typeof offset === 'number'
}

/** Keeps it for this tab; nothing is kept at the end, which is where everybody begins. */
export function keepPlace(session: string, place: Place | undefined): void {
  if (place) sessionStorage.setItem(placeKey(session), JSON.stringify(place))
  else sessionStorage.removeItem(placeKey(session))
}
