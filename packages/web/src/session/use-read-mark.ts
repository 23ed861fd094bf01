import { useEffect, useEffectEvent } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useVisible } from '../live/use-visible.ts'

/**
 * Says that a session was read as far as it goes, on all devices of the person, whenever something was said in it and its
 * end is in sight. `messages`: how many there are up to `seq`.
 */
export function useReadMark({
  session,
  seq,
  messages,
  atEnd,
}: {
  session: string
  seq: number
  messages: number
  atEnd: boolean
}): void {
  const { reads, contact } = useLive()
  const here = useVisible() && atEnd && contact.here
  const mark = useEffectEvent(() => reads.mark(session, seq, messages))
  // What is told later may be that it was read less far than it seemed here.
  useEffect(() => {
    if (here) mark()
    return here ? reads.picture.watch(() => mark()) : undefined
  }, [here, session, messages, reads])
}
