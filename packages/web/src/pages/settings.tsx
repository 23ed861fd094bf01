import type { Problem } from '@hotline/protocol/error'
import type { KeyRow } from '@hotline/protocol/http'
import { Link as To } from '@tanstack/react-router'
import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from 'react'
import { ask } from '../live/ask.ts'
import { useLive } from '../live/hotline.tsx'
import { chooseDensity, chooseTheme, densities, densityNow, themeNow, themes } from '../live/appearance.ts'
import { chooseTypingMs, typingChoices, typingMs } from '../live/typing-setting.ts'
import { Members } from './members.tsx'
import { People } from './people.tsx'
import { Rules, ServerRules } from './rules.tsx'
import { SecondFactor } from './second-factor.tsx'
import { SignIns } from './sign-ins.tsx'
import { Tokens } from './tokens.tsx'
import { Trusted } from './trusted.tsx'
import { Webhooks } from './webhooks.tsx'

/** How it looks, where one is signed in, tokens, the password. */
export function SettingsPage(): ReactNode {
  const { link, me } = useLive()
  const [keys, setKeys] = useState<readonly KeyRow[]>()
  const [problem, setProblem] = useState<Problem>()
  const load = useCallback(async () => {
    const answer = await link.request<{ keys: KeyRow[] }>('GET', '/api/keys')
    if (answer.ok) setKeys(answer.value.keys)
    setProblem(answer.ok ? undefined : answer.problem)
  }, [link])
  useEffect(() => void load(), [load])
  return (
    <div className="settings">
      <div>
        <h1>Settings</h1>
        <Appearance />
        <TypingTime />
        <SignIns keys={keys} load={load} problem={problem} />
        <Tokens keys={keys} load={load} />
        <Rules />
        {me.admin && <ServerRules />}
        <Trusted />
        <Members />
        <Webhooks />
        {me.admin && <People keys={keys} load={load} />}
        <section className="stack" aria-label="Audit">
          <h2>Audit</h2>
          <p className="small quiet">
            <To to="/audit">Who decided, stopped, allowed and let in what</To>
          </p>
        </section>
        <section className="stack" aria-label="Usage">
          <h2>Usage</h2>
          <p className="small quiet">
            <To to="/usage">Tokens and cost that agents used up</To>
          </p>
        </section>
        <Password />
        <SecondFactor />
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
