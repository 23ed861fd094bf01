import type { Link } from '@hotline/client/link'
import type { SessionPicture } from '@hotline/client/session-view'
import type { SessionState } from '@hotline/core/session/state'
import type { PlaceItem } from '@hotline/core/transcript/item'
import { emptyTranscript, foldTranscript, type Transcript } from '@hotline/core/transcript/transcript'
import type { Envelope } from '@hotline/protocol/event'
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { Legible } from '../parts/legible.tsx'

/** Where a place is told: before anything that an agent does. */
const firstEvents = 100

/** Where the agent works, what is not there, and what became of that place. */
export function WherePlaced({ picture, state }: { picture: SessionPicture; state: SessionState }): ReactNode {
  const seen = useMemo(() => placesOf(picture.transcript), [picture.transcript])
  const first = useFirstPlaces(state, picture.hasOlder && !seen.some(({ phase }) => phase === 'prepared'))
  const all = [...first, ...seen]
  const prepared = all.findLast(({ phase }) => phase === 'prepared')
  const released = all.findLast(({ phase, seq }) => phase !== 'prepared' && seq > (prepared?.seq ?? 0))
  if (!prepared && !released) return undefined
  const folder = prepared?.folder ?? released?.folder
  const branch = prepared?.branch ?? released?.branch
  return (
    <>
      <h2>Where it works</h2>
      <div className="small place">
        {[...(prepared?.lines ?? []), ...(released?.lines ?? [])].map((line) => (
          <p key={line}>
            <Legible text={line} place="prose" />
          </p>
        ))}
        <p>
          {folder !== undefined && (
            <>
              folder <CopyButton text={folder} what="folder" />{' '}
            </>
          )}
          {branch !== undefined && (
            <>
              branch <CopyButton text={branch} what="branch" />
            </>
          )}
        </p>
      </div>
    </>
  )
}

function placesOf({ items }: Transcript): readonly PlaceItem[] {
  return items.filter((item): item is PlaceItem => item.kind === 'place')
}

/**
 * The places at the beginning of the log, where that is not among what is shown. Of a session that went on upon another
 * machine they are not the present ones.
 */
function useFirstPlaces({ session, former }: SessionState, isWanted: boolean): readonly PlaceItem[] {
  const { link } = useLive()
  const [places, setPlaces] = useState<readonly PlaceItem[]>([])
  const isRead = isWanted && former === undefined
  useEffect(() => {
    if (!isRead) return undefined
    let left = false
    void readFirst(link, session).then((found) => {
      if (!left) setPlaces(found)
    })
    return () => {
      left = true
    }
  }, [link, session, isRead])
  return isRead ? places : []
}

async function readFirst(link: Link, session: string): Promise<readonly PlaceItem[]> {
  const path = `/api/sessions/${session}/events?after=0&limit=${firstEvents}`
  const page = await link.request<{ events: readonly Envelope[] }>('GET', path)
  return page.ok ? placesOf(foldTranscript(emptyTranscript, page.value.events)) : []
}
