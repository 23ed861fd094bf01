import type { Problem } from '@hotline/protocol/error'
import type { PasswordReset } from '@hotline/protocol/password-reset'
import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import { ask } from '../live/hotline.tsx'
import { Refusal } from '../parts/refusal.tsx'

/** The code of a link for a new password, taken out of the address bar at once. */
export function takeReset(): string {
  const code = /^#reset=([A-Za-z0-9_-]+)$/.exec(location.hash)?.[1] ?? ''
  if (code !== '') history.replaceState(null, '', location.pathname)
  return code
}

/** Whoever lost their password chooses another one, and is in. */
export function ResetPage({ code }: { code: string }): ReactNode {
  const [reset, setReset] = useState<PasswordReset>()
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    void ask<PasswordReset>('POST', '/api/auth/password-reset', { code }).then((answer) => {
      if (answer.ok) setReset(answer.value)
      else setProblem(answer.problem)
    })
  }, [code])

  async function accept(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    setBusy(true)
    const given = new FormData(event.currentTarget)
    const keys = given.get('keys') === 'revoke' ? 'revoke' : 'keep'
    const answer = await ask('POST', '/api/auth/password-reset/accept', { code, password: given.get('password'), keys })
    setBusy(false)
    if (answer.ok) location.assign('/')
    else setProblem(answer.problem)
  }
  return (
    <main className="enter">
      {reset === undefined ? (
        <section className="stack" aria-busy={problem === undefined}>
          <h1>{problem === undefined ? 'Looking …' : 'This link does not work'}</h1>
          <Refusal problem={problem} />
          {problem !== undefined && (
            <p>
              <a href="/">Sign in</a>
            </p>
          )}
        </section>
      ) : (
        <form className="stack" onSubmit={(event) => void accept(event)}>
          <div>
            <h1>A new password for {reset.name}</h1>
            <p className="quiet">You will be signed out everywhere, and signed in here.</p>
          </div>
          {/* For whatever keeps passwords. */}
          <input type="hidden" autoComplete="username" value={reset.name} readOnly />
          <label className="field">
            <span>Choose a password, at least 12 characters</span>
            <input
              className="input"
              type="password"
              name="password"
              autoComplete="new-password"
              minLength={12}
              required
            />
          </label>
          <fieldset className="ticks">
            <label>
              <input type="checkbox" name="keys" value="revoke" />
              Somebody else may know my password: end my tokens, API keys and invitations too
            </label>
          </fieldset>
          <Refusal problem={problem} />
          <button type="submit" className="button strong" disabled={busy}>
            Set password and sign in
          </button>
        </form>
      )}
    </main>
  )
}
