import type { SessionPicture } from '@hotline/client/session-view'
import type { Problem } from '@hotline/protocol/error'
import { type RefObject, useCallback, useEffect, useEffectEvent, useState } from 'react'
import type { VirtuosoHandle } from 'react-virtuoso'

/**
 * The way to a message: where it is not in what was read, one older window after another is read until it is. It gives up
 * where there is none, or where nothing can be read.
 */
export function useWayTo({
  items,
  picture: { hasOlder, transcript },
  loadOlder,
  leave,
  list,
}: {
  items: readonly { key: string }[]
  picture: Pick<SessionPicture, 'hasOlder' | 'transcript'>
  loadOlder: () => Promise<Problem | undefined>
  /** The reader is taken elsewhere. */
  leave: () => void
  list: RefObject<VirtuosoHandle | null>
}): (message: string) => void {
  const [wanted, setWanted] = useState<string>()
  const [windows, setWindows] = useState(0)
  const go = useEffectEvent((key: string): 'there' | 'not yet' | 'nowhere' => {
    const index = items.findIndex((item) => item.key === key)
    if (index >= 0) {
      leave()
      list.current?.scrollToIndex({ index, align: 'center' })
      return 'there'
    }
    // What waits for the agent stands below, in sight.
    return hasOlder && !transcript.places.has(key) ? 'not yet' : 'nowhere'
  })
  const readOne = useEffectEvent(() => loadOlder())
  useEffect(() => {
    if (wanted === undefined) return undefined
    if (go(wanted) !== 'not yet') {
      setWanted(undefined)
      return undefined
    }
    let isOver = false
    void readOne().then((problem) => {
      if (isOver) return
      if (problem) setWanted(undefined)
      else setWindows((count) => count + 1)
    })
    return () => {
      isOver = true
    }
  }, [wanted, windows])
  return useCallback((message) => setWanted(`message:${message}`), [])
}
