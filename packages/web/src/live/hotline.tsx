import { openStoredTransportMemory } from '@hotline/client/transport-memory'
import type { Link } from '@hotline/client/link'
import { openLink } from '@hotline/client/open-link'
import { openIndexedDbOutbox } from '@hotline/client/outbox-indexeddb'
import { openSessionList, type SessionList } from '@hotline/client/session-list'
import { httpRequest } from '@hotline/client/http-request'
import type { Me } from '@hotline/protocol/http'
import { type Context, createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { type Contact, useContact } from './use-contact.ts'

/** What every page of a signed-in person uses. */
export interface Live {
  link: Link
  list: SessionList
  me: Me
  /** Whether what is shown is as it is now. */
  contact: Contact
  /** Names of people by account. */
  names: ReadonlyMap<string, string>
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
  const [live, setLive] = useState<Omit<Live, 'contact'>>()
  useEffect(() => {
    let left = false
    let close = (): void => {
      left = true
    }
    // What was given before the page was closed is sent by this one, for this account alone.
    void openIndexedDbOutbox(`${location.origin}:${me.id}`).then((outbox) => {
      if (left) return
      const link = openLink({
        url: location.origin,
        credential: { kind: 'cookie' },
        client: 'web',
        outbox,
        transportMemory: openStoredTransportMemory(localStorage),
      })
      const list = openSessionList(link)
      close = () => {
        list[Symbol.dispose]()
        void link[Symbol.asyncDispose]()
      }
      setLive({ link, list, me, names: new Map([[me.id, 'You']]) })
      void link.request<{ people: { id: string; name: string }[] }>('GET', '/api/people').then((answer) => {
        if (!answer.ok) return
        const names = new Map(answer.value.people.map(({ id, name }) => [id, id === me.id ? 'You' : name]))
        setLive((now) => now && { ...now, names })
      })
    })
    return () => close()
  }, [me])
  return live ? <Opened live={live}>{children}</Opened> : undefined
}

function Opened({ live, children }: { live: Omit<Live, 'contact'>; children: ReactNode }): ReactNode {
  const contact = useContact(live.link)
  const whole = useMemo(() => ({ ...live, contact }), [live, contact])
  return <LiveContext value={whole}>{children}</LiveContext>
}

/** A request before there is a connection: signing in, and who is signed in. */
export function ask<R>(method: 'GET' | 'POST', path: string, body?: unknown): ReturnType<typeof httpRequest<R>> {
  return httpRequest<R>(location.origin, { kind: 'cookie' }, method, path, body)
}
