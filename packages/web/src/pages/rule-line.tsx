import { denialWords } from '@hotline/core/policy/judge-approval'
import { ruleWords } from '@hotline/core/policy/rule-words'
import type { PolicyPage } from '@hotline/protocol/policy'
import { serverStream } from '@hotline/protocol/stream'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { ExactText } from '../parts/exact-text.tsx'
import { Legible } from '../parts/legible.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { clockText, exactText } from '../text/time.ts'
import { EditRule } from './rule-edit.tsx'
import { MoveRule } from './rule-move.tsx'
import { usePassword } from './use-password.ts'

type Rule = PolicyPage['rules'][number]

/** One rule: what it says, by whom and until when, and what can be done to it. */
export function RuleLine({
  rule,
  warnings,
  stream,
  mayWrite,
  mayEdit,
  ids,
  load,
}: {
  rule: Rule
  warnings: readonly string[]
  stream: string
  /** And take away. */
  mayWrite: boolean
  /** Put another in its place, or it elsewhere. */
  mayEdit: boolean
  /** Those of its stream, in their order. */
  ids: readonly string[]
  load: () => Promise<void>
}): ReactNode {
  const [doing, setDoing] = useState<'revoke' | 'edit'>()
  const { until } = rule
  const isElsewhere = rule.of === 'server' && stream !== serverStream
  const isOver = until !== undefined && Date.parse(until) <= Date.now()
  const close = (): void => setDoing(undefined)
  return (
    <li className={isOver ? 'rule over' : 'rule'}>
      <ExactText text={ruleWords(rule)} />
      <RuleFacts rule={rule} isElsewhere={isElsewhere} />
      {warnings.map((why) => (
        <p key={why} className="small">
          Look at it again: {why}
        </p>
      ))}
      {mayWrite && !isElsewhere && doing === undefined && (
        <div className="rule-actions">
          {mayEdit && (
            <button
              type="button"
              className="button plain"
              aria-label={`Edit: ${ruleWords(rule)}`}
              onClick={() => setDoing('edit')}
            >
              Edit …
            </button>
          )}
          <button
            type="button"
            className="button plain"
            aria-label={`Revoke: ${ruleWords(rule)}`}
            onClick={() => setDoing('revoke')}
          >
            Revoke …
          </button>
          {mayEdit && ids.length > 1 && <MoveRule rule={rule} ids={ids} stream={stream} load={load} />}
        </div>
      )}
      {doing === 'revoke' && <RevokeRule rule={rule} stream={stream} load={load} close={close} />}
      {doing === 'edit' && <EditRule rule={rule} stream={stream} load={load} close={close} />}
    </li>
  )
}

function RuleFacts({ rule, isElsewhere }: { rule: Rule; isElsewhere: boolean }): ReactNode {
  const { names } = useLive()
  const { effect, until, note, by, at, replaced } = rule
  const now = Date.now()
  const isOver = until !== undefined && Date.parse(until) <= now
  return (
    <>
      <p className="small quiet">
        {isElsewhere && 'Of the server · '}
        {names.get(by.id) ?? 'somebody'}, {replaced && 'edited '}
        <time title={exactText(at)}>{clockText(at, now)}</time>
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
    </>
  )
}

function RevokeRule({
  rule,
  stream,
  load,
  close,
}: {
  rule: Rule
  stream: string
  load: () => Promise<void>
  close: () => void
}): ReactNode {
  const { link } = useLive()
  const { isAsked, problem, send } = usePassword()

  async function revoke(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const isRevoked = await send(new FormData(event.currentTarget), () =>
      link.command(stream, 'policy.revoke_rule', { rule: rule.rule, effect: rule.effect }),
    )
    if (isRevoked) await load()
  }

  return (
    <form className="stack" aria-label="Revoke this rule" onSubmit={(event) => void revoke(event)}>
      <p className="small">{afterwards[rule.effect]}</p>
      {isAsked && <PasswordAgain words={passwordWords(stream)} />}
      <Refusal problem={problem} look="small" />
      <div className="actions">
        <button type="submit" className="button danger">
          Revoke it
        </button>
        <button type="button" className="button" onClick={close}>
          Keep it
        </button>
      </div>
    </form>
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
