import { isOfSession, logAgent } from '@hotline/protocol/commands/session'
import { uuidV7 } from '@hotline/client/uuid'
import type { Problem } from '@hotline/protocol/error'
import type { AgentRow } from '@hotline/protocol/http'
import { type FormEvent, type ReactNode, type RefObject, useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useAgents } from '../live/use-agents.ts'
import { type CommandLineReading, readCommandLine } from '@hotline/core/command-line'
import { Refusal } from '../parts/refusal.tsx'

/** Which agent, where, and what it shall do. */
export function StartDialog({
  dialog,
  started,
}: {
  dialog: RefObject<HTMLDialogElement | null>
  started: (session: string) => void
}): ReactNode {
  const { link, me } = useLive()
  const [shown, setShown] = useState(false)
  const { agents = [] } = useAgents(shown)
  const [wanted, setWanted] = useState('')
  const [problem, setProblem] = useState<Problem | { detail: string }>()
  const [busy, setBusy] = useState(false)

  // The same agent on two machines is two things: it would work in another's folders.
  const chosen =
    wanted === ''
      ? (agents.find((row) => row.agent === 'demo') ?? agents[0])
      : agents.find((row) => keyOf(row) === wanted)
  const agent = chosen?.agent ?? 'demo'
  const machines = new Map(agents.map(({ runner, runnerId }) => [runnerId, runner]))

  useEffect(() => {
    const element = dialog.current
    if (!element) return undefined
    const seen = new MutationObserver(() => setShown(element.open))
    seen.observe(element, { attributes: true, attributeFilter: ['open'] })
    return () => seen.disconnect()
  }, [dialog])

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const field = (name: string): string => {
      const value = data.get(name)
      return typeof value === 'string' ? value.trim() : ''
    }
    const line =
      agent === logAgent ? fileLine(data) : isOfSession(agent) ? readCommandLine(field('command')) : undefined
    if (line && !line.ok) return setProblem({ detail: line.problem })
    setBusy(true)
    const session = uuidV7()
    const outcome = await link.command(`session:${session}`, 'session.start', {
      project: field('project') || (me.projects[0]?.project ?? 'default'),
      agent,
      ...(chosen ? { runner: chosen.runnerId } : {}),
      ...(field('title') ? { title: field('title') } : {}),
      ...(field('cwd') ? { cwd: field('cwd') } : {}),
      ...(field('prompt') && !isOfSession(agent) ? { prompt: field('prompt') } : {}),
      ...(line?.ok ? { command: [...line.argv] } : {}),
      ...(chosen?.asks === false && !line ? { unasked: true } : {}),
    })
    setBusy(false)
    if (!outcome.ok) return setProblem(outcome.problem)
    setProblem(undefined)
    dialog.current?.close()
    started(session)
  }

  return (
    <dialog ref={dialog} aria-label="New session">
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <h1>New session</h1>
        <label className="field">
          <span>Agent</span>
          <select
            className="input"
            value={chosen ? keyOf(chosen) : ''}
            onChange={(event) => setWanted(event.target.value)}
          >
            {agents.length === 0 && <option value="">No machine is connected yet</option>}
            {agents.map((row) => (
              <option key={keyOf(row)} value={keyOf(row)} disabled={!row.available}>
                {row.name}
                {machines.size > 1 ? ` on ${machineName(row, machines)}` : ''}
                {row.available ? '' : ' (not ready)'}
              </option>
            ))}
          </select>
          {chosen && <span>{chosen.available ? chosen.description : chosen.hint}</span>}
        </label>
        {me.projects.length > 1 && (
          <label className="field">
            <span>Project</span>
            <select className="input" name="project">
              {me.projects.map(({ project, name }) => (
                <option key={project} value={project}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        {agent === logAgent ? (
          <>
            <label className="field">
              <span>File on its machine, as an absolute path; it need not be there yet</span>
              <input className="input mono" name="file" required placeholder="/var/log/agent.log" />
            </label>
            <label className="small">
              <input type="checkbox" name="from-start" /> Show what is in it already
            </label>
          </>
        ) : isOfSession(agent) ? (
          <label className="field">
            <span>Command line</span>
            <input className="input mono" name="command" required placeholder="python3 -i" />
          </label>
        ) : (
          <label className="field">
            <span>What shall it do?</span>
            <textarea className="input" name="prompt" rows={3} maxLength={2_000} placeholder="Show me around" />
          </label>
        )}
        {agent !== 'demo' && agent !== logAgent && (
          <label className="field">
            <span>Folder on its machine, as an absolute path</span>
            <input className="input mono" name="cwd" placeholder="/home/me/project" />
          </label>
        )}
        <label className="field">
          <span>Title (optional)</span>
          <input className="input" name="title" maxLength={200} />
        </label>
        <Refusal problem={problem} />
        <div className="actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" className="button strong" disabled={busy || chosen === undefined}>
            Start
          </button>
        </div>
      </form>
    </dialog>
  )
}

/** A file is named as the session's command line, whatever characters its name has. */
function fileLine(data: FormData): CommandLineReading {
  const path = data.get('file')
  if (typeof path !== 'string' || !path.trim().startsWith('/')) {
    return { ok: false, problem: 'The file is named by an absolute path, such as /var/log/agent.log.' }
  }
  return { ok: true, argv: [path.trim(), ...(data.has('from-start') ? [] : ['from-end'])] }
}

function keyOf({ agent, runnerId }: AgentRow): string {
  return `${runnerId} ${agent}`
}

/** Two of the same name are told apart by their ids. */
function machineName({ runner, runnerId }: AgentRow, machines: ReadonlyMap<string, string>): string {
  const alike = [...machines.values()].filter((name) => name === runner)
  return alike.length > 1 ? `${runner} (${runnerId.slice(-8)})` : runner
}
