import type { CommandInput } from '@hotline/protocol/command'
import type { Problem } from '@hotline/protocol/error'
import type { TaskDetail } from '@hotline/protocol/task'
import { Link as To, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useRef, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useMay } from '../live/use-may.ts'
import { Markdown } from '../markdown/markdown.tsx'
import { Legible } from '../parts/legible.tsx'
import { openDialog } from '../parts/open-dialog.ts'
import { Refusal } from '../parts/refusal.tsx'
import { StartDialog } from '../session/start-dialog.tsx'
import { exactText } from '../text/time.ts'
import { EraseConversation } from './erase-conversation.tsx'
import { columnWords } from './places.ts'
import { SessionBadge, useSeenSessions } from './session-badge.tsx'
import { MoveMenu, priorityWords } from './task-card.tsx'
import { TaskForm } from './task-form.tsx'

/** What a card says, and what one can do with it as one's rights allow. */
export function TaskDetails({ detail, started }: { detail: TaskDetail; started: () => void }): ReactNode {
  const { link, names, known } = useLive()
  const { task: row, description, stream } = detail
  const may = useMay(row.project)
  const seen = useSeenSessions()
  const navigate = useNavigate()
  const edit = useRef<HTMLDialogElement>(null)
  const start = useRef<HTMLDialogElement>(null)
  const [refusal, setRefusal] = useState<Problem>()
  const [isSure, setSure] = useState(false)
  const { assignee } = row
  const who = assignee
    ? ((assignee.kind === 'person' ? names : known.agents).get(assignee.id) ?? assignee.id)
    : 'nobody yet'

  async function change(data: CommandInput<'task.change'>): Promise<Problem | undefined> {
    const outcome = await link.command(stream, 'task.change', data)
    return outcome.ok ? undefined : outcome.problem
  }
  async function move(data: CommandInput<'task.move'>): Promise<void> {
    const outcome = await link.command(stream, 'task.move', data)
    setRefusal(outcome.ok ? undefined : outcome.problem)
  }
  async function remove(): Promise<void> {
    if (!isSure) return setSure(true)
    const outcome = await link.command(stream, 'task.remove', {})
    if (outcome.ok) return void navigate({ to: '/tasks' })
    setSure(false)
    setRefusal(outcome.problem)
  }

  return (
    <div className="details-of">
      <Refusal problem={refusal} />
      <dl className="known">
        <dt>Column</dt>
        <dd>
          {columnWords[row.column]}{' '}
          {may('write') && <MoveMenu label="Move the card to" column={row.column} move={(to) => void move({ to })} />}
        </dd>
        <dt>Priority</dt>
        <dd>{priorityWords[row.priority]}</dd>
        <dt>Labels</dt>
        <dd>
          {row.labels.length === 0
            ? 'none'
            : row.labels.map((label) => (
                <span key={label} className="label">
                  <Legible text={label} place="name" />
                </span>
              ))}
        </dd>
        <dt>Who</dt>
        <dd>
          <Legible text={who} place="name" />
        </dd>
        <dt>Since</dt>
        <dd>{exactText(row.createdAt)}</dd>
      </dl>
      <h2>Description</h2>
      {description ? <Markdown text={description} /> : <p className="quiet">Nothing is written here yet.</p>}
      <h2>Sessions</h2>
      {row.sessions.length === 0 && <p className="quiet">No session works on it yet.</p>}
      <SessionBadge row={row} seen={seen.get(row.sessions[0]?.session ?? '')} />
      <ul className="runs-of">
        {row.sessions.map(({ session, agent }, index) => (
          <li key={session}>
            <To to="/sessions/$session" params={{ session }}>
              Run {row.sessions.length - index}
            </To>{' '}
            <span className="quiet">{known.agents.get(agent) ?? agent}</span>
          </li>
        ))}
      </ul>
      <div className="actions">
        {may('admin') && row.sessions.length > 0 && <EraseConversation row={row} />}
        {may('admin') && (
          <button type="button" className={`button${isSure ? ' danger' : ''}`} onClick={() => void remove()}>
            {isSure ? 'Delete it for good?' : 'Delete'}
          </button>
        )}
        {may('write') && (
          <>
            <button type="button" className="button" onClick={() => openDialog(edit.current)}>
              Edit
            </button>
            <button type="button" className="button strong" onClick={() => openDialog(start.current)}>
              Start a session
            </button>
          </>
        )}
      </div>
      <dialog ref={edit} aria-label="Edit the card">
        <TaskForm
          key={detail.cursor}
          heading="Edit the card"
          word="Save"
          row={row}
          description={description}
          save={change}
          closed={() => edit.current?.close()}
        />
      </dialog>
      <StartDialog
        dialog={start}
        started={started}
        task={{ id: row.task, project: row.project, prompt: promptOf(row.title, description) }}
      />
    </div>
  )
}

/** What an agent is told first, unless somebody writes something else. */
function promptOf(title: string, description: string | null): string {
  return [title, description ?? ''].join('\n\n').trim()
}
