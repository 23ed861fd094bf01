import { type FormEvent, type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { matchOf, type RuleDraft, RuleFields } from './rule-fields.tsx'
import { usePassword } from './use-password.ts'

const empty: RuleDraft = { effect: 'deny', about: 'command', subject: '', note: '' }

/** Writes a rule after all others of its stream. */
export function RuleForm({ stream, load }: { stream: string; load: () => Promise<void> }): ReactNode {
  const { link } = useLive()
  const [draft, setDraft] = useState(empty)
  const { isAsked, problem, say, send } = usePassword()

  async function write(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const match = matchOf(draft)
    if ('code' in match) return say(match)
    const { effect } = draft
    const note = draft.note.trim()
    const rule = { effect, match, ...(note === '' ? {} : { note }) }
    const isWritten = await send(new FormData(event.currentTarget), () => link.command(stream, 'policy.set_rule', rule))
    if (!isWritten) return
    setDraft({ ...empty, about: draft.about })
    await load()
  }

  return (
    <form className="stack" aria-label="Write a rule" onSubmit={(event) => void write(event)}>
      <RuleFields draft={draft} change={setDraft} mayChoose="what it is about" />
      {draft.effect === 'allow' && (
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
