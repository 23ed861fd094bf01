import type { AskingDevice, DeviceScope } from '@hotline/protocol/device-sign-in'
import type { Problem } from '@hotline/protocol/error'
import type { Me } from '@hotline/protocol/http'
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { ask } from '../live/ask.ts'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { agoText } from '../text/time.ts'

const scopeWords: Record<DeviceScope, string> = {
  read: 'See sessions and what agents do',
  write: 'Start sessions, write to agents, stop them',
  decide: 'Allow and deny what agents ask',
  decide_high: 'Allow what is of high risk as well',
  admin: 'Manage projects and people',
}
const allScopes = Object.keys(scopeWords) as DeviceScope[]

type Stage =
  | { at: 'typing' }
  | { at: 'deciding'; device: AskingDevice; proof: 'said' | 'needed' }
  | { at: 'over'; outcome: 'allowed' | 'denied'; machine: string }

/** The code of the link, taken out of the address bar at once. */
function takeCode(): string {
  const code = /^#([A-Za-z0-9-]{8,12})$/.exec(location.hash)?.[1] ?? ''
  if (location.hash !== '') history.replaceState(null, '', location.pathname)
  return code
}

/** Lets in a program that has no browser: who asks, what it may do, for how long. */
export function DevicePage({ me }: { me: Me }): ReactNode {
  const taken = useRef<string>(undefined)
  taken.current ??= takeCode()
  const [stage, setStage] = useState<Stage>({ at: 'typing' })
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)

  async function look(userCode: string): Promise<void> {
    setBusy(true)
    const answer = await ask<AskingDevice>('POST', '/api/auth/device/look', { userCode })
    setBusy(false)
    setProblem(answer.ok ? undefined : answer.problem)
    if (answer.ok) setStage({ at: 'deciding', device: answer.value, proof: 'said' })
  }
  useEffect(() => {
    if (taken.current !== undefined && taken.current !== '') void look(taken.current)
  }, [])

  async function allow(device: AskingDevice, given: FormData): Promise<void> {
    setBusy(true)
    setProblem(await allowing(device, given))
    setBusy(false)
  }
  /** A password that is asked for is no failure; it is said in the same form. */
  async function allowing({ userCode, machine }: AskingDevice, given: FormData): Promise<Problem | undefined> {
    const password = given.get('password')
    if (typeof password === 'string') {
      const said = await ask('POST', '/api/auth/confirm', { password })
      if (!said.ok) return said.problem
    }
    const body = { userCode, scopes: given.getAll('scope'), days: Number(given.get('days')) }
    const answer = await ask('POST', '/api/auth/device/approve', body)
    if (answer.ok) setStage({ at: 'over', outcome: 'allowed', machine })
    else if (answer.problem.code === 'password_needed') {
      setStage((now) => (now.at === 'deciding' ? { ...now, proof: 'needed' } : now))
      return undefined
    }
    return answer.ok ? undefined : answer.problem
  }
  async function deny({ userCode, machine }: AskingDevice): Promise<void> {
    const answer = await ask('POST', '/api/auth/device/deny', { userCode })
    setProblem(answer.ok ? undefined : answer.problem)
    if (answer.ok) setStage({ at: 'over', outcome: 'denied', machine })
  }

  return (
    <main className="enter">
      <section className="stack wide" aria-label="Sign in a machine">
        {stage.at === 'typing' && (
          <TypeCode me={me} busy={busy} problem={problem} typed={taken.current} look={(code) => void look(code)} />
        )}
        {stage.at === 'deciding' && (
          <Decide
            me={me}
            device={stage.device}
            proof={stage.proof}
            busy={busy}
            problem={problem}
            allow={(given) => void allow(stage.device, given)}
            deny={() => void deny(stage.device)}
          />
        )}
        {stage.at === 'over' && (
          <>
            <h1>{stage.outcome === 'allowed' ? 'Signed in' : 'Denied'}</h1>
            <p role="status">
              {stage.outcome === 'allowed'
                ? `“${stage.machine}” is signed in within a few seconds. You find it, and can end it, in the settings.`
                : `“${stage.machine}” was told no.`}
            </p>
            <p>
              <a href="/">To your sessions</a> · <a href="/settings">To the settings</a>
            </p>
          </>
        )}
      </section>
    </main>
  )
}

function TypeCode(props: {
  me: Me
  busy: boolean
  problem: Problem | undefined
  typed: string
  look: (code: string) => void
}): ReactNode {
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        const code = new FormData(event.currentTarget).get('code')
        if (typeof code === 'string') props.look(code)
      }}
    >
      <div>
        <h1>Sign in a machine</h1>
        <p className="quiet">You are {props.me.name}. Type the code that the terminal shows.</p>
      </div>
      <label className="field">
        <span>Code</span>
        <input
          className="input mono code"
          name="code"
          defaultValue={props.typed}
          placeholder="ABCD-2345"
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          maxLength={12}
          required
        />
      </label>
      <Refusal problem={props.problem} />
      <button type="submit" className="button strong" disabled={props.busy}>
        Look
      </button>
    </form>
  )
}

function Decide(props: {
  me: Me
  device: AskingDevice
  proof: 'said' | 'needed'
  busy: boolean
  problem: Problem | undefined
  allow: (given: FormData) => void
  deny: () => void
}): ReactNode {
  const { me, device } = props
  const mine = allScopes.filter((scope) => me.scopes.includes(scope))
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    props.allow(new FormData(event.currentTarget))
  }
  return (
    <form className="stack" onSubmit={submit}>
      <div>
        <h1>Let this machine in?</h1>
        <p>
          Only if you started this yourself, just now, and its terminal shows{' '}
          <strong className="mono">{device.userCode}</strong>. It will act as you, {me.name}.
        </p>
      </div>
      <dl>
        <dt>Machine</dt>
        {/* Apart from the text around it, whatever it calls itself and however that is written. */}
        <dd>
          <bdi>{device.machine}</bdi> <span className="quiet small">(as it says)</span>
        </dd>
        <dt>Address</dt>
        <dd className="mono">{device.address}</dd>
        <dt>Asked</dt>
        <dd>{agoText(Date.now() - Date.parse(device.startedAt))}</dd>
      </dl>
      <fieldset className="ticks">
        <legend>It may</legend>
        {mine.map((scope) => (
          <label key={scope}>
            <input type="checkbox" name="scope" value={scope} defaultChecked={device.scopes.includes(scope)} />
            {scopeWords[scope]}
          </label>
        ))}
      </fieldset>
      <label className="field">
        <span>For</span>
        <select className="input" name="days" defaultValue="90">
          <option value="1">a day</option>
          <option value="7">a week</option>
          <option value="30">30 days</option>
          <option value="90">90 days</option>
          <option value="365">a year</option>
        </select>
      </label>
      {props.proof === 'needed' && <PasswordAgain words="Your password, to let it in" />}
      <Refusal problem={props.problem} />
      <div className="actions">
        <button type="button" className="button" onClick={props.deny}>
          Deny
        </button>
        <button type="submit" className="button strong" disabled={props.busy}>
          Allow
        </button>
      </div>
    </form>
  )
}
