import { openSessionView, type SessionView } from '@hotline/client/session-view'
import type { ApprovalItem, MessageItem, QuestionItem } from '@hotline/core/transcript/item'
import type { TaskSession } from '@hotline/protocol/task'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Virtuoso } from 'react-virtuoso'
import { useLive } from '../live/hotline.tsx'
import { Legible } from '../parts/legible.tsx'
import { legibleName } from '../text/legible.ts'
import { clockText } from '../text/time.ts'
import { MessageLine } from '../session/message-line.tsx'

/** Runs that are read; of more, the newest. */
const runsMax = 20
/** Where the first line of the newest windows is counted from, so that older ones can come in front. */
const firstIndex = 1_000_000

/** What was said or asked in one of the runs of a card. */
interface Said {
  run: TaskSession
  /** Counted from the first session of the card on. */
  number: number
  item: MessageItem | ApprovalItem | QuestionItem
}

/**
 * All that people and agents said in the sessions of a card, in one conversation, in the order of their times. It is read here;
 * what is asked is answered in its own session, to which each question leads.
 */
export function WholeTalk({
  sessions,
  show,
}: {
  sessions: readonly TaskSession[]
  show: (session: string) => void
}): ReactNode {
  const views = useViews(sessions)
  const pictures = [...views].map(([session, view]) => ({ session, view, picture: view.picture.value }))
  const { said, older } = merge(sessions, pictures)
  const before = useRef({ key: '', first: firstIndex })
  // What is older comes in front: the index of the first one falls by as many, so that nothing moves under the reader.
  const place = said.findIndex((one) => keyOf(one) === before.current.key)
  if (place > 0) before.current.first -= place
  before.current.key = said[0] ? keyOf(said[0]) : ''
  const isRead = pictures.length > 0 && pictures.every(({ picture }) => picture.status !== 'loading')
  if (!isRead) {
    return (
      <div className="talk" role="status" aria-busy="true">
        <p className="notice">Reading …</p>
      </div>
    )
  }
  return (
    <div className="talk">
      {said.length === 0 ? (
        <div className="empty">
          <p>Nothing was said yet on this card.</p>
        </div>
      ) : (
        <Virtuoso
          className="scroll"
          data={said}
          firstItemIndex={before.current.first}
          initialTopMostItemIndex={{ index: 'LAST', align: 'end' }}
          followOutput="auto"
          computeItemKey={(_, one) => keyOf(one)}
          increaseViewportBy={400}
          context={{ older }}
          components={aboveAll}
          itemContent={(index, one) => (
            <div className="item">
              <Line said={one} isFirst={said[index - before.current.first - 1]?.run !== one.run} show={show} />
            </div>
          )}
        />
      )}
    </div>
  )
}

/** Views of the sessions of a card; drawn again when one of them changes. */
function useViews(sessions: readonly TaskSession[]): ReadonlyMap<string, SessionView> {
  const { link } = useLive()
  const [views, setViews] = useState<ReadonlyMap<string, SessionView>>(new Map())
  const [, setTimes] = useState(0)
  const names = sessions
    .slice(0, runsMax)
    .map(({ session }) => session)
    .join(' ')
  useEffect(() => {
    const opened = new Map(names.split(' ').map((session) => [session, openSessionView(link, session)]))
    const leave = [...opened.values()].map(({ picture }) => picture.watch(() => setTimes((times) => times + 1)))
    setViews(opened)
    return () => {
      for (const stop of leave) stop()
      for (const view of opened.values()) view[Symbol.dispose]()
    }
  }, [link, names])
  return views
}

/** In the order of their times. What is older than a session was read to is left out until that is read. */
function merge(
  sessions: readonly TaskSession[],
  pictures: readonly { session: string; view: SessionView; picture: SessionView['picture']['value'] }[],
): { said: readonly Said[]; older: (() => void) | undefined } {
  const all: Said[] = []
  let from = ''
  let oldest: SessionView | undefined
  for (const { session, view, picture } of pictures) {
    const at = sessions.findIndex((one) => one.session === session)
    const run = sessions[at]
    if (!run) continue
    const number = sessions.length - at
    const { items } = picture.transcript
    for (const item of items) {
      if (item.kind === 'message' || item.kind === 'approval' || item.kind === 'question')
        all.push({ run, number, item })
    }
    const begin = items[0]?.at ?? ''
    if (!picture.hasOlder || begin < from) continue
    from = begin
    oldest = view
  }
  const said = all.filter(({ item }) => item.at >= from).toSorted((one, other) => compare(one, other))
  return { said, older: oldest && (() => void oldest.loadOlder()) }
}

function compare(one: Said, other: Said): number {
  if (one.run === other.run) return one.item.seq - other.item.seq
  return one.item.at < other.item.at ? -1 : one.item.at > other.item.at ? 1 : one.number - other.number
}

const keyOf = ({ run, item }: Said): string => `${run.session} ${item.key}`

function Older({ context: { older } }: { context: { older: (() => void) | undefined } }): ReactNode {
  if (!older) return undefined
  return (
    <div className="item">
      <button type="button" className="button plain" onClick={older}>
        Show what is older
      </button>
    </div>
  )
}

const aboveAll = { Header: Older }

function Line({ said, isFirst, show }: { said: Said; isFirst: boolean; show: (session: string) => void }): ReactNode {
  const { known } = useLive()
  const { run, number, item } = said
  const { session, agent } = run
  const acts = { session, agent, mayWrite: false, react: nothing, showMessage: () => show(session) }
  return (
    <>
      {isFirst && (
        <div className="turn">
          <span>
            Run {number} · {known.agents.get(agent) ?? legibleName(agent)}
          </span>
        </div>
      )}
      {item.kind === 'message' ? (
        <MessageLine item={item} acts={acts} />
      ) : (
        <Asked item={item} show={() => show(session)} />
      )}
    </>
  )
}

/** What was asked, and what came of it. */
function Asked({ item, show }: { item: ApprovalItem | QuestionItem; show: () => void }): ReactNode {
  const isApproval = item.kind === 'approval'
  const words = isApproval ? (item.request?.title ?? '(erased)') : item.text
  const outcome = isApproval ? item.outcome : item.action
  return (
    <div className="notice">
      {isApproval ? 'Asked for approval' : 'Asked'} · {clockText(item.at, Date.now())}:{' '}
      <Legible text={words} place="prose" /> ·{' '}
      {outcome === undefined ? 'waits for an answer' : outcome.replaceAll('_', ' ')}
      {outcome === undefined && (
        <button type="button" className="button" onClick={show}>
          Answer it
        </button>
      )}
    </div>
  )
}

function nothing(): Promise<undefined> {
  return Promise.resolve(undefined)
}
