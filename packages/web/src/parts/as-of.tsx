import { type ReactNode, useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useNow } from '../live/use-now.ts'
import { agoText, clockText } from '../text/time.ts'

/** What was kept of an earlier visit is mostly brought up to date sooner; then nothing is said of its age. */
const patienceMs = 700

/** How old what is shown is, in words; nothing while it is as it is now. `kept`: when it was kept, where it is of an earlier visit. */
export function AsOf({ kept }: { kept?: number | undefined }): ReactNode {
  const { contact } = useLive()
  const now = useNow(1_000)
  const isKept = kept !== undefined
  const [late, setLate] = useState(false)
  useEffect(() => {
    setLate(false)
    const timer = isKept ? setTimeout(() => setLate(true), patienceMs) : undefined
    return () => clearTimeout(timer)
  }, [isKept])
  const since = isKept && (late || !contact.here) ? kept : contact.here ? undefined : contact.since
  if (since === undefined) return undefined
  return (
    <span className="asof">
      as of {clockText(new Date(since).toISOString(), now)}, {agoText(now - since)}
    </span>
  )
}
