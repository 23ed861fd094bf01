import type { TaskRow } from '@hotline/protocol/task'
import { type FormEvent, type ReactNode, useRef, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { openDialog } from '../parts/open-dialog.ts'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { usePassword } from '../pages/use-password.ts'

/** Deletes what was said and done in the sessions of a card, after it was said what is lost. */
export function EraseConversation({ row }: { row: TaskRow }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  const [tries, setTries] = useState(0)
  const close = (): void => {
    dialog.current?.close()
    setTries(tries + 1)
  }
  return (
    <>
      <button type="button" className="button" onClick={() => openDialog(dialog.current)}>
        Delete conversation …
      </button>
      <dialog ref={dialog} aria-labelledby="erase-heading">
        <EraseForm key={tries} row={row} close={close} />
      </dialog>
    </>
  )
}

function EraseForm({ row, close }: { row: TaskRow; close: () => void }): ReactNode {
  const { link } = useLive()
  const { isAsked, problem, send } = usePassword()
  const [isBusy, setBusy] = useState(false)
  const { length } = row.sessions
  const path = `/api/projects/${encodeURIComponent(row.project)}/tasks/${encodeURIComponent(row.task)}/interactions`

  async function erase(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const said = new FormData(event.currentTarget)
    setBusy(true)
    const isDone = await send(said, () => link.request('DELETE', path))
    setBusy(false)
    if (isDone) close()
  }

  return (
    <form className="stack" onSubmit={(event) => void erase(event)}>
      <h2 id="erase-heading">Delete the conversation?</h2>
      <p>
        This erases what people and agents said and did in {length === 1 ? 'the session' : `all ${length} sessions`} of
        this card: messages, steps with their input and results, output, questions, requests and changes. Nobody can
        bring it back.
      </p>
      <p className="small">
        The card stays, and so does the record of who did what kind of thing when. Files that agents changed stay as
        they are.
      </p>
      {isAsked && <PasswordAgain words="Your password, to delete it for good" />}
      <Refusal problem={problem} />
      <div className="actions">
        <button type="button" className="button" onClick={close}>
          Keep it
        </button>
        <button type="submit" className="button danger" disabled={isBusy}>
          Delete it for good
        </button>
      </div>
    </form>
  )
}
