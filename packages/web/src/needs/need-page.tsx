import { type OpenAsk, openAskView } from '@hotline/client/inbox'
import type { CommandOutcome } from '@hotline/client/link'
import { watchable } from '@hotline/client/readable'
import { askKey } from '@hotline/core/account/ask-key'
import type { Problem } from '@hotline/protocol/error'
import { Link as To, useNavigate, useParams } from '@tanstack/react-router'
import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { isPlain, isTyping } from '../live/keyboard.ts'
import { useMay } from '../live/use-may.ts'
import { useReadable } from '@hotline/client/use-readable'
import { Legible, OneName } from '../parts/legible.tsx'
import { ApprovalCard } from '../session/approval-card.tsx'
import { QuestionCard } from '../session/question-card.tsx'
import { ThumbPlace } from '../session/thumb.tsx'
import { WaitsBehind } from '../session/waits-behind.tsx'
import { lineOf } from './arrange-asks.ts'
import { type Marked, useNeeds } from './needs-context.tsx'

/** Beside the list of what needs somebody, where nothing was chosen yet. */
export function NeedChosen(): ReactNode {
  return (
    <div className="empty">
      <p>
        Choose what to look at, or press <kbd className="key">j</kbd>.
      </p>
    </div>
  )
}

/** One thing that is asked, by itself: all of it, and its answer. */
export function NeedPage(): ReactNode {
  const { inbox } = useNeeds()
  const { session = '', ask = '' } = useParams({ strict: false })
  const { asks, status } = useReadable(inbox.picture)
  const key = askKey(session, ask)
  const found = asks.find(({ row }) => askKey(row.session, row.ask) === key)
  // It stays here when it is answered, with what became of it.
  const [held, setHeld] = useState<{ key: string; ask: OpenAsk }>()
  if (found && held?.key !== key) setHeld({ key, ask: found })
  const shown = held?.key === key ? held.ask : undefined
  if (!shown) {
    return (
      <div className="empty">
        <p>{status === 'live' ? 'This is not asked any more, or was answered.' : 'Loading …'}</p>
        <To to="/sessions/$session" params={{ session }} className="button">
          Open its session
        </To>
      </div>
    )
  }
  return <Chosen key={key} ask={shown} isOpen={found !== undefined} />
}

function Chosen({ ask, isOpen }: { ask: OpenAsk; isOpen: boolean }): ReactNode {
  const { link, list } = useLive()
  const { marked, mark, drafts } = useNeeds()
  const { row } = ask
  const { session, agent } = row
  const key = askKey(session, row.ask)
  const [now, setNow] = useState(() => watchable(ask.item) as ReturnType<typeof openAskView>['item'])
  useEffect(() => {
    const view = openAskView(link, ask)
    setNow(view.item)
    return () => view[Symbol.dispose]()
  }, [link, ask])
  const item = useReadable(now)
  const sessionRow = useReadable(list.picture).sessions.find((one) => one.session === session)
  const may = useMay(row.project)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!isOpen) mark(key, undefined)
  }, [isOpen, key, mark])
  const stream = `session:${session}`
  return (
    <section className="need" aria-label="What is asked" ref={box}>
      <ThumbPlace
        items={[item]}
        show={() => box.current?.querySelector('.card')?.scrollIntoView({ block: 'center' })}
        mayDecide={may('decide')}
      >
        <Head ask={ask} />
        <div className="scroll">
          {item.kind === 'question' ? (
            <QuestionCard
              item={item}
              session={session}
              hasKey
              mayAnswer={may('write')}
              answer={async (data) => problemOf(await link.command(stream, 'question.answer', data))}
            />
          ) : (
            <ApprovalCard
              item={item}
              session={session}
              project={row.project}
              decide={async (data) => problemOf(await link.command(stream, 'approval.decide', data))}
              remember={async (rule) =>
                problemOf(await link.command(`project:${row.project}`, 'policy.set_rule', rule))
              }
              drafts={drafts}
              first
              mayDecide={may('decide')}
              mayDecideHigh={may('decide_high')}
              agent={agent}
              isPaused={sessionRow?.status === 'paused'}
              isAway={sessionRow !== undefined && sessionRow.staleSince !== null}
              subAgent={row.subAgent ?? undefined}
              ran={undefined}
              mark={(canMark) => (
                <Mark
                  what={{ session, approval: row.ask, digest: item.digest, line: lineOf(ask).line }}
                  isMarked={marked.has(key)}
                  canMark={canMark}
                  mark={(what) => mark(key, what)}
                />
              )}
            />
          )}
          <WaitsBehind count={sessionRow?.waitingApprovals ?? 0} />
        </div>
      </ThumbPlace>
    </section>
  )
}

function Head({ ask: { row } }: { ask: OpenAsk }): ReactNode {
  const navigate = useNavigate()
  const { known } = useLive()
  const press = useEffectEvent((event: KeyboardEvent): boolean => {
    const isElsewhere = event.target instanceof Element && event.target.closest('a, button, summary') !== null
    if (event.key !== 'Enter' || !isPlain(event) || isTyping(event.target) || isElsewhere) return false
    void navigate({ to: '/sessions/$session', params: { session: row.session } })
    return true
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (press(event)) event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  return (
    <header>
      <To to="/needs" className="button plain back" aria-label="Back to what needs you">
        ←
      </To>
      <div className="name">
        <h1>
          <OneName text={row.title} />
        </h1>
        <p className="small quiet">
          {known.agents.get(row.agent) ?? row.agent}
          {row.subAgent !== null && (
            <>
              {' '}
              (sub-agent: <Legible text={row.subAgent} place="name" />)
            </>
          )}
        </p>
      </div>
      <To to="/sessions/$session" params={{ session: row.session }} className="button">
        Open the session <kbd className="key">Enter</kbd>
      </To>
    </header>
  )
}

/** Marks what is shown, to be answered together with others; by key too. */
function Mark({
  what,
  isMarked,
  canMark,
  mark,
}: {
  what: Marked
  isMarked: boolean
  canMark: boolean
  mark: (what: Marked | undefined) => void
}): ReactNode {
  const toggle = useEffectEvent((): void => mark(isMarked ? undefined : what))
  const isOffered = canMark || isMarked
  useEffect(() => {
    if (!isOffered) return undefined
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'x' || event.repeat || !isPlain(event) || isTyping(event.target)) return
      event.preventDefault()
      toggle()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [isOffered])
  if (!isOffered) return undefined
  return (
    <label className="facts mark">
      <input type="checkbox" checked={isMarked} onChange={toggle} />
      <span>
        Mark it, to answer it together with others <kbd className="key">x</kbd>
      </span>
    </label>
  )
}

function problemOf(outcome: CommandOutcome): Problem | undefined {
  return outcome.ok ? undefined : outcome.problem
}
