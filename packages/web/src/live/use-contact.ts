import type { Link } from '@hotline/client/link'
import { useEffect, useMemo, useState } from 'react'
import { useReadable } from '@hotline/client/use-readable'

/** What the page has of the server: everything as it is now, or everything as it was at a moment. */
export type Contact =
  | { here: true }
  /** `since` in milliseconds of the wall clock. `final`: it will not come back by itself. */
  | { here: false; since: number; final: boolean }

/** Whether what is shown is as it is now, and since when not. A first connection that is still being made counts as here. */
export function useContact(link: Link): Contact {
  const connection = useReadable(link.connection)
  const open = connection.status === 'open'
  const away = connection.status === 'waiting' || connection.status === 'closed'
  const [lostAt, setLostAt] = useState<number>()
  useEffect(() => {
    if (open) setLostAt(undefined)
    else if (away) setLostAt((before) => before ?? Date.now())
  }, [open, away])
  const final = connection.status === 'closed'
  return useMemo(
    () => (lostAt === undefined || open ? { here: true } : { here: false, since: lostAt, final }),
    [lostAt, open, final],
  )
}
