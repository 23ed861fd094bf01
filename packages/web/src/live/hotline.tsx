import { openStoredTransportMemory } from '@hotline/client/transport-memory'
import type { Link } from '@hotline/client/link'
import { openBrowserStore } from '@hotline/client/browser-store'
import { forgetErased } from '@hotline/client/forget-erased'
import type { KeptSessions } from '@hotline/client/kept-sessions'
import { openSharedLink } from '@hotline/client/tabs/open-shared-link'
import { openReads, type Reads } from '@hotline/client/reads'
import { openSessionList, type SessionList } from '@hotline/client/session-list'
import { openSnoozes, type Snoozes } from '@hotline/client/snoozes'
import type { Me } from '@hotline/protocol/http'
import { type Context, createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { FrameSkeleton } from '../parts/skeletons.tsx'
import { type Contact, useContact } from './use-contact.ts'
import { type KnownNames, useKnownNames } from './use-known-names.ts'

/** What every page of a signed-in person uses. */
export interface Live {
  link: Link
  list: SessionList
  /** What this person has put aside. */
  snoozes: Snoozes
  /** What this person has not read. */
  reads: Reads
  /** What was seen of sessions on earlier visits. */
  kept: KeptSessions
  me: Me
  /** Whether what is shown is as it is now. */
  contact: Contact
  /** Names of people by account. */
  names: ReadonlyMap<string, string>
  /** What agents and machines are called. */
  known: KnownNames
  /** After signing out: ends it in all tabs, and leaves nothing behind in this browser. */
  leave: () => Promise<void>
}

/** Given anew by whoever shows samples. */
export const LiveContext: Context<Live | undefined> = createContext<Live | undefined>(undefined)

/** The connection and what is known on this page. Throws outside of its provider. */
export function useLive(): Live {
  const live = useContext(LiveContext)
  if (!live) throw new Error('useLive belongs below LiveProvider')
  return live
}

/** Opens the connection for as long as it is shown. */
export function LiveProvider({ me, children }: { me: Me; children: ReactNode }): ReactNode {
  const [live, setLive] = useState<Opened>()
  useEffect(() => {
    let left = false
    let close = (): void => {
      left = true
    }
    // What was given before the page was closed is sent by this one, for this account alone.
    void openBrowserStore(`${location.origin}:${me.id}`).then((store) => {
      if (left) return
      const link = openSharedLink({
        url: location.origin,
        credential: { kind: 'cookie' },
        account: me.id,
        client: 'web',
        outbox: store.outbox,
        transportMemory: openStoredTransportMemory(localStorage),
        // Nothing of this person stays on the screen.
        signedOut: leavePage,
      })
      // Signed out from elsewhere, or for too long here: what was not sent yet stays, what was read does not.
      link.connection.watch((state) => {
        if (state.status !== 'closed' || state.problem?.code !== 'unauthenticated') return
        void store.sessions.clear()
        void store.list.clear()
      })
      const list = openSessionList(link, store.list)
      const stopForgetting = forgetErased(list.picture, store.sessions)
      const snoozes = openSnoozes(link, me.id)
      const reads = openReads(link, me.id, list)
      close = () => {
        reads[Symbol.dispose]()
        snoozes[Symbol.dispose]()
        stopForgetting()
        list[Symbol.dispose]()
        void link[Symbol.asyncDispose]()
      }
      setLive({
        link,
        list,
        snoozes,
        reads,
        kept: store.sessions,
        me,
        names: new Map([[me.id, 'You']]),
        leave: async () => {
          await link.signOut()
          await store.erase().catch(() => undefined)
          leavePage()
        },
      })
      void link.request<{ people: { id: string; name: string }[] }>('GET', '/api/people').then((answer) => {
        if (!answer.ok) return
        const names = new Map(answer.value.people.map(({ id, name }) => [id, id === me.id ? 'You' : name]))
        setLive((now) => now && { ...now, names })
      })
    })
    return () => close()
  }, [me])
  return live ? <Opened live={live}>{children}</Opened> : <FrameSkeleton />
}

/** What there is as soon as the connection is begun. */
type Opened = Omit<Live, 'contact' | 'known'>

function Opened({ live, children }: { live: Opened; children: ReactNode }): ReactNode {
  const contact = useContact(live.link)
  const known = useKnownNames(live.link, live.list, contact.here)
  const whole = useMemo(() => ({ ...live, contact, known }), [live, contact, known])
  return <LiveContext value={whole}>{children}</LiveContext>
}

/** To the page where one signs in. What was begun in a message box is the person's, and goes with them. */
function leavePage(): void {
  sessionStorage.clear()
  location.assign('/')
}
