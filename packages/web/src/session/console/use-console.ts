import { uuidV7 } from '@hotline/client/uuid'
import type { SessionEvidence } from '@hotline/protocol/evidence'
import { useCallback, useRef, useState } from 'react'
import { useLive } from '../../live/hotline.tsx'
import { type ConsoleEntry, type EntryOutcome, keepEntries, readEntries } from './entries.ts'
import { evidenceLines } from './evidence-lines.ts'
import { type ConsoleCommand, consoleHelp, readConsoleLine } from './read-line.ts'

/** What was typed in this tab, and a way to type. */
export interface Console {
  readonly entries: readonly ConsoleEntry[]
  /** Does what the line says; what came of it is in `entries`. */
  readonly run: (line: string) => void
}

/** The console of one session; what was typed stays with the tab, over a reload. */
export function useConsole(session: string): Console {
  const { link } = useLive()
  const [entries, setEntries] = useState(() => readEntries(session))
  const latest = useRef(entries)

  const change = useCallback(
    (next: readonly ConsoleEntry[]) => {
      latest.current = keepEntries(session, next)
      setEntries(latest.current)
    },
    [session],
  )
  const settle = useCallback(
    (id: string, outcome: EntryOutcome) =>
      change(latest.current.map((entry) => (entry.id === id ? { ...entry, outcome } : entry))),
    [change],
  )

  const send = useCallback(
    async ({ type, data }: ConsoleCommand, id: string): Promise<EntryOutcome> => {
      const outcome = await link.command(`session:${session}`, type, data, { id })
      return outcome.ok ? { kind: 'accepted' } : { kind: 'refused', why: outcome.problem.detail }
    },
    [link, session],
  )
  const look = useCallback(async (): Promise<EntryOutcome> => {
    const seen = await link.request<SessionEvidence>('GET', `/api/sessions/${session}/evidence`)
    return seen.ok
      ? { kind: 'answered', lines: evidenceLines(seen.value, Date.now()) }
      : { kind: 'refused', why: seen.problem.detail }
  }, [link, session])

  const run = useCallback(
    (text: string) => {
      const id = uuidV7()
      const entry = { id, at: new Date().toISOString(), text: text.trim() }
      const line = readConsoleLine(text)
      change([...latest.current, entry])
      switch (line.kind) {
        case 'help':
          return settle(id, { kind: 'answered', lines: consoleHelp.map(([form, does]) => `${form}: ${does}`) })
        case 'wrong':
          return settle(id, { kind: 'refused', why: line.why })
        case 'state':
          return void look().then((outcome) => settle(id, outcome))
        case 'command':
          return void send(line.command, id).then((outcome) => settle(id, outcome))
      }
    },
    [change, settle, look, send],
  )
  return { entries, run }
}
