import type { Problem } from '@hotline/protocol/error'
import type { KeyRow } from '@hotline/protocol/http'
import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from 'react'
import { ask, useLive } from '../live/hotline.tsx'
import { chooseDensity, chooseTheme, densities, densityNow, themeNow, themes } from '../live/appearance.ts'
import { chooseTypingMs, typingChoices, typingMs } from '../live/typing-setting.ts'
import { clockText } from '../text/time.ts'
import { Refusal } from '../parts/refusal.tsx'

const kinds: Record<string, string> = { ses: 'browser', pat: 'personal token', svc: 'API key', run: 'machine' }

/** Password, tokens, theme, signing out. */
export function SettingsPage(): ReactNode {
  return (
    <div className="settings">
      <div>
        <h1>Settings</h1>
        <Appearance />
        <TypingTime />
        <Tokens />
        <Password />
        <button
          type="button"
          className="button"
          style={{ justifySelf: 'start' }}
          onClick={() => void ask('POST', '/api/auth/sign-out').then(() => location.assign('/'))}
        >
          Sign out
        </button>
      </div>
    </div>
  )
}

function Appearance(): ReactNode {
  const [theme, setTheme] = useState(themeNow)
  const [density, setDensity] = useState(densityNow)
  return (
    <div className="stack">
      <label className="field">
        <span>Theme</span>
        <select
          className="input"
          value={theme}
          onChange={(event) => {
            const chosen = themes.find((one) => one === event.target.value) ?? 'system'
            setTheme(chosen)
            chooseTheme(chosen)
          }}
        >
          <option value="system">As the system</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
      <label className="field">
        <span>Density</span>
        <select
          className="input"
          value={density}
          onChange={(event) => {
            const chosen = densities.find((one) => one === event.target.value) ?? 'comfortable'
            setDensity(chosen)
            chooseDensity(chosen)
          }}
        >
          <option value="comfortable">Comfortable</option>
          <option value="compact">Compact</option>
        </select>
      </label>
    </div>
  )
}

function TypingTime(): ReactNode {
  const [ms, setMs] = useState(typingMs)
  return (
    <label className="field">
      <span>Others who type are shown for</span>
      <select
        className="input"
        value={ms}
        onChange={(event) => {
          const chosen = Number(event.target.value)
          setMs(chosen)
          chooseTypingMs(chosen)
        }}
      >
        {typingChoices.map((choice) => (
          <option key={choice} value={choice}>
            {choice === 0 ? 'never shown' : `${choice / 1_000} s after their last key`}
          </option>
        ))}
      </select>
    </label>
  )
}

function Tokens(): ReactNode {
  const { link } = useLive()
  const [keys, setKeys] = useState<readonly (KeyRow & { revokedAt?: string | null })[]>([])
  const [made, setMade] = useState<string>()
  const [problem, setProblem] = useState<Problem>()
  /** The name of the token that waits for the password. */
  const [waiting, setWaiting] = useState<string>()
  const load = useCallback(async () => {
    const answer = await link.request<{ keys: KeyRow[] }>('GET', '/api/keys')
    if (answer.ok) setKeys(answer.value.keys)
    else setProblem(answer.problem)
  }, [link])
  useEffect(() => void load(), [load])

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
      <h2>Tokens and sign-ins</h2>
      <Refusal problem={problem} />
      <table>
        <tbody>
          {keys
            .filter(({ revokedAt }) => !revokedAt)
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
          <label className="field">
            <span>Your password, to make “{waiting}” (it is asked for again after five minutes)</span>
            {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- it appears because of what was just asked for */}
            <input
              className="input"
              type="password"
              name="password"
              autoComplete="current-password"
              autoFocus
              required
            />
          </label>
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

function Password(): ReactNode {
  const [said, setSaid] = useState<{ bad: boolean; text: string }>()
  async function change(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const answer = await ask('POST', '/api/auth/password', { current: data.get('current'), next: data.get('next') })
    setSaid(
      answer.ok
        ? { bad: false, text: 'Changed. Other browsers are signed out.' }
        : { bad: true, text: answer.problem.detail },
    )
  }
  return (
    <form className="stack" onSubmit={(event) => void change(event)} aria-label="Password">
      <h2>Password</h2>
      <label className="field">
        <span>Present password</span>
        <input className="input" type="password" name="current" autoComplete="current-password" required />
      </label>
      <label className="field">
        <span>New password</span>
        <input className="input" type="password" name="next" autoComplete="new-password" minLength={12} required />
      </label>
      {said && (
        <p className={said.bad ? 'danger' : ''} role="status">
          {said.text}
        </p>
      )}
      <button type="submit" className="button" style={{ justifySelf: 'start' }}>
        Change password
      </button>
    </form>
  )
}
