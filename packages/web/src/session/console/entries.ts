/** How much of what was typed is kept for one session, newest last. */
const entriesMax = 100

/** What came of a line: a command that is in the log now, a refusal, or words that only this page has seen. */
export type EntryOutcome =
  | { kind: 'accepted' }
  | { kind: 'refused'; why: string }
  | { kind: 'answered'; lines: readonly string[] }

/** What was typed into the console of a session in this tab. */
export interface ConsoleEntry {
  /** Of the command, where it became one. */
  id: string
  at: string
  text: string
  /** Absent until there is an answer. */
  outcome?: EntryOutcome | undefined
}

const keyOf = (session: string): string => `hotline.console.${session}`

/** What this tab has kept. Only this page writes it; what is of another version is as if it were not there. */
export function readEntries(session: string): readonly ConsoleEntry[] {
  try {
    const read: unknown = JSON.parse(sessionStorage.getItem(keyOf(session)) ?? '[]')
    return Array.isArray(read) ? read.filter(isEntry) : []
  } catch {
    return []
  }
}

/** Keeps them until the tab is closed or its person signs out. Where the storage is full, this page alone has them. */
export function keepEntries(session: string, entries: readonly ConsoleEntry[]): readonly ConsoleEntry[] {
  const kept = entries.slice(-entriesMax)
  try {
    sessionStorage.setItem(keyOf(session), JSON.stringify(kept))
  } catch {
    return kept
  }
  return kept
}

function isEntry(value: unknown): value is ConsoleEntry {
  const { id, at, text } = Object(value) as Partial<Record<string, unknown>>
  return typeof id === 'string' && typeof at === 'string' && typeof text === 'string'
}
