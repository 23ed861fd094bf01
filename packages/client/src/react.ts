import type { Problem } from '@hotline/protocol/error'
import type { Scope, Verdict } from '@hotline/protocol/events/approval'
import { useCallback, useEffect, useState } from 'react'
import { type InboxPicture, openInbox, type OpenAsk } from './inbox.ts'
import type { CommandOutcome, ConnectionState, Link, Readable } from './link.ts'
import { openPresence, type Presence, type Present } from './presence.ts'
import { watchable } from './readable.ts'
import { openSessionList, type SessionList, type SessionListPicture } from './session-list.ts'
import { openSessionView, type SessionPicture, type SessionView } from './session-view.ts'
import { useReadable } from './use-readable.ts'

/** How long somebody is shown as writing after the last sign of it. */
const typingMs = 6_000

/** Whether the server is in reach, and when the next try is; of `openLink` or `openSharedLink`. */
export function useConnection(link: Link): ConnectionState {
  return useReadable(link.connection)
}

/** One session, live: what it looks like now, and the view to write to it with; undefined until that is open. */
export function useSession(link: Link, session: string): { picture: SessionPicture | undefined; view?: SessionView } {
  const view = useOpened(useCallback(() => openSessionView(link, session), [link, session]))
  const picture = useReadable(view?.picture ?? nothing)
  return view ? { picture, view } : { picture: undefined }
}

/** The conversation of a session as far as it is read, and a way further back. */
export interface TranscriptWindow {
  items: SessionPicture['transcript']['items']
  /** The server has older ones. */
  hasOlder: boolean
  isLoadingOlder: boolean
  /** Reads the window before this one; answers the problem if it could not be read. */
  loadOlder: () => Promise<Problem | undefined>
}

/** The window of the conversation that a view of `useSession` has read; grows backwards by `loadOlder`, forwards by itself. */
export function useTranscript(view: SessionView | undefined): TranscriptWindow {
  const picture = useReadable(view?.picture ?? nothing)
  const [isLoadingOlder, setLoading] = useState(false)
  const loadOlder = useCallback(async () => {
    setLoading(true)
    const problem = await view?.loadOlder()
    setLoading(false)
    return problem
  }, [view])
  return { items: picture?.transcript.items ?? [], hasOlder: picture?.hasOlder ?? false, isLoadingOlder, loadOlder }
}

/** The sessions that one may see, live; undefined at first. */
export function useSessions(link: Link): { picture: SessionListPicture | undefined; list?: SessionList } {
  const list = useOpened(useCallback(() => openSessionList(link), [link]))
  const picture = useReadable(list?.picture ?? nothing)
  return list ? { picture, list } : { picture: undefined }
}

/** What agents ask across sessions, and a way to answer exactly what is shown. */
export interface Approvals extends InboxPicture {
  /** Answers an approval as it was shown; where the agent has changed it since, that is refused. */
  decide: (ask: OpenAsk, verdict: Verdict, more?: DecisionMore) => Promise<CommandOutcome>
}

interface DecisionMore {
  scope?: Scope
  reason?: string
  /** With `modify`: what shall run in its place. */
  input?: string
}

/** All that waits for a person, live. Questions are among the asks; they are answered with `question.answer`. */
export function useApprovals(link: Link): Approvals {
  const inbox = useOpened(
    useCallback(() => {
      const list = openSessionList(link)
      const opened = openInbox(link, list)
      return {
        picture: opened.picture,
        [Symbol.dispose]: () => {
          opened[Symbol.dispose]()
          list[Symbol.dispose]()
        },
      }
    }, [link]),
  )
  const picture = useReadable<InboxPicture | undefined>(inbox?.picture ?? nothing) ?? noAsks
  const decide = useCallback<Approvals['decide']>(
    ({ row, item }, verdict, more = {}) => {
      const digest = item.kind === 'approval' ? item.digest : ''
      const data = { approval: row.ask, digest, verdict, ...more }
      return link.command(`session:${row.session}`, 'approval.decide', data)
    },
    [link],
  )
  return { ...picture, decide }
}

/** Who else is at a session; call `wrote` while one writes there. */
export function usePresence(link: Link, session: string): Present & { wrote: () => void } {
  const presence = useOpened<Presence>(
    useCallback(() => openPresence(link, session, { hideAfterMs: typingMs }), [link, session]),
  )
  const present = useReadable<Present | undefined>(presence?.present ?? nothing) ?? nobody
  const wrote = useCallback(() => presence?.wrote(), [presence])
  return { ...present, wrote }
}

const nothing: Readable<undefined> = watchable(undefined)
const noAsks: InboxPicture = { status: 'loading', asks: [], further: 0 }
const nobody: Present = { typing: [], watching: [] }

/** Opened when the component is there, and closed with it; undefined for the first painting, and where it is another. */
function useOpened<T extends Disposable>(open: () => T): T | undefined {
  const [now, setNow] = useState<{ of: () => T; opened: T }>()
  useEffect(() => {
    const opened = open()
    setNow({ of: open, opened })
    return () => opened[Symbol.dispose]()
  }, [open])
  return now?.of === open ? now.opened : undefined
}
