import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useNow } from '../live/use-readable.ts'
import { agoText, clockText } from '../text/time.ts'

/** How old what is shown is, in words; nothing while it is as it is now. */
export function AsOf(): ReactNode {
  const { contact } = useLive()
  const now = useNow(1_000)
  if (contact.here) return undefined
  const at = new Date(contact.since).toISOString()
  return (
    <span className="asof">
      as of {clockText(at, now)}, {agoText(now - contact.since)}
    </span>
  )
}
