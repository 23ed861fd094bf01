import { namedIn, openSessions } from '@hotline/core/task/addressee'
import { openTaskView, type TaskView } from '@hotline/client/task-view'
import { localProblem, type Problem } from '@hotline/protocol/error'
import type { TaskDetail, TaskSession } from '@hotline/protocol/task'
import { Link as To } from '@tanstack/react-router'
import { type ReactNode, useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useReadable } from '@hotline/client/use-readable'
import { Failed } from '../parts/failed.tsx'
import { OneName } from '../parts/legible.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { SessionSkeleton } from '../parts/skeletons.tsx'
import { TabList, tabProps } from '../parts/tab-list.tsx'
import { SessionPage } from '../session/session-page.tsx'
import { legibleName } from '../text/legible.ts'
import { agoText } from '../text/time.ts'
import { WholeTalk } from './whole-talk.tsx'
import { useSeenSessions } from './session-badge.tsx'
import { TaskDetails } from './task-details.tsx'

type Tab = 'details' | 'output' | 'interact'
const words: readonly (readonly [tab: Tab, word: string])[] = [
  ['details', 'Details'],
  ['output', 'Output'],
  ['interact', 'Interact'],
]

/** One card: what it says, what its sessions print, and the conversation with them. */
export function TaskPanel({ task }: { task: string }): ReactNode {
  const { link } = useLive()
  const [view, setView] = useState<TaskView>()
  const [tries, setTries] = useState(0)
  useEffect(() => {
    const opened = openTaskView(link, task)
    setView(opened)
    return () => opened[Symbol.dispose]()
  }, [link, task, tries])
  return (
    <section className="panel" aria-label="Card">
      {view ? <Opened view={view} again={() => setTries(tries + 1)} /> : <SessionSkeleton />}
    </section>
  )
}

function Opened({ view, again }: { view: TaskView; again: () => void }): ReactNode {
  const { detail, status, problem } = useReadable(view.picture)
  if (status === 'failed') {
    return (
      <Failed what="This card cannot be shown." problem={problem} retry={again}>
        <To to="/tasks" className="button plain">
          Back to the board
        </To>
      </Failed>
    )
  }
  return detail ? <Shown detail={detail} problem={problem} /> : <SessionSkeleton />
}

function Shown({ detail, problem }: { detail: TaskDetail; problem: { detail: string } | undefined }): ReactNode {
  const { title, sessions } = detail.task
  const [tab, setTab] = useState<Tab>('details')
  const [run, setRun] = useState('')
  const newest = sessions[0]?.session
  const shown = sessions.some(({ session }) => session === run) ? run : newest
  return (
    <>
      <header>
        <div className="name">
          <h1 title={legibleName(title)}>
            <OneName text={title} />
          </h1>
        </div>
        <To to="/tasks" className="button plain" aria-label="Close the card">
          ✕
        </To>
        <TabList label="View of the card">
          {words.map(([one, word]) => (
            <button
              key={one}
              type="button"
              {...tabProps(tab === one)}
              className="button plain"
              onClick={() => setTab(one)}
            >
              {word}
            </button>
          ))}
        </TabList>
        {tab === 'output' && sessions.length > 1 && <Runs detail={detail} shown={shown} choose={setRun} />}
      </header>
      <Refusal problem={problem} look="notice" />
      {tab === 'details' && <TaskDetails detail={detail} started={() => setTab('interact')} />}
      {tab !== 'details' && shown === undefined && (
        <div className="empty">
          <p>No session works on it yet.</p>
          <button type="button" className="button" onClick={() => setTab('details')}>
            Go to its details
          </button>
        </div>
      )}
      {tab === 'output' && shown !== undefined && <SessionPage key={`${shown} output`} session={shown} only="output" />}
      {tab === 'interact' && newest !== undefined && <Talk sessions={sessions} newest={newest} />}
    </>
  )
}

/** The conversation with one of the agents of a card: the newest, or the one that was chosen or named. */
function Talk({ sessions, newest }: { sessions: readonly TaskSession[]; newest: string }): ReactNode {
  const { link, known } = useLive()
  const [chosen, setChosen] = useState('')
  const [refusal, setRefusal] = useState<Problem>()
  const [isWhole, setWhole] = useState(false)
  const shown = sessions.some(({ session }) => session === chosen) ? chosen : newest
  const open = openSessions(sessions)
  const choose = (session: string): void => {
    setWhole(false)
    setRefusal(undefined)
    setChosen(session)
  }
  const here = open.find(({ session }) => session === shown)
  const sentElsewhere = (text: string, files: number): Promise<boolean> | undefined => {
    setRefusal(undefined)
    const to = namedIn(sessions, text)
    // One of several sessions of the agent that is named is as good as another: it stays where somebody is.
    if (!to || to.agent === here?.agent) return undefined
    return files > 0 ? filesStay(to.agent) : sendTo(to.session, text)
  }
  async function filesStay(agent: string): Promise<boolean> {
    const detail = `The files are with the session that is shown. Choose @${agent} above and add them there, or leave the name out.`
    setRefusal(localProblem('invalid_request', detail))
    return false
  }
  async function sendTo(session: string, text: string): Promise<boolean> {
    const outcome = await link.command(`session:${session}`, 'message.send', { text })
    if (outcome.ok) choose(session)
    else setRefusal(outcome.problem)
    return outcome.ok
  }
  return (
    <>
      {sessions.length > 1 && (
        <div className="talkers" role="group" aria-label="Agents of this card">
          <button
            type="button"
            className="button plain small"
            aria-pressed={isWhole}
            title="What was said in all sessions of this card, in its order"
            onClick={() => setWhole(true)}
          >
            All runs
          </button>
          {(open.length > 0 ? open : sessions.slice(0, 1)).map(({ session, agent }) => (
            <button
              key={session}
              type="button"
              className="button plain small"
              aria-pressed={!isWhole && session === shown}
              title={`Write to ${known.agents.get(agent) ?? agent}; or name it in any message here`}
              onClick={() => choose(session)}
            >
              @{agent}
              {open.some((other) => other.agent === agent && other.session !== session) &&
                ` · run ${sessions.length - sessions.findIndex((one) => one.session === session)}`}
            </button>
          ))}
        </div>
      )}
      <Refusal problem={refusal} look="notice" />
      <SessionPage
        key={shown}
        session={shown}
        only="talk"
        sentElsewhere={sentElsewhere}
        conversation={isWhole ? <WholeTalk sessions={sessions} show={choose} /> : undefined}
      />
    </>
  )
}

/** Chooses one of the sessions of a card, the newest first. */
function Runs({
  detail,
  shown,
  choose,
}: {
  detail: TaskDetail
  shown: string | undefined
  choose: (session: string) => void
}): ReactNode {
  const seen = useSeenSessions()
  const { known } = useLive()
  const { sessions } = detail.task
  return (
    <select className="input runs" aria-label="Run" value={shown} onChange={(event) => choose(event.target.value)}>
      {sessions.map(({ session, agent }, index) => {
        const at = seen.get(session)?.createdAt
        return (
          <option key={session} value={session}>
            {[
              `Run ${sessions.length - index}`,
              known.agents.get(agent) ?? agent,
              ...(at === undefined ? [] : [agoText(Date.now() - Date.parse(at))]),
            ].join(' · ')}
          </option>
        )
      })}
    </select>
  )
}
