import type { Problem } from '@hotline/protocol/error'
import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import { ask } from '../live/ask.ts'
import { Refusal } from '../parts/refusal.tsx'
import { CodeField } from './second-factor.tsx'

/** The code of a link such as `/#invite=…`, taken out of the address bar at once; empty where the page came by none. */
export function takeCode(name: 'invite' | 'reset'): string {
  const [, found, code = ''] = /^#(\w+)=([A-Za-z0-9_-]+)$/.exec(location.hash) ?? []
  if (found !== name) return ''
  history.replaceState(null, '', location.pathname)
  return code
}

interface LinkDoorProps<Found> {
  code: string
  /** Tells what the link is for; `path` and `/accept` takes the chosen password. */
  path: string
  head: (found: Found) => ReactNode
  /** Beside the password: their values are sent along. */
  fields?: ReactNode
  also?: (given: FormData) => Record<string, string>
  button: string
}

/** Whoever comes by a link chooses a password, and is in. */
export function LinkDoor<Found extends { name: string }>(props: LinkDoorProps<Found>): ReactNode {
  const { code, path, head, fields, also, button } = props
  const [found, setFound] = useState<Found>()
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  const [codeIsAsked, setCodeIsAsked] = useState(false)
  useEffect(() => {
    void ask<Found>('POST', path, { code }).then((answer) => {
      if (answer.ok) setFound(answer.value)
      else setProblem(answer.problem)
    })
  }, [code, path])

  async function accept(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    setBusy(true)
    const given = new FormData(event.currentTarget)
    const secondCode = given.get('secondCode') ?? undefined
    const sent = { code, password: given.get('password'), secondCode, ...also?.(given) }
    const answer = await ask('POST', `${path}/accept`, sent)
    setBusy(false)
    if (answer.ok) return location.assign('/')
    const isNeeded = answer.problem.code === 'code_needed'
    setCodeIsAsked(isNeeded || codeIsAsked)
    return setProblem(isNeeded && secondCode === undefined ? undefined : answer.problem)
  }
  return (
    <main className="enter">
      {found === undefined ? (
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
          <div>{head(found)}</div>
          {/* For whatever keeps passwords. */}
          <input type="hidden" autoComplete="username" value={found.name} readOnly />
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
          {fields}
          {codeIsAsked && (
            <CodeField words="Code of your authenticator app, or a recovery code" name="secondCode" isNext />
          )}
          <Refusal problem={problem} />
          <button type="submit" className="button strong" disabled={busy}>
            {button}
          </button>
        </form>
      )}
    </main>
  )
}
