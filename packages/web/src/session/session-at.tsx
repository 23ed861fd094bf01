import { type ReactNode, useState } from 'react'
import { SessionPage } from './session-page.tsx'
import { keepPlace } from './unread.ts'

/** A place in a conversation, as the address of its page has it: an event, and what it is about. */
export interface SessionPlace {
  at?: number
  of?: string
}

/** Reads it; what is not understood is left out. */
export function readSessionPlace({ at, of }: Record<string, unknown>): SessionPlace {
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 1) return {}
  return { at, ...(typeof of === 'string' ? { of: of.slice(0, 200) } : {}) }
}

/** A session, begun at a place in its conversation where the address names one. Mounted anew for another place. */
export function SessionAt({ session, at, of = '' }: SessionPlace & { session: string }): ReactNode {
  useState(() => {
    if (at !== undefined) keepPlace(session, { key: of, seq: at, offset: 0 })
  })
  return <SessionPage session={session} />
}
