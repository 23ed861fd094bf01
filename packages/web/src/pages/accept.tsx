import type { Invitation } from '@hotline/protocol/invitation'
import type { Problem } from '@hotline/protocol/error'
import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import { ask } from '../live/hotline.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { roleWords } from './role-words.ts'

/** The code of an invitation's link, taken out of the address bar at once. */
export function takeInvitation(): string {
  const code = /^#invite=([A-Za-z0-9_-]+)$/.exec(location.hash)?.[1] ?? ''
  if (code !== '') history.replaceState(null, '', location.pathname)
  return code
}

/** Whoever was invited chooses a password, and is in. */
export function AcceptPage({ code }: { code: string }): ReactNode {
  const [invitation, setInvitation] = useState<Invitation>()
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    void ask<Invitation>('POST', '/api/auth/invitation', { code }).then((answer) => {
      if (answer.ok) setInvitation(answer.value)
      else setProblem(answer.problem)
    })
  }, [code])

  async function accept(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    setBusy(true)
    const password = new FormData(event.currentTarget).get('password')
    const answer = await ask('POST', '/api/auth/invitation/accept', { code, password })
    setBusy(false)
    if (answer.ok) location.assign('/')
    else setProblem(answer.problem)
  }
  return (
    <main className="enter">
      {invitation === undefined ? (
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
            <h1>Welcome to Hotline, {invitation.name}</h1>
            <p className="quiet">
              {invitation.invitedBy} invites you to “{invitation.project}”. You may {roleWords[invitation.role]}.
            </p>
          </div>
          {/* For whatever keeps passwords. */}
          <input type="hidden" autoComplete="username" value={invitation.name} readOnly />
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
          <Refusal problem={problem} />
          <button type="submit" className="button strong" disabled={busy}>
            Create account
          </button>
        </form>
      )}
    </main>
  )
}
