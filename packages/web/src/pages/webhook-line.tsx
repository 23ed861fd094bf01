import type { WebhookRow, WebhookSecret, WebhookTried } from '@hotline/protocol/webhooks'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { Legible } from '../parts/legible.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { legibleName } from '../text/legible.ts'
import { clockText, exactText } from '../text/time.ts'
import { usePassword } from './use-password.ts'
import { triedText, Undelivered } from './webhook-undelivered.tsx'
import { WebhookForm } from './webhook-form.tsx'

type Doing = 'change' | 'rotate' | 'switch' | 'remove'

/** One webhook: where to, what, and what can be done to it. */
export function WebhookLine({
  row,
  path,
  load,
  show,
}: {
  row: WebhookRow
  path: string
  load: () => Promise<void>
  /** A new secret. */
  show: (secret: WebhookSecret) => Promise<void>
}): ReactNode {
  const { link } = useLive()
  const [doing, setDoing] = useState<Doing>()
  const [said, setSaid] = useState<string>()
  const close = (): void => setDoing(undefined)
  const saved = async (): Promise<void> => {
    close()
    await load()
  }
  const of = legibleName(row.url)

  async function test(): Promise<void> {
    setSaid('Posting …')
    const answer = await link.request<WebhookTried>('POST', `${path}/test`)
    setSaid(answer.ok ? `Test: ${triedText(answer.value)}` : answer.problem.detail)
  }

  return (
    <li className="rule">
      <p className="mono place-line">
        <Legible text={row.url} place="name" />
      </p>
      <WebhookFacts row={row} />
      {doing === undefined && (
        <div className="rule-actions">
          <button type="button" className="button plain" aria-label={`Test ${of}`} onClick={() => void test()}>
            Test
          </button>
          {(['change', 'switch', 'rotate', 'remove'] as const).map((what) => (
            <button
              key={what}
              type="button"
              className="button plain"
              aria-label={`${actWords(what, row).open} ${of}`}
              onClick={() => setDoing(what)}
            >
              {actWords(what, row).open}
            </button>
          ))}
        </div>
      )}
      {said !== undefined && (
        <p className="small" role="status">
          {said}
        </p>
      )}
      {doing === 'change' && <WebhookForm path={path} row={row} done={saved} cancel={close} />}
      {doing !== undefined && doing !== 'change' && (
        <Act what={doing} row={row} path={path} saved={saved} show={show} close={close} />
      )}
      <Undelivered path={path} />
    </li>
  )
}

function WebhookFacts({ row }: { row: WebhookRow }): ReactNode {
  const now = Date.now()
  const { enabled, description, events, addedAt, rotatedAt } = row
  return (
    <>
      <p className="small quiet">
        {!enabled && <strong>Off · </strong>}
        {description !== '' && (
          <>
            <Legible text={description} place="name" /> ·{' '}
          </>
        )}
        since <time title={exactText(addedAt)}>{clockText(addedAt, now)}</time>
        {rotatedAt !== undefined && (
          <>
            , its secret since <time title={exactText(rotatedAt)}>{clockText(rotatedAt, now)}</time>
          </>
        )}
      </p>
      <p className="small mono">{events.join(' ')}</p>
    </>
  )
}

/** What one thing does, before it is done. */
function Act({
  what,
  row,
  path,
  saved,
  show,
  close,
}: {
  what: Exclude<Doing, 'change'>
  row: WebhookRow
  path: string
  saved: () => Promise<void>
  show: (secret: WebhookSecret) => Promise<void>
  close: () => void
}): ReactNode {
  const { link } = useLive()
  const { isAsked, problem, send } = usePassword()
  const { does, before } = actWords(what, row)

  async function act(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    let secret: WebhookSecret | undefined
    const isDone = await send(new FormData(event.currentTarget), async () => {
      if (what === 'remove') return link.request('DELETE', path)
      if (what === 'switch') return link.request('PUT', path, { enabled: !row.enabled })
      const answer = await link.request<WebhookSecret>('POST', `${path}/rotate`)
      if (answer.ok) secret = answer.value
      return answer
    })
    if (!isDone) return
    if (secret) await show(secret)
    await saved()
  }

  return (
    <form className="stack" aria-label={does} onSubmit={(event) => void act(event)}>
      <p className="small">{before}</p>
      {isAsked && <PasswordAgain words={`Your password, to go on`} />}
      <Refusal problem={problem} look="small" />
      <div className="actions" style={{ justifyContent: 'start' }}>
        <button type="submit" className="button">
          {does}
        </button>
        <button type="button" className="button plain" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  )
}

function actWords(what: Doing, { enabled }: WebhookRow): { open: string; does: string; before: string } {
  switch (what) {
    case 'change':
      return { open: 'Change …', does: 'Save', before: '' }
    case 'rotate':
      return {
        open: 'New secret …',
        does: 'Make a new secret',
        before: 'For 24 hours posts are signed with the old secret too. Give the new one to the receiver until then.',
      }
    case 'switch':
      return enabled
        ? { open: 'Turn off …', does: 'Turn it off', before: 'Nothing is posted until it is turned on again.' }
        : { open: 'Turn on …', does: 'Turn it on', before: 'What came while it was off is posted first.' }
    case 'remove':
      return {
        open: 'Remove …',
        does: 'Remove it',
        before: 'Nothing is posted there any more, and what has not arrived is forgotten.',
      }
  }
}
