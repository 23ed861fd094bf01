import { problem as problemOf } from '@hotline/protocol/error'
import type { WebhookRow, WebhookSecret } from '@hotline/protocol/webhooks'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { usePassword } from './use-password.ts'

const families: Readonly<Record<string, string>> = {
  'approval.*': 'Requests of agents, and their answers',
  'question.*': 'Questions of agents, and their answers',
  'session.*': 'Sessions: begun, renamed, ended',
  'task.*': 'Cards of the board',
  'message.*': 'What people and agents say',
  'member.*': 'Who is in the project',
}

/** Adds a webhook, or changes one. */
export function WebhookForm({
  path,
  row,
  done,
  cancel,
}: {
  path: string
  /** That is changed; absent for a new one. */
  row?: WebhookRow
  /** With the secret of a new one. */
  done: (secret: WebhookSecret | undefined) => Promise<void>
  cancel?: () => void
}): ReactNode {
  const { link } = useLive()
  const { isAsked, problem, say, send } = usePassword()
  const [tries, setTries] = useState(0)
  const others = (row?.events ?? []).filter((event) => !(event in families))

  async function save(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const given = new FormData(event.currentTarget)
    const text = (name: string): string =>
      given
        .getAll(name)
        .filter((one) => typeof one === 'string')
        .join(' ')
        .trim()
    const events = [text('families'), text('others')]
      .flatMap((part) => part.split(/[\s,]+/))
      .filter((one) => one !== '')
    if (events.length === 0)
      return say(problemOf('invalid_request', 'Choose what is posted, or write a type of events.'))
    const body = { url: text('url'), events: [...new Set(events)], description: text('description') }
    let secret: WebhookSecret | undefined
    const isSaved = await send(given, async () => {
      const answer = await link.request<WebhookSecret>(row ? 'PUT' : 'POST', path, body)
      if (answer.ok && !row) secret = answer.value
      return answer
    })
    if (!isSaved) return undefined
    // The fields begin anew.
    setTries(tries + 1)
    return done(secret)
  }

  return (
    <form
      key={tries}
      className="stack"
      aria-label={row ? 'Change this webhook' : 'Add a webhook'}
      onSubmit={(event) => void save(event)}
    >
      <label className="field">
        <span>Address</span>
        <input
          className="input mono"
          name="url"
          type="url"
          placeholder="https://"
          autoComplete="off"
          maxLength={2_000}
          defaultValue={row?.url}
          required
        />
      </label>
      <fieldset className="ticks">
        <legend>What is posted</legend>
        {Object.entries(families).map(([family, words]) => (
          <label key={family}>
            <input type="checkbox" name="families" value={family} defaultChecked={row?.events.includes(family)} />
            {words}
          </label>
        ))}
      </fieldset>
      <label className="field">
        <span>Other types of events, divided by blanks</span>
        <input
          className="input mono"
          name="others"
          placeholder="budget.exhausted draft.*"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          defaultValue={others.join(' ')}
        />
      </label>
      <label className="field">
        <span>What it is for</span>
        <input className="input" name="description" maxLength={200} defaultValue={row?.description} />
      </label>
      {isAsked && <PasswordAgain words="Your password, to post what is said here somewhere else" />}
      <Refusal problem={problem} look="small" />
      <div className="actions" style={{ justifyContent: 'start' }}>
        <button type="submit" className="button">
          {row ? 'Save' : 'Add it'}
        </button>
        {cancel && (
          <button type="button" className="button plain" onClick={cancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  )
}
