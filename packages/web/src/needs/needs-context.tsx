import { type Inbox, openInbox } from '@hotline/client/inbox'
import type { OneDecision } from '@hotline/client/decide-many'
import {
  type Context,
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
} from 'react'
import { useLive } from '../live/hotline.tsx'
import type { Drafts } from '../session/approval-card.tsx'

/** What was looked at and is to be answered together with others: exactly what was shown of it. */
export type Marked = Omit<OneDecision, 'verdict' | 'reason'> & { line: string }

/** What the list and the card beside it share. */
export interface Needs {
  inbox: Inbox
  /** By the key of what is asked. */
  marked: ReadonlyMap<string, Marked>
  mark: (key: string, what: Marked | undefined) => void
  unmarkAll: () => void
  drafts: Drafts
}

/** Absent elsewhere than on the pages of what needs somebody. */
const NeedsContext: Context<Needs | undefined> = createContext<Needs | undefined>(undefined)

/** What is asked across sessions. Throws outside of its provider. */
export function useNeeds(): Needs {
  const needs = useContext(NeedsContext)
  if (!needs) throw new Error('useNeeds belongs below NeedsProvider')
  return needs
}

/** Follows what is asked for as long as it is shown. */
export function NeedsProvider({ children }: { children: ReactNode }): ReactNode {
  const { link, list } = useLive()
  const [inbox, setInbox] = useState<Inbox>()
  const [marked, setMarked] = useState<ReadonlyMap<string, Marked>>(new Map())
  const [drafts] = useState<Drafts>(() => new Map())
  useEffect(() => {
    const opened = openInbox(link, list)
    setInbox(opened)
    return () => opened[Symbol.dispose]()
  }, [link, list])
  const mark = useCallback((key: string, what: Marked | undefined): void => {
    setMarked((now) => {
      if (!what && !now.has(key)) return now
      const next = new Map(now)
      if (what) next.set(key, what)
      else next.delete(key)
      return next
    })
  }, [])
  const unmarkAll = useCallback(() => setMarked(new Map()), [])
  const needs = useMemo(
    () => inbox && { inbox, marked, mark, unmarkAll, drafts },
    [inbox, marked, mark, unmarkAll, drafts],
  )
  return needs && <NeedsContext value={needs}>{children}</NeedsContext>
}
