import type { ReactNode } from 'react'
import { Legible } from '../parts/legible.tsx'

const messageMax = 2_000

/** Whether what is kept is committed, and with which message; `undefined`: it is not. */
export function CommitField({
  branch,
  message,
  proposed,
  change,
  disabled,
}: {
  branch: string
  message: string | undefined
  /** What it begins with. */
  proposed: string
  change: (message: string | undefined) => void
  disabled: boolean
}): ReactNode {
  return (
    <div className="answer commit">
      <label>
        <input
          type="checkbox"
          checked={message !== undefined}
          disabled={disabled}
          onChange={(event) => change(event.target.checked ? proposed : undefined)}
        />
        <span>
          Commit what is kept on{' '}
          <span className="mono">
            <Legible text={branch} place="name" />
          </span>
        </span>
      </label>
      {message !== undefined && (
        <input
          className="input"
          aria-label="Message of the commit"
          maxLength={messageMax}
          value={message}
          disabled={disabled}
          onChange={(event) => change(event.target.value)}
        />
      )}
    </div>
  )
}
