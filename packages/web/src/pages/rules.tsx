import { elapsedText } from '@hotline/core/elapsed'
import { ruleWords } from '@hotline/core/policy/rule-words'
import { denialWords } from '@hotline/core/policy/judge-approval'
import { roleAllows } from '@hotline/core/roles'
import type { Problem } from '@hotline/protocol/error'
import type { PolicyPage } from '@hotline/protocol/policy'
import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from 'react'
import { ask } from '../live/ask.ts'
import { useLive } from '../live/hotline.tsx'
import { useAgents } from '../live/use-agents.ts'
import { ExactText } from '../parts/exact-text.tsx'
import { Legible } from '../parts/legible.tsx'
import { OwnRules } from '../parts/own-rules.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { clockText, exactText } from '../text/time.ts'

type Rule = PolicyPage['rules'][number]

/** The rules of each project in their order, with who wrote them, and taking one away. */
export function Rules(): ReactNode {
  const { me } = useLive()
  const { agents = [] } = useAgents(true)
  return (
    <section className="stack" aria-label="Rules">
      <h2>Rules that answer agents</h2>
      <p className="small quiet">
        What denies wins over everything. Of the others the first that fits counts. Where none fits, a person is asked.
      </p>
      {me.projects.map(({ project, name, role }) => (
        <RulesOf
          key={project}
          project={project}
          name={me.projects.length > 1 ? name : undefined}
          mayRevoke={roleAllows(role, 'decide')}
        />
      ))}
      <OwnRules rows={agents} />
    </section>
  )
}

function RulesOf({
  project,
  name,
  mayRevoke,
}: {
  project: string
  /** Said where there are several. */
  name: string | undefined
  mayRevoke: boolean
}): ReactNode {
  const { link } = useLive()
  const [page, setPage] = useState<PolicyPage>()
  const [problem, setProblem] = useState<Problem>()
  const load = useCallback(async () => {
    const answer = await link.request<PolicyPage>('GET', `/api/projects/${encodeURIComponent(project)}/policy`)
    if (answer.ok) setPage(answer.value)
    setProblem(answer.ok ? undefined : answer.problem)
  }, [link, project])
  useEffect(() => void load(), [load])
  return (
    <div className="stack">
      {name !== undefined && <h3>{name}</h3>}
      <Refusal problem={problem} />
      {page?.rules.length === 0 && (
        <p className="small quiet">
          None yet. “Always allow …” on a card writes one, and so does “hotline policy add”.
        </p>
      )}
      {page && (
        <p className="small quiet">
          People have {elapsedText(page.approvalTimeoutMs)} to answer, where neither a session nor its agent says
          otherwise (“hotline policy timeout”).
        </p>
      )}
      {page && page.rules.length > 0 && (
        <ol className="rules">
          {page.rules.map((rule) => (
            <RuleLine
              key={rule.rule}
              rule={rule}
              warnings={page.warnings.filter((one) => one.rule === rule.rule).map(({ why }) => why)}
              project={project}
              mayRevoke={mayRevoke}
              load={load}
            />
          ))}
        </ol>
      )}
    </div>
  )
}

function RuleLine({
  rule,
  warnings,
  project,
  mayRevoke,
  load,
}: {
  rule: Rule
  warnings: readonly string[]
  project: string
  mayRevoke: boolean
  load: () => Promise<void>
}): ReactNode {
  const { link, names } = useLive()
  const [asked, setAsked] = useState<'sure' | 'password'>()
  const [problem, setProblem] = useState<Problem>()
  const { effect, until, note, by, at } = rule
  const now = Date.now()
  const isOver = until !== undefined && Date.parse(until) <= now

  async function revoke(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const password = new FormData(event.currentTarget).get('password')
    if (typeof password === 'string') {
      const said = await ask('POST', '/api/auth/confirm', { password })
      if (!said.ok) return setProblem(said.problem)
    }
    const outcome = await link.command(`project:${project}`, 'policy.revoke_rule', { rule: rule.rule, effect })
    if (outcome.ok) return load()
    const isNeeded = outcome.problem.code === 'password_needed'
    setAsked(isNeeded ? 'password' : 'sure')
    setProblem(isNeeded ? undefined : outcome.problem)
  }

  return (
    <li className={isOver ? 'rule over' : 'rule'}>
      <ExactText text={ruleWords(rule)} />
      <p className="small quiet">
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
      {mayRevoke && asked === undefined && (
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
          {asked === 'password' && <PasswordAgain words="Your password, to take away what denies or asks" />}
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

const afterwards = {
  allow: 'What it allows is asked again from then on.',
  ask: 'What it wants to be asked may be allowed by another rule from then on.',
  deny: 'What it denies can be allowed from then on.',
}
