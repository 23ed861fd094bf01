import type { Problem } from '@hotline/protocol/error'
import type { KeyRow } from '@hotline/protocol/http'
import { type FormEvent, type ReactNode, useState } from 'react'
import { ask } from '../live/ask.ts'
import { useLive } from '../live/hotline.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { clockText } from '../text/time.ts'

const kinds: Record<string, string> = {
  rst: 'link, once',
  pat: 'personal token',
  svc: 'API key',
  run: 'machine',
}

/** Personal tokens, API keys and machines; a new token is shown once. */
export function Tokens({ keys, load }: { keys: readonly KeyRow[] | undefined; load: () => Promise<void> }): ReactNode {
  const { link } = useLive()
  const [made, setMade] = useState<string>()
  const [problem, setProblem] = useState<Problem>()
  /** The name of the token that waits for the password. */
  const [waiting, setWaiting] = useState<string>()

  async function create(name: string): Promise<void> {
    setMade(undefined)
    setProblem(undefined)
    const answer = await link.request<{ token: string }>('POST', '/api/keys', { kind: 'pat', name })
    setWaiting(!answer.ok && answer.problem.code === 'password_needed' ? name : undefined)
    if (answer.ok) setMade(answer.value.token)
    else if (answer.problem.code !== 'password_needed') setProblem(answer.problem)
    await load()
  }
  async function confirm(event: FormEvent<HTMLFormElement>, name: string): Promise<void> {
    event.preventDefault()
    const answer = await ask('POST', '/api/auth/confirm', { password: textIn(event.currentTarget, 'password') })
    if (answer.ok) await create(name)
    else setProblem(answer.problem)
  }
  return (
    <section className="stack" aria-label="Tokens">
      <h2>Tokens</h2>
      <Refusal problem={problem} />
      <table>
        <tbody>
          {(keys ?? [])
            .filter(({ kind }) => kind !== 'ses' && kind !== 'inv')
            .map((key) => (
              <tr key={key.key}>
                <td>{key.name}</td>
                <td className="quiet">{kinds[key.kind] ?? key.kind}</td>
                <td className="quiet small">
                  {key.lastUsedAt ? `used ${clockText(key.lastUsedAt, Date.now())}` : 'never used'}
                </td>
                <td>
                  <button
                    type="button"
                    className="button plain"
                    onClick={() => void link.request('DELETE', `/api/keys/${key.key}`).then(load)}
                  >
                    Revoke
                  </button>
                </td>
              </tr>
            ))}
        </tbody>
      </table>
      {made && (
        <p role="status">
          Copy it now, it is not shown again: <code>{made}</code>
        </p>
      )}
      {waiting !== undefined && (
        <form className="stack" aria-label="Confirm your password" onSubmit={(event) => void confirm(event, waiting)}>
          <PasswordAgain words={`Your password, to make “${waiting}” (it is asked for again after five minutes)`} />
          <div className="actions" style={{ justifyContent: 'start' }}>
            <button type="submit" className="button">
              Confirm
            </button>
            <button type="button" className="button plain" onClick={() => setWaiting(undefined)}>
              Cancel
            </button>
          </div>
        </form>
      )}
      <form
        className="actions"
        style={{ justifyContent: 'start' }}
        onSubmit={(event) => {
          event.preventDefault()
          void create(textIn(event.currentTarget, 'name'))
        }}
      >
        <input
          className="input"
          style={{ maxWidth: 260 }}
          name="name"
          aria-label="Name of the token"
          placeholder="Name of the token"
          required
        />
        <button type="submit" className="button">
          New personal token
        </button>
      </form>
    </section>
  )
}

function textIn(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name)
  return typeof value === 'string' ? value : ''
}
