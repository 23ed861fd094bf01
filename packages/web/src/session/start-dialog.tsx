import { isOfSession, logAgent } from '@hotline/protocol/commands/session'
import { FolderPath } from '@hotline/protocol/folder-path'
import { uuidV7 } from '@hotline/client/uuid'
import type { Problem } from '@hotline/protocol/error'
import { type FormEvent, type ReactNode, type RefObject, useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useAgents } from '../live/use-agents.ts'
import { useMay } from '../live/use-may.ts'
import { useFolderView } from '../live/use-folder-view.ts'
import { type CommandLineReading, readCommandLine } from '@hotline/core/command-line'
import { Refusal } from '../parts/refusal.tsx'
import { firstPrompt } from '../list/no-sessions.tsx'
import { BudgetFields, readFields } from './budget-fields.tsx'
import { StartFence } from './start-fence.tsx'
import { chosenPlace, StartPlace } from './start-place.tsx'
import { agentKey, AgentOptions, ChosenAgent, NotReady } from './start-agents.tsx'

/** What an agent is told first here; more can be written to it once it runs. */
const promptChars = 2_000

/** Which agent, where, and what it shall do. */
export function StartDialog({
  dialog,
  started,
  task,
}: {
  dialog: RefObject<HTMLDialogElement | null>
  started: (session: string) => void
  /** The card for which it works, and what it is told of it. */
  task?: { id: string; project: string; prompt: string }
}): ReactNode {
  const { link, me } = useLive()
  const [shown, setShown] = useState(false)
  // Looked at again and again: what is installed or signed in with meanwhile shows.
  const { agents = [] } = useAgents(shown, nothingIsEnough)
  const [wanted, setWanted] = useState('')
  const [problem, setProblem] = useState<Problem | { detail: string }>()
  const [busy, setBusy] = useState(false)
  const [folder, setFolder] = useState('')
  const [project, setProject] = useState(task?.project ?? me.projects[0]?.project ?? 'default')
  const may = useMay(project)

  // The same agent on two machines is two things: it would work in another's folders.
  const chosen =
    wanted === ''
      ? (agents.find((row) => row.agent === 'demo') ?? agents[0])
      : agents.find((row) => agentKey(row) === wanted)
  const agent = chosen?.agent ?? 'demo'
  const needsFolder = agent !== logAgent && chosen?.ownFolder !== true && agent !== 'demo'

  const takesFolder = agent !== 'demo' && agent !== logAgent
  const place = useFolderView({
    runner: shown ? chosen?.runnerId : undefined,
    project,
    agent,
    folder: takesFolder ? folder.trim() : '',
  })

  useEffect(() => {
    const element = dialog.current
    if (!element) return undefined
    const seen = new MutationObserver(() => setShown(element.open))
    seen.observe(element, { attributes: true, attributeFilter: ['open'] })
    return () => seen.disconnect()
  }, [dialog])

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const form = event.currentTarget
    const data = new FormData(form)
    const field = (name: string): string => {
      const value = data.get(name)
      return typeof value === 'string' ? value.trim() : ''
    }
    const line =
      agent === logAgent ? fileLine(data) : isOfSession(agent) ? readCommandLine(field('command')) : undefined
    if (line && !line.ok) return setProblem({ detail: line.problem })
    const wrong = needsFolder || field('cwd') !== '' ? folderProblem(field('cwd')) : undefined
    if (wrong !== undefined) return setProblem({ detail: wrong })
    const budget = readFields(data)
    if (!budget.ok) return setProblem({ detail: budget.problem })
    const limits = Object.entries(budget.change).filter(([, limit]) => limit !== null)
    setBusy(true)
    const session = uuidV7()
    const outcome = await link.command(`session:${session}`, 'session.start', {
      project,
      agent,
      ...(task ? { task: task.id } : {}),
      ...(chosen ? { runner: chosen.runnerId } : {}),
      ...(field('title') ? { title: field('title') } : {}),
      ...(field('cwd') ? { cwd: field('cwd'), ...chosenPlace(data) } : {}),
      ...(field('prompt') && !isOfSession(agent) ? { prompt: field('prompt') } : {}),
      ...(limits.length > 0 ? { budget: Object.fromEntries(limits) } : {}),
      ...(line?.ok ? { command: [...line.argv] } : {}),
      ...(chosen?.asks === false && !line ? { unasked: true } : {}),
      ...(data.has('unfenced') ? { unfenced: true } : {}),
      ...(data.has('freeEdits') ? { freeEdits: true } : {}),
    })
    setBusy(false)
    if (!outcome.ok) return setProblem(outcome.problem)
    setProblem(undefined)
    dialog.current?.close()
    // What was meant for this one is not meant for the next.
    form.reset()
    setFolder('')
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
            value={chosen ? agentKey(chosen) : ''}
            onChange={(event) => {
              setWanted(event.target.value)
              setProblem(undefined)
            }}
          >
            <AgentOptions agents={agents} />
          </select>
          {chosen && <ChosenAgent row={chosen} />}
        </label>
        <NotReady agents={agents} />
        {me.projects.length > 1 && !task && (
          <label className="field">
            <span>Project</span>
            <select
              className="input"
              name="project"
              value={project}
              onChange={(event) => setProject(event.target.value)}
            >
              {me.projects.map(({ project: id, name }) => (
                <option key={id} value={id}>
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
            <span>{chosen?.asks === false ? 'What is typed first (optional)' : 'What shall it do?'}</span>
            <textarea
              key={agent === 'demo' ? 'demo' : 'other'}
              className="input"
              name="prompt"
              rows={3}
              maxLength={promptChars}
              defaultValue={task?.prompt.slice(0, promptChars) ?? (agent === 'demo' ? firstPrompt : '')}
              placeholder="It waits for your first message if you leave this empty."
              onKeyDown={(event) => {
                if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit()
              }}
            />
          </label>
        )}
        {takesFolder && (
          <label className="field">
            <span>Folder on its machine, as an absolute path{needsFolder ? '' : ' (optional)'}</span>
            <input
              className="input mono"
              name="cwd"
              placeholder="/home/me/project"
              value={folder}
              onChange={(event) => setFolder(event.target.value)}
            />
          </label>
        )}
        <StartPlace reading={place} />
        {chosen && <StartFence key={agentKey(chosen)} row={chosen} mayDecide={may('decide')} />}
        <label className="field">
          <span>Title (optional)</span>
          <input className="input" name="title" maxLength={200} />
        </label>
        <details className="why">
          <summary>Budget (optional)</summary>
          <p className="small quiet">When one is used up, it is held before its next step and you are asked.</p>
          <BudgetFields />
        </details>
        <Refusal problem={problem} />
        <div className="actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" className="button strong" disabled={busy || chosen?.available !== true}>
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

/** Only its machine knows whether a folder is there; that it must be named, and how, is known here. */
function folderProblem(folder: string): string | undefined {
  if (folder === '') return 'Choose the folder that it shall work in.'
  if (FolderPath.safeParse(folder).success) return undefined
  return 'The folder has to be an absolute path on its machine, such as /home/me/project.'
}

function nothingIsEnough(): boolean {
  return false
}
