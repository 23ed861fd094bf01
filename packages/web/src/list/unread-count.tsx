import { useReadable } from '@hotline/client/use-readable'
import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'

/** How many messages of a session are unread, before what else is said of it; nothing where none is. */
export function UnreadCount({ session }: { session: string }): ReactNode {
  const count = useReadable(useLive().reads.picture).get(session) ?? 0
  if (count === 0) return undefined
  return (
    <>
      <span className="unread-count">{count} unread</span>
      <span className="after-count"> · </span>
    </>
  )
}
