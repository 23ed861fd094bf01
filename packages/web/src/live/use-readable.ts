import type { Readable } from '@hotline/client/link'
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'

/** The value of a readable, repainted after each change. */
export function useReadable<T>(readable: Readable<T>): T {
  const subscribe = useCallback((changed: () => void) => readable.watch(changed), [readable])
  return useSyncExternalStore(subscribe, () => readable.value)
}

/** The time, every so many milliseconds. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
