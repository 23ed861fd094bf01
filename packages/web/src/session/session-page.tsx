import type { CommandOutcome } from '@hotline/client/link'
import { openSessionView, type SessionView } from '@hotline/client/session-view'
import { isTypedTo } from '@hotline/protocol/capabilities'
import { isLive } from '@hotline/protocol/session-status'
import { Link as To } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useRef, useState } from 'react'
import type { CommandInput } from '@hotline/protocol/command'
import type { Problem } from '@hotline/protocol/error'
import { useLive } from '../live/hotline.tsx'
import { useMay } from '../live/use-may.ts'
import { useReadable } from '@hotline/client/use-readable'
import { Failed } from '../parts/failed.tsx'
import { OneName } from '../parts/legible.tsx'
import { openDialog } from '../parts/open-dialog.ts'
import { Refusal } from '../parts/refusal.tsx'
import { SessionSkeleton } from '../parts/skeletons.tsx'
import { legibleName } from '../text/legible.ts'
import type { ReviewActs } from '../changes/review.tsx'
import type { Drafts } from './approval-card.tsx'
import { Conversation, type Ways } from './conversation.tsx'
import { Evidence, EvidenceLine } from './evidence.tsx'
import type { Acts } from './item-view.tsx'
import { BudgetCard, BudgetFacts, type SetBudget } from './budget-card.tsx'
import { canPauseLater, PauseButtons, type PauseCommand } from './pause-buttons.tsx'
import { MessageBox } from './message-box.tsx'
import { ModeBanner } from './mode-banner.tsx'
import { ModeFacts, type SetPolicyMode } from './mode-facts.tsx'
import { OwnRulesFact } from './own-rules-fact.tsx'
import { useReply } from './reply.tsx'
import { SessionTabs, type Tab } from './session-tabs.tsx'
import { StopButton } from './stop-button.tsx'
import { TakeOverNotice } from './take-over.tsx'
import { ThumbPlace } from './thumb.tsx'
import { useAside } from './use-aside.ts'
import { useEvidence } from './use-evidence.ts'
import { usePresence } from './use-presence.ts'
import { WaitsBehind } from './waits-behind.tsx'
import { WaitsForMachine } from './waits-for-machine.tsx'

const ChangesView = lazy(async () => ({ default: (await import('../changes/changes-view.tsx')).ChangesView }))
const Console = lazy(async () => ({ default: (await import('./console/console.tsx')).Console }))
const Terminal = lazy(async () => ({ default: (await import('./terminal.tsx')).Terminal }))

/**
 * One session: what it is doing, its conversation or terminal, and where one writes to it. `only`: the one view that is shown.
 * `sentElsewhere`: as of the message box. `conversation`: stands in place of its own.
 */
export function SessionPage({
  session,
  only,
  sentElsewhere,
  conversation,
}: {
  session: string
  only?: Tab
  sentElsewhere?: (text: string, files: number) => Promise<boolean> | undefined
  conversation?: ReactNode
}): ReactNode {
  const { link, kept } = useLive()
  const [view, setView] = useState<SessionView>()
  const [tries, setTries] = useState(0)
  useEffect(() => {
    const opened = openSessionView(link, session, kept)
    setView(opened)
    return () => opened[Symbol.dispose]()
  }, [link, session, kept, tries])
  if (!view) return <SessionSkeleton />
  const ports = { view, session, only, sentElsewhere, conversation, again: () => setTries(tries + 1) }
  return <Opened key={tries} {...ports} />
}

function Opened({
  view,
  session,
  only,
  sentElsewhere,
  conversation,
  again,
}: {
  view: SessionView
  session: string
  only: Tab | undefined
  sentElsewhere: ((text: string, files: number) => Promise<boolean> | undefined) | undefined
  conversation: ReactNode
  again: () => void
}): ReactNode {
  const { link } = useLive()
  const picture = useReadable(view.picture)
  const [tab, setTab] = useState<Tab>()
  const sheet = useRef<HTMLDialogElement>(null)
  const ways = useRef<Ways>(null)
  const drafts = useRef<Drafts>(new Map())
  const seen = useEvidence(session)
  const isAside = useAside(session)
  const { present, wrote } = usePresence(session, picture.transcript)
  const { state } = picture
  const may = useMay(state?.project)
  const [refusal, setRefusal] = useState<Problem>()
  const [reply, setReply] = useReply(session)
  const [mayWrite, mayDecide, mayDecideHigh] = [may('write'), may('decide'), may('decide_high')]
  const agent = state?.agent ?? ''
  const project = state?.project ?? ''
  const mayPause = mayWrite && state !== undefined && canPauseLater(state)
  const isPaused = state?.status === 'paused'
  const canReply = mayWrite && state !== undefined && isLive(state.status) && state.capabilities?.input === 'turns'
  const isAway = state?.staleSince !== undefined
  const acts = useMemo<Acts>(
    () => ({
      session,
      project,
      drafts: drafts.current,
      decide: async (data) => {
        const outcome = await view.command('approval.decide', data)
        return outcome.ok ? undefined : outcome.problem
      },
      remember: async (rule) => problemOf(await link.command(`project:${project}`, 'policy.set_rule', rule)),
      answer: async (data) => {
        const outcome = await view.command('question.answer', data)
        return outcome.ok ? undefined : outcome.problem
      },
      undo: {
        plan: async (to) => problemOf(await view.command('undo.plan', to)),
        apply: async (data) => problemOf(await view.command('undo.apply', data)),
        drop: async (undo) => problemOf(await view.command('undo.drop', { undo })),
      },
      react: async (message, sign, on) => problemOf(await view.command('message.react', { message, sign, on })),
      reply: canReply ? setReply : undefined,
      showMessage: (message) => ways.current?.toMessage(message),
      showChanges: () => setTab('changes'),
      pause: mayPause
        ? () =>
            void view.command('session.pause', { when: 'next_step' }).then((outcome) => setRefusal(problemOf(outcome)))
        : undefined,
      agent,
      isPaused,
      isAway,
      mayWrite,
      mayDecide,
      mayDecideHigh,
    }),
    [
      session,
      view,
      link,
      project,
      agent,
      isPaused,
      isAway,
      canReply,
      setReply,
      mayPause,
      mayWrite,
      mayDecide,
      mayDecideHigh,
    ],
  )
  const review: ReviewActs = {
    make: async () => problemOf(await view.command('draft.make', {})),
    review: async (data) => problemOf(await view.command('draft.review', data)),
    say: async (text) => problemOf(await view.send(text)),
    undo: async (checkpoint) => {
      const problem = await acts.undo.plan({ checkpoint })
      if (!problem) setTab('talk')
      return problem
    },
  }
  if (picture.status === 'failed' && !state) {
    return (
      <Failed what="This session cannot be shown." problem={picture.problem} retry={again}>
        <To to="/" className="button plain">
          Back to the sessions
        </To>
      </Failed>
    )
  }
  if (!state) return <SessionSkeleton />
  const shown = only ?? tab ?? (state.capabilities?.screen ? 'output' : 'talk')
  const command = (type: 'session.abort' | 'session.resume'): void => {
    setRefusal(undefined)
    void view.command(type, {}).then((outcome) => setRefusal(outcome.ok ? undefined : outcome.problem))
  }
  const stop = (data: CommandInput<'session.interrupt'>): void => {
    setRefusal(undefined)
    void view.command('session.interrupt', data).then((outcome) => setRefusal(problemOf(outcome)))
  }
  const pause = ({ type, data }: PauseCommand): void => {
    setRefusal(undefined)
    void view.command(type, data).then((outcome) => setRefusal(outcome.ok ? undefined : outcome.problem))
  }
  const setMode: SetPolicyMode = (data) => {
    setRefusal(undefined)
    void view.command('policy.set_mode', data).then((outcome) => setRefusal(problemOf(outcome)))
  }
  const setBudget: SetBudget = (data) => {
    setRefusal(undefined)
    void view.command('session.set_budget', data).then((outcome) => setRefusal(problemOf(outcome)))
  }
  // What is written to a program is typed into it.
  const typed = isTypedTo(state.capabilities)
  const pausing = (
    <>
      {mayWrite && <PauseButtons state={state} send={pause} />}
      {isLive(state.status) && !typed && (
        <ModeFacts state={state} set={mayDecide && !state.ending ? setMode : undefined} />
      )}
      {isLive(state.status) && <OwnRulesFact state={state} />}
      <BudgetFacts state={state} set={mayDecide && isLive(state.status) && !state.ending ? setBudget : undefined} />
    </>
  )
  const undo =
    mayWrite && (state.checkpoints ?? 0) > 0 && state.changed !== 0
      ? () => {
          setTab('talk')
          void acts.undo.plan({}).then(setRefusal)
        }
      : undefined
  const ending = mayWrite && isLive(state.status) && !state.ending && <EndButton end={() => command('session.abort')} />
  return (
    <div className="session">
      <aside className="context" aria-label="What is known about this session">
        <Evidence picture={picture} state={state} seen={seen} watching={present.watching} undo={undo}>
          {pausing}
        </Evidence>
      </aside>
      <dialog ref={sheet} className="sheet" aria-label="What is known about this session">
        <Evidence picture={picture} state={state} seen={seen} watching={present.watching} undo={undo}>
          {pausing}
        </Evidence>
        <form method="dialog" className="actions">
          {ending}
          <button type="submit" className="button">
            Close
          </button>
        </form>
      </dialog>
      <header>
        {only === undefined && (
          <To to="/" className="back button plain" aria-label="Back to the sessions">
            ‹
          </To>
        )}
        <div className="name">
          <h1 title={legibleName(state.title)}>
            <OneName text={state.title} />
          </h1>
          <EvidenceLine picture={picture} state={state} />
        </div>
        {only === undefined && <SessionTabs state={state} shown={shown} show={setTab} />}
        <button type="button" className="button details" onClick={() => openDialog(sheet.current)}>
          Details
        </button>
        {mayWrite && state.status === 'active' && state.turn && state.capabilities?.interrupt && (
          <StopButton state={state} stop={stop} />
        )}
        {mayWrite && state.status === 'paused' && !state.exhausted && (
          <button type="button" className="button strong" onClick={() => command('session.resume')}>
            Resume
          </button>
        )}
        {mayWrite && state.status === 'interrupted' && state.capabilities?.resume && (
          <button type="button" className="button strong" onClick={() => command('session.resume')}>
            Resume
          </button>
        )}
        {ending}
      </header>
      <ModeBanner state={state} end={mayDecide ? () => setMode({ mode: 'ask' }) : undefined} />
      <Refusal problem={refusal} look="notice" />
      <ThumbPlace
        mayDecide={mayDecide}
        items={picture.transcript.items.filter((item) => !isAside(item))}
        show={() => {
          setTab('talk')
          ways.current?.toAsked()
        }}
      >
        <div className="view">
          {shown === 'talk' &&
            (conversation ?? (
              <Conversation picture={picture} loadOlder={() => view.loadOlder()} ways={ways} acts={acts} />
            ))}
          {shown === 'changes' && (
            <Suspense fallback={<div className="changes" />}>
              <ChangesView picture={picture} state={state} acts={review} mayWrite={mayWrite} mayDecide={mayDecide} />
            </Suspense>
          )}
          {shown === 'output' && (
            <Suspense fallback={<div className="terminal" />}>
              <Terminal key={session} view={view} mayType={mayDecide} />
            </Suspense>
          )}
          {shown === 'console' && (
            <Suspense>
              <Console
                key={session}
                picture={picture}
                state={state}
                seen={seen}
                mayWrite={mayWrite}
                loadOlder={() => void view.loadOlder().then(setRefusal)}
              />
            </Suspense>
          )}
        </div>
      </ThumbPlace>
      <WaitsBehind count={state.waiting?.length ?? 0} />
      <WaitsForMachine state={state} />
      <TakeOverNotice
        state={state}
        take={mayDecide ? async (data) => problemOf(await view.command('session.take_over', data)) : undefined}
      />
      <BudgetCard state={state} mayDecide={mayDecide} set={setBudget} ending={ending} />
      {shown !== 'console' && (
        <MessageBox
          session={session}
          view={view}
          picture={picture}
          present={present}
          wrote={wrote}
          reply={reply}
          endReply={() => setReply(undefined)}
          sent={() => {
            // What is typed to a program shows where it prints; what is said to an agent, and its answer, in the conversation.
            if (!typed) setTab('talk')
            ways.current?.toEnd()
          }}
          sentElsewhere={sentElsewhere}
          mayWrite={typed ? mayDecide : mayWrite}
        />
      )}
    </div>
  )
}

function problemOf(outcome: CommandOutcome): Problem | undefined {
  return outcome.ok ? undefined : outcome.problem
}

function EndButton({ end }: { end: () => void }): ReactNode {
  const [sure, setSure] = useState(false)
  useEffect(() => {
    if (!sure) return undefined
    const timer = setTimeout(() => setSure(false), 5_000)
    return () => clearTimeout(timer)
  }, [sure])
  return (
    <button
      type="button"
      className={`button ending${sure ? ' danger' : ''}`}
      onClick={() => (sure ? end() : setSure(true))}
    >
      {sure ? 'End the agent for good?' : 'End'}
    </button>
  )
}
