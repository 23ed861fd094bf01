import type { Problem } from '@hotline/protocol/error'
import { useEffect, useEffectEvent, useState } from 'react'

/** Reads one older window after another for as long as a reader is where they are missing: some hold no row at all. */
export function useOlder(isMissing: boolean, loadOlder: () => Promise<Problem | undefined>): void {
  const [read, setRead] = useState(0)
  const readOne = useEffectEvent(() => loadOlder())
  useEffect(() => {
    if (!isMissing) return undefined
    let isOver = false
    void readOne().then((problem) => {
      // Out of contact it waits for somebody to come here again.
      if (!problem && !isOver) setRead((count) => count + 1)
    })
    return () => {
      isOver = true
    }
  }, [isMissing, read])
}
