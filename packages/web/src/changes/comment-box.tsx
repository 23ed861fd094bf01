import { type ReactNode, useState } from 'react'
import { Legible } from '../parts/legible.tsx'

/** What somebody says about a line: being written, or waiting to be sent with the others. */
export function CommentBox({
  line,
  text,
  save,
  leave,
}: {
  line: number
  /** Absent: it is being written. */
  text?: string | undefined
  save: (text: string) => void
  /** Lets go of what is written, or takes it away. */
  leave: () => void
}): ReactNode {
  const [written, setWritten] = useState(text ?? '')
  const [isEditing, setEditing] = useState(text === undefined)
  const isEmpty = written.trim() === ''
  const done = (): void => {
    if (isEmpty) return
    setEditing(false)
    save(written.trim())
  }
  if (!isEditing) {
    return (
      <div className="said" role="note" aria-label={`Comment on line ${line}`}>
        <Legible text={text ?? written} place="prose" />
        <div className="actions">
          <button type="button" className="button plain" onClick={() => setEditing(true)}>
            Change
          </button>
          <button type="button" className="button plain" onClick={leave}>
            Remove
          </button>
        </div>
      </div>
    )
  }
  return (
    <div className="said">
      <textarea
        className="input"
        aria-label={`What you say about line ${line}`}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- it was asked for with this very line
        autoFocus
        rows={2}
        value={written}
        onChange={(event) => setWritten(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') leave()
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) done()
        }}
      />
      <div className="actions">
        <button type="button" className="button" disabled={isEmpty} onClick={done}>
          Comment
        </button>
        <button type="button" className="button plain" onClick={leave}>
          Cancel
        </button>
      </div>
    </div>
  )
}
