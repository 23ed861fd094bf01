import { type SeenAgent, watchEvidence } from '@hotline/client/agent-evidence'
import { useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'

/** How the agent of a session stands, as its machine tells it while this is on screen; undefined where that is not known. */
export function useEvidence(session: string): SeenAgent | undefined {
  const { link } = useLive()
  const [seen, setSeen] = useState<SeenAgent>()
  useEffect(() => {
    const watching = watchEvidence(link, session)
    const leave = watching.seen.watch(setSeen)
    return () => {
      leave()
      watching[Symbol.dispose]()
    }
  }, [link, session])
  return seen
}
