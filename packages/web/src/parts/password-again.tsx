import type { ReactNode } from 'react'

/** The field in which one says one's password once more, where something asks for that. */
export function PasswordAgain({ words }: { words: string }): ReactNode {
  return (
    <label className="field">
      <span>{words}</span>
      {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- it appears because of what was just asked for */}
      <input className="input" type="password" name="password" autoComplete="current-password" autoFocus required />
    </label>
  )
}
