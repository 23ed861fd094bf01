import type { ReactNode } from 'react'
import { Legible } from '../parts/legible.tsx'
import { legibleName } from '../text/legible.ts'

const messageMax = 2_000

/** Whether what is kept is committed and with which message (`undefined`: it is not), and where it goes then. */
interface CommitWish {
  message: string | undefined
  /** Another branch, that the one of the worktree is merged into. */
  into: string | undefined
}

/** Asks for it; without a word of anybody it is not committed, and committed it stays on the branch of the worktree. */
export function CommitField({
  branch,
  branches,
  wish,
  proposed,
  change,
  disabled,
}: {
  branch: string
  /** Others that may be chosen; none where whoever reviews may not decide about them. */
  branches: readonly string[]
  wish: CommitWish
  /** What the message begins with. */
  proposed: string
  change: (wish: CommitWish) => void
  disabled: boolean
}): ReactNode {
  const { message, into } = wish
  return (
    <div className="answer commit">
      <label>
        <input
          type="checkbox"
          checked={message !== undefined}
          disabled={disabled}
          onChange={(event) => change({ message: event.target.checked ? proposed : undefined, into: undefined })}
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
          onChange={(event) => change({ message: event.target.value, into })}
        />
      )}
      {message !== undefined && branches.length > 0 && (
        <select
          className="input"
          aria-label="Branch that it is merged into"
          value={into ?? ''}
          disabled={disabled}
          onChange={(event) => change({ message, into: event.target.value === '' ? undefined : event.target.value })}
        >
          <option value="">Merge it nowhere</option>
          {branches.map((name) => (
            <option key={name} value={name}>
              Merge into {legibleName(name)}
            </option>
          ))}
        </select>
      )}
    </div>
  )
}
