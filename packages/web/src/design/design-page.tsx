import type { Item } from '@hotline/core/transcript/item'
import { type ReactNode, useState } from 'react'
import { ListSkeleton } from '../parts/skeletons.tsx'
import { ContactBanner } from '../parts/contact-banner.tsx'
import { Failed } from '../parts/failed.tsx'
import { PlanList } from '../parts/plan-list.tsx'
import { NoSessions } from '../list/no-sessions.tsx'
import { SessionRows } from '../list/session-rows.tsx'
import { LiveContext, useLive } from '../live/hotline.tsx'
import { ConnectionLabel, Count } from '../pages/rail.tsx'
import { ConsoleRows } from '../session/console/console.tsx'
import { Evidence } from '../session/evidence.tsx'
import { foldSteps } from '../session/fold-steps.ts'
import { ItemView } from '../session/item-view.tsx'
import { ModeBanner } from '../session/mode-banner.tsx'
import { ModeFacts } from '../session/mode-facts.tsx'
import { MessageBox } from '../session/message-box.tsx'
import { people, sampleApprovals, sampleMessages, sampleQuestions, sampleSteps } from './sample-items.ts'
import { sampleConsole } from './sample-console.ts'
import { sampleDrafts } from './sample-drafts.ts'
import { SampleNeeds } from './sample-needs.tsx'
import { sampleUndo } from './sample-undo.ts'
import { sampleLive, sampleMode, sampleSession, seenAgent } from './sample-live.ts'
import { emptyForm } from '../changes/choices.ts'
import { Review } from '../changes/review.tsx'
import { Tokens } from './tokens.tsx'

const demo = {
  agent: 'demo',
  name: 'Demo agent',
  description: 'A scripted agent',
  runner: 'here',
  runnerId: 'here-8d5ec0f9',
  available: true,
}

/** Tokens, and every component of the page in every state, with samples behind them. */
export function DesignPage(): ReactNode {
  const { me } = useLive()
  const [here] = useState(() => sampleLive(me, false, [demo]))
  const [away] = useState(() => sampleLive(me, true))
  const [alone] = useState(() => sampleLive(me, false))
  const [{ view, picture }] = useState(sampleSession)
  const [approvals] = useState(sampleApprovals)
  const [form, setForm] = useState(emptyForm)
  const [items] = useState(() => ({
    messages: sampleMessages(),
    steps: sampleSteps(),
    questions: sampleQuestions(),
    undo: sampleUndo(),
    drafts: sampleDrafts(),
  }))
  const acts = {
    agent: 'demo',
    isPaused: false,
    isAway: false,
    session: 'sample',
    project: 'sample',
    decide: async () => {
      const outcome = await here.link.command('session:sample', 'session.resume', {})
      return outcome.ok ? undefined : outcome.problem
    },
    drafts: new Map(),
    answer: () => Promise.resolve(undefined),
    undo: {
      plan: () => Promise.resolve(undefined),
      apply: () => Promise.resolve(undefined),
      drop: () => Promise.resolve(undefined),
    },
    react: () => Promise.resolve(undefined),
    reply: nothing,
    showMessage: nothing,
    showChanges: () => undefined,
    remember: nothing,
    mayWrite: true,
    mayDecide: true,
    mayDecideHigh: true,
  }
  const shown = (list: readonly Item[]): ReactNode =>
    foldSteps(list).map((item) => (
      <div key={item.key} className="item">
        <ItemView item={item} acts={acts} firstOpen={false} />
      </div>
    ))
  const present = { typing: [people.colleague], watching: [people.me, people.colleague] }
  return (
    <div className="settings design">
      <h1>Design</h1>
      <Tokens />
      <LiveContext value={here}>
        <Controls />
        <Part name="The list, in every group">
          <SessionRows start={() => undefined} />
        </Part>
        <Part name="What needs you">
          <SampleNeeds />
        </Part>
        <Part name="Messages">{shown(items.messages)}</Part>
        <Part name="Steps, turns, notices">{shown(items.steps)}</Part>
        <Part name="Commands of a console">
          <ConsoleRows rows={sampleConsole()} />
        </Part>
        <Part name="Approvals, open">{shown(approvals.open)}</Part>
        <Part name="Approvals, answered">{shown(approvals.answered)}</Part>
        <Part name="Questions">{shown(items.questions)}</Part>
        <Part name="Undo">{shown(items.undo)}</Part>
        <Part name="Changes">
          {shown(items.drafts.lines)}
          <Review
            item={items.drafts.ready}
            session="design"
            title="Keep the query"
            form={form}
            setForm={setForm}
            acts={{ make: nothing, review: nothing, say: nothing, undo: nothing }}
            mayWrite
            mayDecide
            whyNot={undefined}
            messageChars={2_000}
          />
        </Part>
        <Part name="What is not asked">
          {picture.state && (
            <>
              <ModeBanner state={{ ...picture.state, policyMode: sampleMode('hands_free') }} end={() => undefined} />
              <ModeFacts state={picture.state} set={() => undefined} />
            </>
          )}
        </Part>
        <Part name="Evidence">
          <div className="sheet">
            {picture.state && (
              <Evidence picture={picture} state={picture.state} seen={seenAgent} watching={present.watching} />
            )}
          </div>
          <PlanList
            entries={[
              { text: 'Read the code', status: 'completed' },
              { text: 'Write the test', status: 'in_progress' },
              { text: 'Mend it', status: 'pending' },
            ]}
          />
        </Part>
        <Part name="Writing, with a queue">
          <MessageBox
            session="design"
            view={view}
            picture={picture}
            present={present}
            wrote={() => undefined}
            reply={undefined}
            endReply={() => undefined}
            sent={() => undefined}
            mayWrite
          />
        </Part>
        <Part name="Empty">
          <NoSessions start={() => undefined} />
        </Part>
        <Part name="Loading">
          <ListSkeleton />
        </Part>
        <Part name="Failed">
          <Failed
            what="This session cannot be shown."
            problem={{ detail: 'There is no such session.' }}
            retry={() => undefined}
          />
        </Part>
      </LiveContext>
      <LiveContext value={alone}>
        <Part name="No machine">
          <NoSessions start={() => undefined} />
        </Part>
      </LiveContext>
      <LiveContext value={away}>
        <Part name="Out of contact">
          <ContactBanner />
          <ConnectionLabel />
          <MessageBox
            session="design-away"
            view={view}
            picture={picture}
            present={{ typing: [], watching: [] }}
            wrote={() => undefined}
            reply={undefined}
            endReply={() => undefined}
            sent={() => undefined}
            mayWrite
          />
        </Part>
      </LiveContext>
    </div>
  )
}

function nothing(): Promise<undefined> {
  return Promise.resolve(undefined)
}

function Part({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <section className="part">
      <h2>{name}</h2>
      <div className="sample">{children}</div>
    </section>
  )
}

function Controls(): ReactNode {
  return (
    <Part name="Controls">
      <div className="samples">
        <button type="button" className="button strong">
          Allow <kbd className="key">a</kbd>
        </button>
        <button type="button" className="button">
          Deny <kbd className="key">d</kbd>
        </button>
        <button type="button" className="button plain">
          Withdraw
        </button>
        <button type="button" className="button danger">
          End the agent for good?
        </button>
        <button type="button" className="button stop" data-held="true">
          Hold to stop <kbd className="key">s</kbd>
        </button>
        <button type="button" className="button strong" disabled>
          Allowing …
        </button>
        <button type="button" className="button" disabled>
          Deny
        </button>
      </div>
      <div className="samples">
        <input className="input" aria-label="Empty" placeholder="Comment for the agent" />
        <input className="input" aria-label="Filled" defaultValue="not on this machine" />
        <input className="input" aria-label="Not to be used" disabled defaultValue="This session has ended" />
        <select className="input" aria-label="A choice">
          <option>As the system</option>
        </select>
      </div>
      <div className="samples">
        <span>
          Needs you <Count needs={3} />
        </span>
        <span>
          Needs you <Count needs={0} />
        </span>
        <ConnectionLabel />
        <span>
          <span className="dot waiting" aria-hidden="true" /> Out of contact
        </span>
        <span>
          <span className="dot closed" aria-hidden="true" /> Disconnected
        </span>
        <span className="danger">failed: 2 of 40 tests</span>
        <span className="quiet">quiet</span>
      </div>
    </Part>
  )
}
