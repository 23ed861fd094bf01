import type { SessionPicture } from '@hotline/client/session-view'
import type { Item } from '@hotline/core/transcript/item'
import type { Problem } from '@hotline/protocol/error'
import {
  type ReactNode,
  type Ref,
  useEffect,
  useEffectEvent,
  useCallback,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from 'react'
import { type ListRange, Virtuoso, type VirtuosoHandle } from 'react-virtuoso'
import { useLive } from '../live/hotline.tsx'
import { useAnyOnScreen, useOnScreen } from '../live/use-on-screen.ts'
import { phone, useMedia } from '../live/use-media.ts'
import { foldSteps, type Row, stepsAsked, subAgentsOf } from './fold-steps.ts'
import { type Acts, ItemView } from './item-view.tsx'
import { keptPlace, type Place } from './unread.ts'
import { useAside } from './use-aside.ts'
import { useKeptPlace } from './use-kept-place.ts'
import { endPx, leftOf, useFollowEnd } from './use-follow-end.ts'
import { useFilled } from './use-filled.ts'
import { useReadMark } from './use-read-mark.ts'
import { useOlder } from './use-older.ts'
import { useSettled } from './use-settled.ts'
import { useWayTo } from './use-way-to.ts'
import { isOver, useWayBack } from './use-way-back.ts'
import { countNew, seqOf, type UnreadRow, useUnread } from './use-unread.ts'

/** Where the first item of the newest window is counted from, so that older ones can come in front. */
const firstIndex = 1_000_000

/** Ways through a conversation for what stands around it. */
export interface Ways {
  /** Brings what is asked first into sight. */
  toAsked: () => void
  /** To the end, where what one says comes. */
  toEnd: () => void
  /** To a message, however far above it is. */
  toMessage: (message: string) => void
}

interface ConversationProps {
  picture: SessionPicture
  acts: Acts
  loadOlder: () => Promise<Problem | undefined>
  ways: Ref<Ways>
}

/** Messages and steps in one column. */
export function Conversation(props: ConversationProps): ReactNode {
  const { picture, acts, loadOlder } = props
  const rows = useMemo(
    () => foldSteps(picture.transcript.items.filter((item) => !isInQueue(item))),
    [picture.transcript],
  )
  const [kept] = useState(() => keptPlace(acts.session))
  const isFilled = useFilled({ rows, kept, hasOlder: picture.hasOlder, loadOlder })
  if (isFilled) return <Talk {...props} rows={rows} kept={kept} />
  return (
    <div className="talk" role="status" aria-busy="true">
      <p className="notice">{kept ? 'Going back to where you were …' : 'Reading …'}</p>
    </div>
  )
}

/** It follows the end until a reader scrolls up, and then leaves them in peace. */
function Talk({
  picture,
  acts,
  loadOlder,
  ways,
  rows,
  kept,
}: ConversationProps & { rows: readonly Row[]; kept: Place | undefined }): ReactNode {
  const { seq } = picture.transcript
  const subAgents = useMemo(() => subAgentsOf(picture.transcript), [picture.transcript])
  const ran = useMemo(() => stepsAsked(picture.transcript.items), [picture.transcript])
  const { me } = useLive()
  const isMine = useCallback((row: Row) => isBy(row, me.id), [me.id])
  const list = useRef<VirtuosoHandle>(null)
  const { box, atEnd, onEnd, onHeight, leave, toEnd, isTaken } = useFollowEnd(
    startOf(rows, kept) ? 'elsewhere' : 'at the end',
    rows,
  )
  const isLive = picture.asOf === undefined
  const items = useUnread({ session: acts.session, rows, seq, atEnd, isLive, isMine })
  useReadMark({ session: acts.session, seq, messages: picture.state?.counts.messages ?? 0, atEnd: atEnd && isLive })
  const [start] = useState(() => startOf(items, kept))
  const indexOf = (key: string): number => items.findIndex((item) => item.key === key)
  const seen = useRef(seq)
  const before = useRef({ key: items[0]?.key, count: items.length, first: firstIndex })
  // Older items came in front: the index of the first one falls by as many, so that nothing moves under the reader.
  const place = items.findIndex(({ key }) => key === before.current.key)
  if (place > 0) before.current.first -= place
  before.current.key = items[0]?.key
  const narrow = useMedia(phone)
  const isAside = useAside(acts.session)
  const openAt = items.findIndex((item) => isOpen(item) && !isAside(item))
  const unanswered = items.filter((item) => item.kind === 'approval' && item.outcome === undefined)
  // What is put aside has its keys where nothing else has them; on a phone it does not stand before everything.
  const open = (unanswered.find((item) => !isAside(item)) ?? (narrow ? undefined : unanswered[0]))?.key
  const showAsked = useCallback((): void => {
    leave()
    if (openAt >= 0) list.current?.scrollToIndex({ index: openAt, align: 'center' })
  }, [openAt, leave])
  const isSettled = useSettled(box, (scroller) =>
    start ? isTaken() || isOver(box.current, start.key, start.offset) : leftOf(scroller) <= endPx,
  )
  const [range, setRange] = useState<ListRange>()
  const isAtStart = isSettled && range !== undefined && range.startIndex <= before.current.first
  useOlder(isAtStart && picture.hasOlder, loadOlder)
  const openPlace = openAt + before.current.first
  // Keys answer what is asked first, and only in sight: where it is elsewhere one is led there. A phone has its own place.
  const hasPlace = narrow && items[openAt]?.kind === 'approval'
  // The list draws more than is in sight: of what is drawn the screen says whether it is seen.
  const [isOpenSeen, setOpenSeen] = useState<boolean>()
  const isDrawn = range !== undefined && openPlace >= range.startIndex && openPlace <= range.endIndex
  const isAway = isSettled && !hasPlace && openAt >= 0 && range !== undefined && (!isDrawn || isOpenSeen === false)
  const lineAt = items.findIndex(({ kind }) => kind === 'unread')
  const linePlace = lineAt + before.current.first
  // Who begins at the end may want to begin where they stopped; once they saw the line they know.
  const [sawLine, setSawLine] = useState(false)
  const isLineAbove = isSettled && lineAt >= 0 && !sawLine && range !== undefined && linePlace < range.startIndex
  const showLine = (): void => {
    leave()
    list.current?.scrollToIndex({ index: lineAt, align: 'start' })
  }
  const isBegunAbove = kept !== undefined
  const showEnd = useCallback((): void => {
    toEnd()
    // Of a list that was begun far above its end only the list itself knows the way there. It goes it again for a moment
    // when anything grows, also what somebody opens.
    if (isBegunAbove) list.current?.scrollToIndex({ index: 'LAST', align: 'end' })
  }, [toEnd, isBegunAbove])
  const toMessage = useWayTo({ items, picture, loadOlder, leave, list })
  useImperativeHandle(ways, () => ({ toAsked: showAsked, toEnd: showEnd, toMessage }), [showAsked, showEnd, toMessage])
  const asked = isAway ? items.filter((item) => isOpen(item) && !isAside(item)).length : 0

  useEffect(() => {
    if (atEnd) seen.current = seq
  }, [atEnd, seq])
  const seqAt = (key: string): number => {
    const row = rows.find((one) => one.key === key)
    // The line above what is new is where the reader had stopped.
    return row ? seqOf(row) : seen.current
  }
  useKeptPlace({ session: acts.session, seqOf: seqAt, box, atEnd, isTaken })
  useWayBack({ to: start, indexNow: indexOf, list, box, isTaken })
  const fresh = countNew(rows, seen.current)

  return (
    <div className={isSettled ? 'talk' : 'talk settling'} ref={box}>
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
          computeItemKey={(_, item) => item.key}
          // It is followed here: the list itself would also follow what somebody opens at its end.
          followOutput={false}
          atBottomStateChange={onEnd}
          rangeChanged={setRange}
          totalListHeightChanged={onHeight}
          atBottomThreshold={endPx}
          increaseViewportBy={400}
          itemContent={(_, item) => (
            <Spot of={item.key} isAsked={item.key === items[openAt]?.key} tell={setOpenSeen}>
              {item.kind === 'unread' ? (
                <UnreadLine count={item.count} isShown={isSettled} seen={() => setSawLine(true)} />
              ) : (
                <ItemView
                  item={item}
                  acts={acts}
                  firstOpen={item.key === open}
                  ran={ran.get(item.key)}
                  subAgent={item.kind === 'approval' ? subAgents.get(item.key) : undefined}
                />
              )}
            </Spot>
          )}
        />
      )}
      {isAway && (
        <button type="button" className="button jump asked" onClick={showAsked}>
          {asked > 1 ? `${asked} need you: show the first` : 'Show what needs you'}
        </button>
      )}
      {isLineAbove && !isAway && (
        <button type="button" className="button jump first" onClick={showLine}>
          {items.length - lineAt - 1} new ↑
        </button>
      )}
      {!atEnd && (
        <button type="button" className="button jump" onClick={showEnd}>
          {fresh > 0 ? `${fresh} new ↓` : 'Latest ↓'}
        </button>
      )}
    </div>
  )
}

/** It stands in a line of its own below, and not yet where it was said. */
function isInQueue(item: Item): boolean {
  return (
    (item.kind === 'message' && item.delivery === 'queued') || (item.kind === 'approval' && item.isWaiting === true)
  )
}

/** It waits for a person. */
function isOpen(item: Row | UnreadRow): boolean {
  if (item.kind === 'approval') return item.outcome === undefined
  if (item.kind === 'draft') return item.phase === 'ready' && item.waits === true
  return item.kind === 'question' && item.action === undefined
}

/** Somebody said it, or answered or undid there: who does that has read what stands above. */
function isBy(row: Row, account: string): boolean {
  if (row.kind === 'message') return row.by.kind === 'person' && row.by.id === account
  return (row.kind === 'approval' || row.kind === 'question' || row.kind === 'undo') && row.by?.id === account
}

/** Where an item stands. What is asked first tells whether it is seen. */
function Spot({
  of,
  isAsked,
  tell,
  children,
}: {
  of: string
  isAsked: boolean
  tell: (isSeen: boolean | undefined) => void
  children: ReactNode
}): ReactNode {
  const box = useRef<HTMLDivElement>(null)
  useAnyOnScreen(box, isAsked, tell)
  return (
    <div ref={box} className="item" data-key={of}>
      {children}
    </div>
  )
}

/** Above what is new; `seen` is told once it was in sight for a moment. */
function UnreadLine({ count, isShown, seen }: { count: number; isShown: boolean; seen: () => void }): ReactNode {
  const line = useRef<HTMLDivElement>(null)
  const inSight = useOnScreen(line, isShown)
  const tell = useEffectEvent(seen)
  useEffect(() => {
    if (inSight) tell()
  }, [inSight])
  return (
    <div ref={line} className="turn unread" role="separator" aria-label={`${count} new`}>
      <span>{count} new</span>
    </div>
  )
}

/** Where this tab was before it was loaded anew, by an item that is there; undefined for the end. */
function startOf(items: readonly (Row | UnreadRow)[], kept: Place | undefined): Place | undefined {
  if (!kept) return undefined
  // What stood there may be part of something now that begins before it.
  const item =
    items.find(({ key }) => key === kept.key) ??
    items.findLast((one) => one.kind !== 'unread' && seqOf(one) <= kept.seq)
  return item && { ...kept, key: item.key }
}
