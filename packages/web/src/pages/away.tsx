import { waitBefore } from '@hotline/client/backoff'
import { type ReactNode, useEffect, useEffectEvent, useState } from 'react'
import { useNow } from '../live/use-now.ts'

/** The server could not be reached before anything was shown: why, since when, and when it is tried again. */
export function Away({
  detail,
  tries,
  since,
  retry,
}: {
  detail: string
  tries: number
  /** In milliseconds of the wall clock. */
  since: number
  retry: () => void
}): ReactNode {
  const now = useNow(1_000)
  const [retryAt, setRetryAt] = useState(() => Date.now())
  const again = useEffectEvent(retry)
  useEffect(() => {
    const { waitMs } = waitBefore(tries, () => 1)
    setRetryAt(Date.now() + waitMs)
    const timer = setTimeout(() => again(), waitMs)
    return () => clearTimeout(timer)
  }, [tries])
  const leftMs = retryAt - now
  return (
    <main className="enter">
      <div className="empty" role="alert">
        <h1>Couldn&rsquo;t reach the server for {Math.max(0, Math.floor((now - since) / 1_000))} s.</h1>
        <p>
          {detail} {leftMs > 0 ? `Retrying in ${Math.ceil(leftMs / 1_000)} s.` : 'Retrying now.'}
        </p>
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      </div>
    </main>
  )
}
