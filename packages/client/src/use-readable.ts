import { useCallback, useSyncExternalStore } from 'react'
import type { Readable } from './link.ts'

/** The value of a readable; the component is painted again after each change. */
export function useReadable<T>(readable: Readable<T>): T {
  const subscribe = useCallback((changed: () => void) => readable.watch(changed), [readable])
  const read = (): T => readable.value
  return useSyncExternalStore(subscribe, read, read)
}
