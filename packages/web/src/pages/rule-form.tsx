import { readTemplate } from '@hotline/core/policy/read-template'
import type { CommandInput } from '@hotline/protocol/command'
import { type Problem, problem as problemOf } from '@hotline/protocol/error'
import type { PolicyMatch } from '@hotline/protocol/policy'
import { type FormEvent, type ReactNode, useState } from 'react'
import { ask } from '../live/ask.ts'
import { useLive } from '../live/hotline.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'

type Effect = CommandInput<'policy.set_rule'>['effect']

/** What a rule of this form is about; others are written at the command line. */
type Subject = 'command' | 'path' | 'host'

const effects = [
  ['deny', 'Deny'],
  ['ask', 'Ask a person'],
  ['allow', 'Allow'],
] as const
const subjects: Readonly<Record<Subject, string>> = {
  command: 'a command',
  path: 'a file, or a folder with / at its end',
  host: 'a host',
}

/** Writes a rule after all others of its stream. */
export function RuleForm({ stream, load }: { stream: string; load: () => Promise<void> }): ReactNode {
  const { link } = useLive()
  const [effect, setEffect] = useState<Effect>('deny')
  const [isAsked, setIsAsked] = useState(false)
  const [problem, setProblem] = useState<Problem>()

  async function write(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const form = event.currentTarget
    const said = new FormData(form)
    const match = matchOf(textIn(said, 'about'), textIn(said, 'subject'))
    if ('code' in match) return setProblem(match)
    const password = said.get('password')
    if (typeof password === 'string') {
      const confirmed = await ask('POST', '/api/auth/confirm', { password })
      if (!confirmed.ok) return setProblem(confirmed.problem)
    }
    const note = textIn(said, 'note')
    const rule = { effect, match, ...(note === '' ? {} : { note }) }
    const outcome = await link.command(stream, 'policy.set_rule', rule)
    const isNeeded = !outcome.ok && outcome.problem.code === 'password_needed'
    setIsAsked(isNeeded)
    setProblem(outcome.ok || isNeeded ? undefined : outcome.problem)
    if (!outcome.ok) return
    form.reset()
    setEffect('deny')
    await load()
  }

  return (
    <form className="stack" aria-label="Write a rule" onSubmit={(event) => void write(event)}>
      <div className="times">
        <label className="field">
          <span>What happens</span>
          <select
            className="input"
            value={effect}
            onChange={({ target }) => setEffect(effects.find(([one]) => one === target.value)?.[0] ?? 'deny')}
          >
            {effects.map(([one, words]) => (
              <option key={one} value={one}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          <span>About</span>
          <select className="input" name="about">
            {Object.entries(subjects).map(([subject, words]) => (
              <option key={subject} value={subject}>
                {words}
              </option>
            ))}
          </select>
        </label>
      </div>
      <label className="field">
        <span>As it is written: there are no patterns</span>
        <input className="input mono" name="subject" maxLength={1_000} required autoComplete="off" spellCheck={false} />
      </label>
      <label className="field">
        <span>{effect === 'deny' ? 'Why, for the agent and for people' : 'Why, for people'}</span>
        <input className="input" name="note" maxLength={500} />
      </label>
      {effect === 'allow' && (
        <p className="small quiet">
          What is allowed is allowed exactly as it is written here, for every agent, for 30 days.
        </p>
      )}
      {isAsked && <PasswordAgain words="Your password, to write this rule" />}
      <Refusal problem={problem} look="small" />
      <button type="submit" className="button" style={{ justifySelf: 'start' }}>
        Write it
      </button>
    </form>
  )
}

function textIn(form: FormData, name: string): string {
  const text = form.get(name)
  return typeof text === 'string' ? text.trim() : ''
}

function matchOf(about: string, text: string): PolicyMatch | Problem {
  if (about === 'path') return { path: text }
  if (about === 'host') return { host: text }
  const read = readTemplate(text)
  return read.ok ? { command: [...read.words] } : problemOf('invalid_request', `It is no plain command: ${read.why}.`)
}
