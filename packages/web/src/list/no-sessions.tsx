import { uuidV7 } from '@hotline/client/uuid'
import type { Problem } from '@hotline/protocol/error'
import { useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useAgents } from '../live/use-agents.ts'
import { ListSkeleton } from '../parts/skeletons.tsx'
import { Refusal } from '../parts/refusal.tsx'

/** What the demo agent is told; it also names its session. */
export const firstPrompt = 'Show me around'

/** No session yet: what to do first. With no machine it says so, and goes on by itself when one is there. */
export function NoSessions({ start }: { start: () => void }): ReactNode {
  const { link, me, contact } = useLive()
  const navigate = useNavigate()
  const { agents, look } = useAgents(true)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  if (agents === undefined) return contact.here ? <ListSkeleton /> : <p className="empty">No agent was running.</p>
  if (agents.length === 0) {
    return (
      <div className="empty">
        <strong>No machine is connected.</strong>
        <p>
          Agents run on machines. <code>hotline up</code> brings this server&rsquo;s own; one that was connected comes
          back by itself.
        </p>
        <button type="button" className="button" onClick={look}>
          Look again
        </button>
      </div>
    )
  }
  const demo = agents.some(({ agent, available }) => agent === 'demo' && available)

  async function startDemo(): Promise<void> {
    setBusy(true)
    const session = uuidV7()
    const project = me.projects[0]?.project ?? 'default'
    const data = { project, agent: 'demo', title: firstPrompt, prompt: firstPrompt }
    const outcome = await link.command(`session:${session}`, 'session.start', data)
    setBusy(false)
    if (outcome.ok) void navigate({ to: '/sessions/$session', params: { session } })
    else setProblem(outcome.problem)
  }
  return (
    <div className="empty">
      <strong>No agent is running.</strong>
      <p>
        {demo
          ? 'The demo agent needs no key. It shows how one watches, answers and stops an agent.'
          : 'Start one of those that your machines offer.'}
      </p>
      <button
        type="button"
        className="button strong"
        disabled={busy || !contact.here}
        onClick={() => (demo ? void startDemo() : start())}
      >
        {demo ? (busy ? 'Starting …' : 'Start the demo agent') : 'Start an agent'}
      </button>
      <Refusal problem={problem} />
    </div>
  )
}
