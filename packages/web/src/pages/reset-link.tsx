import type { Problem } from '@hotline/protocol/error'
import type { AccountRow } from '@hotline/protocol/http'
import type { PasswordResetLink } from '@hotline/protocol/password-reset'
import { type FormEvent, type ReactNode, useState } from 'react'
import { ask } from '../live/ask.ts'
import { useLive } from '../live/hotline.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { clockText } from '../text/time.ts'

/** Where an admin makes the link with which a person who lost their password chooses another one. */
export function ResetLink({ of, close }: { of: AccountRow; close: () => void }): ReactNode {
  const { link } = useLive()
  const [made, setMade] = useState<PasswordResetLink>()
  const [problem, setProblem] = useState<Problem>()
  const [proof, setProof] = useState<'said' | 'needed'>('said')
  const path = `/api/accounts/${of.account}/password-reset`

  async function make(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const password = new FormData(event.currentTarget).get('password')
    if (typeof password === 'string') {
      const said = await ask('POST', '/api/auth/confirm', { password })
      if (!said.ok) return setProblem(said.problem)
    }
    const answer = await ask<PasswordResetLink>('POST', path)
    const isNeeded = !answer.ok && answer.problem.code === 'password_needed'
    setProof(isNeeded ? 'needed' : 'said')
    setProblem(answer.ok || isNeeded ? undefined : answer.problem)
    if (answer.ok) setMade(answer.value)
  }
  async function takeBack(): Promise<void> {
    const answer = await link.request('DELETE', path)
    // One that was used meanwhile is what was wanted, too.
    if (answer.ok || answer.problem.code === 'not_found') close()
    else setProblem(answer.problem)
  }
  if (made) {
    return (
      <div role="status" className="stack">
        <p>
          Give this link to {of.name}, and to nobody else. It works once, until {clockText(made.expiresAt, Date.now())},
          and is not shown again. <CopyButton text={made.link} what="link" />
        </p>
        <code style={{ overflowWrap: 'anywhere' }}>{made.link}</code>
        <Refusal problem={problem} />
        <div className="actions" style={{ justifyContent: 'start' }}>
          <button type="button" className="button" onClick={close}>
            Done
          </button>
          <button type="button" className="button plain" onClick={() => void takeBack()}>
            Take it back
          </button>
        </div>
      </div>
    )
  }
  return (
    <form className="stack" aria-label={`New password for ${of.name}`} onSubmit={(event) => void make(event)}>
      <p>
        A link with which {of.name} chooses a new password. It works once, for half an hour. Until then nothing changes;
        when it is used, {of.name} is signed out everywhere.
      </p>
      {proof === 'needed' && <PasswordAgain words="Your password, to make the link" />}
      <Refusal problem={problem} />
      <div className="actions" style={{ justifyContent: 'start' }}>
        <button type="submit" className="button">
          Make the link
        </button>
        <button type="button" className="button plain" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  )
}
