import { type OtherMachine, whoTakesOver } from '@hotline/client/who-takes-over'
import type { SessionState } from '@hotline/core/session/state'
import { openApprovals } from '@hotline/core/session/state'
import type { CommandInput } from '@hotline/protocol/command'
import { FolderPath } from '@hotline/protocol/folder-path'
import type { Problem } from '@hotline/protocol/error'
import { isLive } from '@hotline/protocol/session-status'
import { type FormEvent, type ReactNode, useRef, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useAgents } from '../live/use-agents.ts'
import { useNow } from '../live/use-now.ts'
import { OneName } from '../parts/legible.tsx'
import { openDialog } from '../parts/open-dialog.ts'
import { Refusal } from '../parts/refusal.tsx'
import { countText } from '../text/amounts.ts'
import { clockText } from '../text/time.ts'

/** Gives the session to another machine; answers the refusal. */
export type TakeOver = (data: CommandInput<'session.take_over'>) => Promise<Problem | undefined>

/** Where a session's machine is silent: that it is, and for whoever may decide, how it goes on upon another one. */
export function TakeOverNotice({
  state,
  take,
}: {
  state: SessionState
  /** Absent for whoever may not. */
  take: TakeOver | undefined
}): ReactNode {
  const mayBe = isLive(state.status) && (state.staleSince !== undefined || state.status === 'interrupted')
  // Looked at again and again: another machine may come, or its own may be back.
  const { agents } = useAgents(mayBe, () => false)
  const { known } = useLive()
  const now = useNow(30_000)
  const dialog = useRef<HTMLDialogElement>(null)
  const machines = mayBe && agents ? whoTakesOver(agents, state) : undefined
  if (!machines) return undefined
  const named = state.runner === undefined ? undefined : known.machines.get(state.runner)
  const own = named ?? 'its machine'
  const isGone = state.status === 'interrupted'
  const since = state.staleSince === undefined ? '' : ` since ${clockText(state.staleSince, now)}`
  return (
    <>
      <div className="notice" role="status">
        {isGone && 'The agent is gone, and '}
        <OneName text={isGone ? own : (named ?? 'Its machine')} /> is out of contact{since}.{' '}
        {!isGone && 'The session is as it was, and goes on when the machine is back.'}
        {take && machines.length > 0 && (
          <button type="button" className="button" onClick={() => openDialog(dialog.current)}>
            Go on upon another machine …
          </button>
        )}
        {take && machines.length === 0 && ' No other machine that is connected offers its agent.'}
      </div>
      {take && machines.length > 0 && (
        <dialog ref={dialog} aria-labelledby="take-over">
          <TakeOverForm own={own} state={state} machines={machines} take={take} done={() => dialog.current?.close()} />
        </dialog>
      )}
    </>
  )
}

/** What it means, before it is done. */
function TakeOverForm({
  own,
  state,
  machines,
  take,
  done,
}: {
  own: string
  state: SessionState
  machines: readonly OtherMachine[]
  take: TakeOver
  done: () => void
}): ReactNode {
  const [problem, setProblem] = useState<{ detail: string }>()
  const [isBusy, setBusy] = useState(false)
  const open = openApprovals(state).length + state.questions.length

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const cwd = textOf(data, 'cwd')
    const reason = textOf(data, 'reason')
    if (cwd !== '' && !FolderPath.safeParse(cwd).success) {
      return setProblem({ detail: 'The folder takes an absolute path of the other machine.' })
    }
    setBusy(true)
    const refusal = await take({
      runner: textOf(data, 'runner'),
      ...(cwd === '' ? {} : { cwd }),
      ...(reason === '' ? {} : { reason }),
    })
    setBusy(false)
    setProblem(refusal)
    if (!refusal) done()
  }

  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <h1 id="take-over">Go on upon another machine?</h1>
      <ul className="small meaning">
        <li>
          From now on <OneName text={own} /> is not heard any more for this session.
          {state.status !== 'interrupted' &&
            ' Its agent may still be at work there and is not stopped; when that machine is back, it ends it.'}
        </li>
        <li>
          What that agent did meanwhile is then kept beside the conversation, to be read. It changes nothing here; what
          it did to files stays done.
        </li>
        {(open > 0 || state.turn !== undefined) && (
          <li>
            {open > 0 ? `${countText(open, 'open request')} and what was under way` : 'What was under way'} is closed,
            and cannot be answered any more.
          </li>
        )}
        {state.queue.length > 0 && <li>{countText(state.queue.length, 'message')} that wait go along.</li>}
        <li>
          The agent goes on with its own context where the other machine has that; otherwise it is told what was said
          and done. The session says which.
        </li>
      </ul>
      <label className="field">
        <span>Machine</span>
        <select className="input" name="runner">
          {machines.map(({ runner, name }) => (
            <option key={runner} value={runner}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>Folder there</span>
        <input className="input" name="cwd" placeholder="the same as before" />
      </label>
      <label className="field">
        <span>Reason</span>
        <input className="input" name="reason" maxLength={500} placeholder="kept with the session" />
      </label>
      <Refusal problem={problem} look="small" />
      <div className="actions">
        <button type="submit" className="button strong" disabled={isBusy}>
          Take it over
        </button>
        <button type="button" className="button" onClick={done}>
          Cancel
        </button>
      </div>
    </form>
  )
}

function textOf(data: FormData, name: string): string {
  const value = data.get(name)
  return typeof value === 'string' ? value.trim() : ''
}
