import { ruleWords } from '@hotline/core/policy/rule-words'
import type { Problem } from '@hotline/protocol/error'
import type { PolicyPage, PolicyRuleText } from '@hotline/protocol/policy'
import { serverStream, splitStream } from '@hotline/protocol/stream'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { ExactText } from '../parts/exact-text.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { clockText } from '../text/time.ts'
import { matchOf, type RuleDraft, RuleFields, type Subject, subjectOf } from './rule-fields.tsx'
import { usePassword } from './use-password.ts'

type Rule = PolicyPage['rules'][number]

/** When an edited rule is over: as it was, in thirty days, or never. */
type End = 'kept' | 'month' | 'never'

const monthMs = 30 * 24 * 60 * 60 * 1_000

interface EditProps {
  rule: Rule
  stream: string
  load: () => Promise<void>
  close: () => void
}

/** Writes a rule in the place of one that stands, beginning with what that one says. */
export function EditRule(props: EditProps): ReactNode {
  const about = subjectOf(props.rule.match)
  if (about) return <EditForm {...props} {...about} />
  return (
    <div className="stack">
      <p className="small">
        This form has no field for what it is about. At the command line:{' '}
        <code>
          hotline policy edit {props.rule.rule} {whereText(props.stream)} …
        </code>
      </p>
      <button type="button" className="button" onClick={props.close}>
        Leave it
      </button>
    </div>
  )
}

function EditForm({
  rule,
  stream,
  load,
  close,
  about,
  subject,
}: EditProps & { about: Subject; subject: string }): ReactNode {
  const { link } = useLive()
  const [draft, setDraft] = useState<RuleDraft>({ effect: rule.effect, about, subject, note: rule.note ?? '' })
  const [end, setEnd] = useState<End>('kept')
  const { isAsked, problem, say, send } = usePassword()
  const edited = editedRule(rule, draft, end)

  function change(next: RuleDraft): void {
    setDraft(next)
    say(undefined)
  }

  async function save(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    if ('code' in edited) return say(edited)
    const isSaved = await send(new FormData(event.currentTarget), () =>
      link.command(stream, 'policy.set_rule', { ...edited, replaces: rule.rule }),
    )
    if (isSaved) await load()
  }

  return (
    <form className="stack rule-edit" aria-label="Edit this rule" onSubmit={(event) => void save(event)}>
      <RuleFields draft={draft} change={change} mayChoose="the rest" />
      <label className="field">
        <span>How long</span>
        <select className="input" value={end} onChange={({ target }) => setEnd(endNamed(target.value))}>
          <option value="kept">{keptText(rule, draft)}</option>
          {(rule.until !== undefined || draft.effect !== 'allow') && <option value="month">30 days from now</option>}
          {rule.until !== undefined && draft.effect !== 'allow' && <option value="never">until it is revoked</option>}
        </select>
      </label>
      {!('code' in edited) && (
        <div>
          <p className="small quiet">It becomes, in the same place:</p>
          <ExactText text={ruleWords(edited)} />
        </div>
      )}
      {isAsked && <PasswordAgain words="Your password, to write it in the place of the other" />}
      <Refusal problem={problem} look="small" />
      <div className="actions">
        <button type="submit" className="button">
          Save
        </button>
        <button type="button" className="button" onClick={close}>
          Leave it
        </button>
      </div>
    </form>
  )
}

/** What has no field stays as it is. */
function editedRule(rule: Rule, draft: RuleDraft, end: End): PolicyRuleText | Problem {
  const match = matchOf(draft)
  if ('code' in match) return match
  const until = { kept: rule.until, month: new Date(Date.now() + monthMs).toISOString(), never: undefined }[end]
  const note = draft.note.trim()
  return {
    effect: draft.effect,
    match: { ...rule.match, ...match },
    ...(until === undefined ? {} : { until }),
    ...(note === '' ? {} : { note }),
  }
}

function endNamed(text: string): End {
  return text === 'month' || text === 'never' ? text : 'kept'
}

function keptText({ until }: Rule, { effect }: RuleDraft): string {
  if (until !== undefined) return `as it is: until ${clockText(until, Date.now())}`
  return effect === 'allow' ? '30 days from now' : 'as it is: until it is revoked'
}

function whereText(stream: string): string {
  return stream === serverStream ? '--server' : `--project ${splitStream(stream).id}`
}
