import type { Problem } from '@hotline/protocol/error'
import type { ApprovalTimeouts, PolicyPage } from '@hotline/protocol/policy'
import { risks } from '@hotline/protocol/risk'
import { serverStream } from '@hotline/protocol/stream'
import { type FormEvent, type ReactNode, useState } from 'react'
import { ask } from '../live/ask.ts'
import { useLive } from '../live/hotline.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { spanText } from '../text/time.ts'

type Kind = keyof ApprovalTimeouts

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const choices = [
  5 * minuteMs,
  15 * minuteMs,
  30 * minuteMs,
  hourMs,
  4 * hourMs,
  8 * hourMs,
  dayMs,
  3 * dayMs,
  7 * dayMs,
]
const kinds: readonly Kind[] = ['usual', ...risks]
const kindNames: Record<Kind, string> = {
  usual: 'Usually',
  low: 'Of low risk',
  medium: 'Of medium risk',
  high: 'Of high risk',
}

/** How long people have to answer, and a form for whoever may say it. */
export function RuleTimes({
  page,
  stream,
  mayChange,
  load,
}: {
  page: PolicyPage
  stream: string
  mayChange: boolean
  load: () => Promise<void>
}): ReactNode {
  return (
    <>
      <p className="small quiet">{timesText(page)}</p>
      {mayChange && page.timeouts && (
        <details className="why">
          <summary>Change these times …</summary>
          <Times said={page.timeouts.said} stream={stream} load={load} />
        </details>
      )}
    </>
  )
}

function Times({
  said,
  stream,
  load,
}: {
  said: ApprovalTimeouts
  stream: string
  load: () => Promise<void>
}): ReactNode {
  const { link } = useLive()
  const [isAsked, setIsAsked] = useState(false)
  const [problem, setProblem] = useState<Problem>()

  async function save(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const password = form.get('password')
    if (typeof password === 'string') {
      const confirmed = await ask('POST', '/api/auth/confirm', { password })
      if (!confirmed.ok) return setProblem(confirmed.problem)
    }
    for (const kind of kinds) {
      const chosen = form.get(kind)
      const approvalTimeoutMs = chosen === '' ? null : Number(chosen)
      if (approvalTimeoutMs === (said[kind] ?? null)) continue
      const risk = kind === 'usual' ? {} : { risk: kind }
      const outcome = await link.command(stream, 'policy.set_timeout', { approvalTimeoutMs, ...risk })
      if (outcome.ok) continue
      const isNeeded = outcome.problem.code === 'password_needed'
      setIsAsked(isNeeded)
      setProblem(isNeeded ? undefined : outcome.problem)
      return
    }
    await load()
  }

  return (
    <form className="stack" aria-label="Time to answer" onSubmit={(event) => void save(event)}>
      <div className="times">
        {kinds.map((kind) => (
          <label key={kind} className="field">
            <span>{kindNames[kind]}</span>
            <select className="input" name={kind} defaultValue={said[kind] ?? ''}>
              <option value="">{kind === 'usual' ? fallbackText(stream) : 'as usual'}</option>
              {withOwn(said[kind]).map((ms) => (
                <option key={ms} value={ms}>
                  {spanText(ms)}
                </option>
              ))}
            </select>
          </label>
        ))}
      </div>
      <p className="small quiet">
        It counts for what is asked from now on. An agent that waits less is not made to wait longer; its card says so.
      </p>
      {isAsked && <PasswordAgain words="Your password, to change what counts in all projects" />}
      <Refusal problem={problem} look="small" />
      <button type="submit" className="button" style={{ justifySelf: 'start' }}>
        Save
      </button>
    </form>
  )
}

function fallbackText(stream: string): string {
  return stream === serverStream ? 'a day' : 'as on the whole server'
}

/** What the command line has said may be none of the choices. */
function withOwn(ms: number | undefined): readonly number[] {
  return ms === undefined || choices.includes(ms) ? choices : [...choices, ms].toSorted((a, b) => a - b)
}

function timesText({ approvalTimeoutMs, timeouts }: PolicyPage): string {
  const others = risks.flatMap((risk) => {
    const ms = timeouts?.counts[risk] ?? approvalTimeoutMs
    return ms === approvalTimeoutMs ? [] : [`${spanText(ms)} where the risk is ${risk}`]
  })
  const whole = [`People have ${spanText(approvalTimeoutMs)} to answer`, ...others].join(', ')
  return `${whole}; a session or its agent may say otherwise. After that the agent is told no.`
}
