import type { Problem } from '@hotline/protocol/error'
import { Assignee, TaskLabels, taskPriorities, type TaskPriority, type TaskRow } from '@hotline/protocol/task'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { legibleName } from '../text/legible.ts'
import { priorityWords } from './task-card.tsx'

/** What a person says of a card. */
export interface TaskFields {
  title: string
  description: string
  priority: TaskPriority
  labels: string[]
  assignee: Assignee | null
}

/** What a card says, to be written or changed. `save` answers why not. */
export function TaskForm({
  heading,
  word,
  row,
  description,
  save,
  closed,
}: {
  heading: string
  word: string
  row?: TaskRow
  description?: string | null
  save: (fields: TaskFields) => Promise<Problem | undefined>
  closed: () => void
}): ReactNode {
  const { names, known } = useLive()
  const [problem, setProblem] = useState<{ detail: string }>()
  const [busy, setBusy] = useState(false)
  const chosen = row?.assignee ? `${row.assignee.kind}:${row.assignee.id}` : ''

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const form = event.currentTarget
    const fields = readFields(new FormData(form))
    if (!fields)
      return setProblem({ detail: 'At most 20 labels, each of at most 40 characters, with commas between them.' })
    setBusy(true)
    const refused = await save(fields)
    setBusy(false)
    setProblem(refused)
    if (refused) return
    form.reset()
    closed()
  }

  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <h1>{heading}</h1>
      <label className="field">
        <span>Title</span>
        <input className="input" name="title" required maxLength={200} defaultValue={row?.title} />
      </label>
      <label className="field">
        <span>Description, in Markdown (optional)</span>
        <textarea className="input" name="description" rows={6} maxLength={50_000} defaultValue={description ?? ''} />
      </label>
      <label className="field">
        <span>Priority</span>
        <select className="input" name="priority" defaultValue={row?.priority ?? 'normal'}>
          {taskPriorities.map((priority) => (
            <option key={priority} value={priority}>
              {priorityWords[priority]}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>Labels, with commas between them (optional)</span>
        <input className="input" name="labels" defaultValue={row?.labels.join(', ')} />
      </label>
      <label className="field">
        <span>Who shall do it (optional)</span>
        <select className="input" name="assignee" defaultValue={chosen}>
          <option value="">Nobody yet</option>
          {chosen !== '' && !isAmong(row?.assignee, names, known.agents) && (
            <option value={chosen}>{row?.assignee?.id}</option>
          )}
          <optgroup label="People">
            {[...names].map(([id, name]) => (
              <option key={id} value={`person:${id}`}>
                {legibleName(name)}
              </option>
            ))}
          </optgroup>
          <optgroup label="Agents">
            {[...known.agents].map(([id, name]) => (
              <option key={id} value={`agent:${id}`}>
                {name}
              </option>
            ))}
          </optgroup>
        </select>
      </label>
      <Refusal problem={problem} />
      <div className="actions">
        <button type="button" className="button" onClick={closed}>
          Cancel
        </button>
        <button type="submit" className="button strong" disabled={busy}>
          {word}
        </button>
      </div>
    </form>
  )
}

type Names = ReadonlyMap<string, string>

function isAmong(assignee: Assignee | null | undefined, people: Names, agents: Names): boolean {
  return assignee ? (assignee.kind === 'person' ? people : agents).has(assignee.id) : true
}

/** What the form says; undefined where the labels are none. */
function readFields(data: FormData): TaskFields | undefined {
  const field = (name: string): string => {
    const value = data.get(name)
    return typeof value === 'string' ? value.trim() : ''
  }
  const words = field('labels')
    .split(',')
    .map((label) => label.trim())
    .filter(Boolean)
  const labels = TaskLabels.safeParse([...new Set(words)])
  if (!labels.success) return undefined
  const [kind, ...id] = field('assignee').split(':')
  const assignee = Assignee.safeParse({ kind, id: id.join(':') })
  return {
    title: field('title'),
    description: field('description'),
    priority: taskPriorities.find((one) => one === field('priority')) ?? 'normal',
    labels: labels.data,
    assignee: assignee.success ? assignee.data : null,
  }
}
