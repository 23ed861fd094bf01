import { uuidV7 } from '@hotline/client/uuid'
import type { ReactNode, RefObject } from 'react'
import { useLive } from '../live/hotline.tsx'
import { TaskForm } from './task-form.tsx'

/** A new card, in “To do”. */
export function NewTask({
  dialog,
  project,
}: {
  dialog: RefObject<HTMLDialogElement | null>
  project: string
}): ReactNode {
  const { link } = useLive()
  return (
    <dialog ref={dialog} aria-label="New card">
      <TaskForm
        heading="New card"
        word="Create"
        save={async ({ assignee, ...fields }) => {
          const data = { project, ...fields, ...(assignee ? { assignee } : {}) }
          const outcome = await link.command(`task:${uuidV7()}`, 'task.create', data)
          return outcome.ok ? undefined : outcome.problem
        }}
        closed={() => dialog.current?.close()}
      />
    </dialog>
  )
}
