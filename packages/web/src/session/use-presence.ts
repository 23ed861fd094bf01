import { openPresence, type Presence, type Present } from '@hotline/client/presence'
import type { Transcript } from '@hotline/core/transcript/transcript'
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { useLive } from '../live/hotline.tsx'
import { typingMs } from '../live/typing-setting.ts'

const nobody: Present = { typing: [], watching: [] }

/** Who else is at the session, and where one says that one writes. Whose message has come does not type it any more. */
export function usePresence(session: string, transcript: Transcript): { present: Present; wrote: () => void } {
  const { link } = useLive()
  const [presence, setPresence] = useState<Presence>()
  useEffect(() => {
    const opened = openPresence(link, session, { hideAfterMs: typingMs() })
    setPresence(opened)
    return () => opened[Symbol.dispose]()
  }, [link, session])
  const subscribe = useCallback(
    (changed: () => void) => presence?.present.watch(changed) ?? (() => undefined),
    [presence],
  )
  const present = useSyncExternalStore(subscribe, () => presence?.present.value ?? nobody)
  const last = transcript.items.findLast((item) => item.kind === 'message' && item.role === 'person')
  const speaker = last?.kind === 'message' ? last.by.id : undefined
  useEffect(() => {
    if (speaker !== undefined) presence?.said(speaker)
  }, [presence, speaker, last?.key])
  const wrote = useCallback(() => presence?.wrote(), [presence])
  return { present, wrote }
}
