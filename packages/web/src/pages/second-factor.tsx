import type { Problem } from '@hotline/protocol/error'
import type { RecoveryCodes, SecondFactorState, StartedSecondFactor } from '@hotline/protocol/second-factor'
import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from 'react'
import { encode } from 'uqr'
import { ask } from '../live/ask.ts'
import { useLive } from '../live/hotline.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { clockText } from '../text/time.ts'

const url = '/api/me/second-factor'

/** Where one's sign-in asks for a code beside the password: turning it on with an authenticator app, and off. */
export function SecondFactor(): ReactNode {
  const { link } = useLive()
  const [state, setState] = useState<SecondFactorState>()
  const [step, setStep] = useState<'none' | 'begin' | 'remove' | StartedSecondFactor | RecoveryCodes>('none')
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  const load = useCallback(async () => {
    const answer = await link.request<SecondFactorState>('GET', url)
    if (answer.ok) setState(answer.value)
    else setProblem(answer.problem)
  }, [link])
  useEffect(() => void load(), [load])

  /** Says the password where the form has it, then does what it is for; `go` answers why not. */
  async function send(
    event: FormEvent<HTMLFormElement>,
    go: (code: string) => Promise<Problem | undefined>,
  ): Promise<void> {
    event.preventDefault()
    setBusy(true)
    const given = new FormData(event.currentTarget)
    const password = given.get('password')
    const said =
      typeof password === 'string' ? await ask('POST', '/api/auth/confirm', { password }) : { ok: true as const }
    const code = given.get('code')
    setProblem(said.ok ? await go(typeof code === 'string' ? code : '') : said.problem)
    await load()
    setBusy(false)
  }
  async function begin(): Promise<Problem | undefined> {
    const answer = await link.request<StartedSecondFactor>('POST', url)
    if (!answer.ok) return answer.problem
    setStep(answer.value)
    return undefined
  }
  async function turnOn(code: string): Promise<Problem | undefined> {
    const answer = await link.request<RecoveryCodes>('POST', `${url}/confirm`, { code })
    if (!answer.ok) return answer.problem
    setStep(answer.value)
    return undefined
  }
  async function turnOff(code: string): Promise<Problem | undefined> {
    const answer = await link.request('POST', `${url}/remove`, { code })
    if (!answer.ok) return answer.problem
    setStep('none')
    return undefined
  }
  const stop = (): void => {
    setStep('none')
    setProblem(undefined)
  }
  return (
    <section className="stack" aria-label="Second factor">
      <h2>Second factor</h2>
      {state && (
        <p className="quiet">
          {state.on
            ? `Signing in takes a code of your authenticator app, since ${clockText(state.since ?? '', Date.now())}. ${recoveryText(state.recoveryCodes)}`
            : 'Signing in takes your password alone. With an authenticator app it takes a code beside it.'}
        </p>
      )}
      {step === 'none' && <Refusal problem={problem} />}
      {step === 'none' && state && (
        <button
          type="button"
          className="button"
          style={{ justifySelf: 'start' }}
          onClick={() => setStep(state.on ? 'remove' : 'begin')}
        >
          {state.on ? 'Turn off …' : 'Turn on …'}
        </button>
      )}
      {step === 'begin' && (
        <Asking
          label="Turn on the second factor"
          send={(event) => void send(event, begin)}
          stop={stop}
          busy={busy}
          button="Go on"
          problem={problem}
        >
          <PasswordAgain words="Your password" />
        </Asking>
      )}
      {step === 'remove' && (
        <Asking
          label="Turn off the second factor"
          send={(event) => void send(event, turnOff)}
          stop={stop}
          busy={busy}
          button="Turn off"
          problem={problem}
        >
          <PasswordAgain words="Your password" />
          <CodeField words="Code of the app, or a recovery code" />
        </Asking>
      )}
      {typeof step === 'object' && 'secret' in step && (
        <Asking
          label="Show that the app has it"
          send={(event) => void send(event, turnOn)}
          stop={stop}
          busy={busy}
          button="Turn on"
          problem={problem}
        >
          <p>Scan this with your authenticator app, or type the key into it. Then type the code that it shows.</p>
          <QrCode text={step.uri} />
          <p>
            <code style={{ overflowWrap: 'anywhere' }}>{step.secret.replace(/.{4}(?=.)/g, '$& ')}</code>{' '}
            <CopyButton text={step.secret} what="key" />
          </p>
          <CodeField words="Code of the app" />
          {problem?.code === 'password_needed' && (
            <PasswordAgain words="Your password once more: it was said a while ago" />
          )}
        </Asking>
      )}
      {typeof step === 'object' && 'recoveryCodes' in step && (
        <div className="stack" role="status">
          <p>
            It is on. Keep these recovery codes where your phone is not: each signs you in once, in the place of a code.
            They are not shown again. <CopyButton text={step.recoveryCodes.join('\n')} what="recovery codes" />
          </p>
          <ul className="codes" aria-label="Recovery codes">
            {step.recoveryCodes.map((code) => (
              <li key={code}>
                <code>{code}</code>
              </li>
            ))}
          </ul>
          <button type="button" className="button" style={{ justifySelf: 'start' }} onClick={stop}>
            I have kept them
          </button>
        </div>
      )}
    </section>
  )
}

/** The field for a code, wherever one is asked for. */
export function CodeField(props: { words: string; name?: string; isNext?: boolean }): ReactNode {
  const { words, name = 'code', isNext = false } = props
  return (
    <label className="field">
      <span>{words}</span>
      <input
        className="input mono"
        name={name}
        autoComplete="one-time-code"
        autoCapitalize="off"
        spellCheck={false}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- where it appears because of what was just sent
        autoFocus={isNext}
        minLength={6}
        maxLength={40}
        required
      />
    </label>
  )
}

function Asking(props: {
  label: string
  send: (event: FormEvent<HTMLFormElement>) => void
  stop: () => void
  button: string
  busy: boolean
  problem: Problem | undefined
  children: ReactNode
}): ReactNode {
  return (
    <form className="stack" aria-label={props.label} onSubmit={props.send}>
      {props.children}
      <Refusal problem={props.problem} />
      <div className="actions" style={{ justifyContent: 'start' }}>
        <button type="submit" className="button strong" disabled={props.busy}>
          {props.button}
        </button>
        <button type="button" className="button plain" onClick={props.stop}>
          Cancel
        </button>
      </div>
    </form>
  )
}

/** Dark on light in every theme: not every camera reads the other way round. */
function QrCode({ text }: { text: string }): ReactNode {
  const { data, size } = encode(text, { ecc: 'M', border: 2 })
  const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('')
  return (
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="The key as a QR code">
      <rect width={size} height={size} />
      <path d={path} shapeRendering="crispEdges" />
    </svg>
  )
}

function recoveryText(left: number): string {
  if (left === 0) return 'No recovery code is left: turn it off and on again for new ones.'
  return left === 1 ? 'One recovery code is left.' : `${left} recovery codes are left.`
}
