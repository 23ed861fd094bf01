import { ruleWords } from '@hotline/core/policy/rule-words'
import { denialWords } from '@hotline/core/policy/judge-approval'
import type { Problem } from '@hotline/protocol/error'
import type { PolicyPage } from '@hotline/protocol/policy'
import { serverStream } from '@hotline/protocol/stream'
import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from 'react'
import { ask } from '../live/ask.ts'
import { useLive } from '../live/hotline.tsx'
import { ExactText } from '../parts/exact-text.tsx'
import { Legible } from '../parts/legible.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { clockText, exactText } from '../text/time.ts'
import { RuleForm } from './rule-form.tsx'
import { RuleTimes } from './rule-times.tsx'

type Rule = PolicyPage['rules'][number]

/** The rules of one stream, and how long people have where it says so. */
export function RulesOf({
  stream,
  path,
  name,
  mayRevoke,
  maySetTimes,
}: {
  /** In which they are. */
  stream: string
  /** Where they are read, with those that count there beside them. */
  path: string
  /** Said where there are several. */
  name: string | undefined
  mayRevoke: boolean
  maySetTimes: boolean
}): ReactNode {
  const { link } = useLive()
  const [page, setPage] = useState<PolicyPage>()
  const [problem, setProblem] = useState<Problem>()
  const load = useCallback(async () => {
    const answer = await link.request<PolicyPage>('GET', path)
    if (answer.ok) setPage(answer.value)
    setProblem(answer.ok ? undefined : answer.problem)
  }, [link, path])
  useEffect(() => void load(), [load])
  return (
    <div className="stack">
      {name !== undefined && <h3>{name}</h3>}
      <Refusal problem={problem} />
      {page?.rules.length === 0 && (
        <p className="small quiet">
          {stream === serverStream
            ? 'None yet.'
            : 'None yet. “Always allow …” on a card writes the one that says exactly what it asks.'}
        </p>
      )}
      {page && page.rules.length > 0 && (
        <ol className="rules">
          {page.rules.map((rule) => (
            <RuleLine
              key={rule.rule}
              rule={rule}
              warnings={page.warnings.filter((one) => one.rule === rule.rule).map(({ why }) => why)}
              stream={stream}
              mayRevoke={mayRevoke}
              load={load}
            />
          ))}
        </ol>
      )}
      {page && mayRevoke && (
        <details className="why">
          <summary>Write a rule …</summary>
          <RuleForm stream={stream} load={load} />
        </details>
      )}
      {page && <RuleTimes key={timesKey(page)} page={page} stream={stream} mayChange={maySetTimes} load={load} />}
    </div>
  )
}

/** The fields begin anew with what was said. */
function timesKey({ timeouts }: PolicyPage): string {
  return JSON.stringify(timeouts?.said)
}

function RuleLine({
  rule,
  warnings,
  stream,
  mayRevoke,
  load,
}: {
  rule: Rule
  warnings: readonly string[]
  stream: string
  mayRevoke: boolean
  load: () => Promise<void>
}): ReactNode {
  const { link, names } = useLive()
  const [asked, setAsked] = useState<'sure' | 'password'>()
  const [problem, setProblem] = useState<Problem>()
  const { effect, until, note, by, at } = rule
  const isElsewhere = rule.of === 'server' && stream !== serverStream
  const now = Date.now()
  const isOver = until !== undefined && Date.parse(until) <= now

  async function revoke(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const password = new FormData(event.currentTarget).get('password')
    if (typeof password === 'string') {
      const said = await ask('POST', '/api/auth/confirm', { password })
      if (!said.ok) return setProblem(said.problem)
    }
    const outcome = await link.command(stream, 'policy.revoke_rule', { rule: rule.rule, effect })
    if (outcome.ok) return load()
    const isNeeded = outcome.problem.code === 'password_needed'
    setAsked(isNeeded ? 'password' : 'sure')
    setProblem(isNeeded ? undefined : outcome.problem)
  }

  return (
    <li className={isOver ? 'rule over' : 'rule'}>
      <ExactText text={ruleWords(rule)} />
      <p className="small quiet">
        {isElsewhere && 'Of the server · '}
        {names.get(by.id) ?? 'somebody'}, <time title={exactText(at)}>{clockText(at, now)}</time>
        {until !== undefined && (
          <>
            {isOver ? ' · over since ' : ' · until '}
            <time title={exactText(until)}>{clockText(until, now)}</time>
          </>
        )}
        {note !== undefined && effect !== 'deny' && (
          <>
            {' · '}
            <Legible text={note} place="prose" />
          </>
        )}
      </p>
      {effect === 'deny' && (
        <p className="small quiet">
          An agent is told: <Legible text={denialWords(rule)} place="prose" />
        </p>
      )}
      {warnings.map((why) => (
        <p key={why} className="small">
          Look at it again: {why}
        </p>
      ))}
      <Refusal problem={problem} look="small" />
      {mayRevoke && !isElsewhere && asked === undefined && (
        <button
          type="button"
          className="button plain"
          aria-label={`Revoke: ${ruleWords(rule)}`}
          onClick={() => setAsked('sure')}
        >
          Revoke …
        </button>
      )}
      {asked !== undefined && (
        <form className="stack" aria-label="Revoke this rule" onSubmit={(event) => void revoke(event)}>
          <p className="small">{afterwards[effect]}</p>
          {asked === 'password' && <PasswordAgain words={passwordWords(stream)} />}
          <div className="actions">
            <button type="submit" className="button danger">
              Revoke it
            </button>
            <button type="button" className="button" onClick={() => setAsked(undefined)}>
              Keep it
            </button>
          </div>
        </form>
      )}
    </li>
  )
}

function passwordWords(stream: string): string {
  return stream === serverStream
    ? 'Your password, to change what counts in all projects'
    : 'Your password, to take away what denies or asks'
}

const afterwards = {
  allow: 'What it allows is asked again from then on.',
  ask: 'What it wants to be asked may be allowed by another rule from then on.',
  deny: 'What it denies can be allowed from then on.',
}
