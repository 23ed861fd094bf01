import type { Problem } from '@hotline/protocol/error'
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { ask } from '../live/ask.ts'
import { Refusal } from '../parts/refusal.tsx'
import { CodeField } from './second-factor.tsx'

/** The code of the printed link, taken out of the address bar at once. */
function takeBootstrapCode(): string {
  const code = /^#bootstrap=([A-Za-z0-9_-]+)$/.exec(location.hash)?.[1] ?? ''
  if (code !== '') history.replaceState(null, '', location.pathname)
  return code
}

/** Signing in, or on a fresh server making the first account. */
export function Enter({ entered }: { entered: () => void }): ReactNode {
  const taken = useRef<string>(undefined)
  taken.current ??= takeBootstrapCode()
  const [first, setFirst] = useState(taken.current !== '')
  const [code, setCode] = useState(taken.current)
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  /** Once the password was right, and the account has a second factor. */
  const [codeIsAsked, setCodeIsAsked] = useState(false)

  useEffect(() => {
    void ask<{ bootstrap: string }>('GET', '/api/auth/state').then((state) => {
      if (state.ok && state.value.bootstrap === 'open') setFirst(true)
      else if (state.ok) setFirst(false)
    })
  }, [])

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const secondCode = new FormData(event.currentTarget).get('second-code') ?? undefined
    setBusy(true)
    setProblem(undefined)
    const answer = first
      ? await ask('POST', '/api/auth/bootstrap', { code, name, password })
      : await ask('POST', '/api/auth/sign-in', { name, password, code: secondCode })
    setBusy(false)
    if (answer.ok) return entered()
    const isNeeded = answer.problem.code === 'code_needed'
    setCodeIsAsked(isNeeded || codeIsAsked)
    // That it is asked for is said by the field.
    return setProblem(isNeeded && secondCode === undefined ? undefined : answer.problem)
  }

  return (
    <main className="enter">
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <div>
          <h1>{first ? 'Welcome to Hotline' : 'Sign in to Hotline'}</h1>
          <p className="quiet">
            {first ? 'Choose the name and password of the first account.' : 'The direct line to your running agents.'}
          </p>
        </div>
        {first && taken.current === '' && (
          <label className="field">
            <span>Code from the terminal where Hotline was started</span>
            <input className="input mono" value={code} onChange={(event) => setCode(event.target.value)} required />
          </label>
        )}
        <label className="field">
          <span>Name</span>
          <input
            className="input"
            autoComplete="username"
            // oxlint-disable-next-line jsx-a11y/no-autofocus -- there is nothing else to do here
            autoFocus={!first || taken.current !== ''}
            value={name}
            onChange={(event) => {
              setName(event.target.value)
              setCodeIsAsked(false)
            }}
            required
          />
        </label>
        <label className="field">
          <span>{first ? 'Password, at least 12 characters' : 'Password'}</span>
          <input
            className="input"
            type="password"
            autoComplete={first ? 'new-password' : 'current-password'}
            minLength={first ? 12 : 1}
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            required
          />
        </label>
        {codeIsAsked && (
          <CodeField words="Code of your authenticator app, or a recovery code" name="second-code" isNext />
        )}
        <Refusal problem={problem} />
        <button type="submit" className="button strong" disabled={busy}>
          {first ? 'Create account' : 'Sign in'}
        </button>
        {!first && (
          <details className="small quiet">
            <summary>Lost your password?</summary>
            <p>
              Ask an admin of this server for a link: they make one under Settings, People. On the server&rsquo;s
              machine: <code>hotline reset-password {'<name>'}</code>
            </p>
          </details>
        )}
      </form>
    </main>
  )
}
