import type { SessionPicture } from '@hotline/client/session-view'
import { type ReactNode, type Ref, useEffect, useCallback, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { type ListRange, Virtuoso, type VirtuosoHandle } from 'react-virtuoso'
import { phone, useMedia } from '../live/use-media.ts'
import { foldSteps } from './fold-steps.ts'
import { type Acts, ItemView } from './item-view.tsx'
import { endPx, useFollowEnd } from './use-follow-end.ts'

/** Where the first item of the newest window is counted from, so that older ones can come in front. */
const firstIndex = 1_000_000

/** Messages and steps in one column. It follows the end until a reader scrolls up, and then leaves them in peace. */
export function Conversation({
  picture,
  acts,
  loadOlder,
  toAsked,
}: {
  picture: SessionPicture
  acts: Acts
  loadOlder: () => void
  /** Brings the first open approval into sight. */
  toAsked: Ref<() => void>
}): ReactNode {
  const items = useMemo(
    () => foldSteps(picture.transcript.items.filter((item) => item.kind !== 'message' || item.delivery !== 'queued')),
    [picture.transcript],
  )
  const list = useRef<VirtuosoHandle>(null)
  const { box, atEnd, onEnd, onHeight, leave, toEnd } = useFollowEnd()
  const seen = useRef(items.length)
  const before = useRef({ key: items[0]?.key, count: items.length, first: firstIndex })
  // Older items came in front: the index of the first one falls by as many, so that nothing moves under the reader.
  const place = items.findIndex(({ key }) => key === before.current.key)
  if (place > 0) before.current.first -= place
  before.current.key = items[0]?.key
  const openAt = items.findIndex((item) => item.kind === 'approval' && item.outcome === undefined)
  const open = items[openAt]?.key
  const showAsked = useCallback((): void => {
    leave()
    if (openAt >= 0) list.current?.scrollToIndex({ index: openAt, align: 'center' })
  }, [openAt, leave])
  useImperativeHandle(toAsked, () => showAsked, [showAsked])
  const [range, setRange] = useState<ListRange>()
  const narrow = useMedia(phone)
  const openPlace = openAt + before.current.first
  // Keys answer what is asked first, and only in sight: where it is elsewhere one is led there. A phone has its own place.
  const isAway =
    !narrow && openAt >= 0 && range !== undefined && (openPlace < range.startIndex || openPlace > range.endIndex)
  const asked = isAway ? items.filter((item) => item.kind === 'approval' && item.outcome === undefined).length : 0

  useEffect(() => {
    if (atEnd) seen.current = items.length
  }, [atEnd, items.length])
  const fresh = items.length - seen.current

  return (
    <div className="talk" ref={box}>
      {items.length === 0 ? (
        <div className="empty">
          <p>Nothing was said yet. Write to the agent below.</p>
        </div>
      ) : (
        <Virtuoso
          ref={list}
          className="scroll"
          data={items}
          firstItemIndex={before.current.first}
          initialTopMostItemIndex={items.length - 1}
          computeItemKey={(_, item) => item.key}
          // It is followed here: the list itself would also follow what somebody opens at its end.
          followOutput={false}
          atBottomStateChange={onEnd}
          rangeChanged={setRange}
          totalListHeightChanged={onHeight}
          atBottomThreshold={endPx}
          startReached={() => picture.hasOlder && loadOlder()}
          increaseViewportBy={400}
          itemContent={(_, item) => (
            <div className="item">
              <ItemView item={item} acts={acts} firstOpen={item.key === open} />
            </div>
          )}
        />
      )}
      {isAway && (
        <button type="button" className="button jump asked" onClick={showAsked}>
          {asked > 1 ? `${asked} need you: show the first` : 'Show what needs you'}
        </button>
      )}
      {!atEnd && (
        <button type="button" className="button jump" onClick={toEnd}>
          {fresh > 0 ? `${fresh} new ↓` : 'Latest ↓'}
        </button>
      )}
    </div>
  )
}
