import { roleAllows } from '@hotline/core/roles'
import type { Problem } from '@hotline/protocol/error'
import type { WebhookPage, WebhookRow, WebhookSecret } from '@hotline/protocol/webhooks'
import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { WebhookForm } from './webhook-form.tsx'
import { WebhookLine } from './webhook-line.tsx'

/** Where what happens in a project is posted to; for whoever administers one. */
export function Webhooks(): ReactNode {
  const { me } = useLive()
  const mine = me.projects.filter(({ role }) => roleAllows(role, 'admin'))
  if (mine.length === 0) return undefined
  return (
    <section className="stack" aria-label="Webhooks">
      <h2>Webhooks</h2>
      <p className="small quiet">
        What happens in a project is posted to an address of yours, signed as Standard Webhooks says. What is written in
        the project goes with it.
      </p>
      {mine.map(({ project, name }) => (
        <WebhooksOf key={project} project={project} name={mine.length > 1 ? name : undefined} />
      ))}
    </section>
  )
}

function WebhooksOf({ project, name }: { project: string; name: string | undefined }): ReactNode {
  const { link } = useLive()
  const [rows, setRows] = useState<readonly WebhookRow[]>()
  const [made, setMade] = useState<WebhookSecret>()
  const [problem, setProblem] = useState<Problem>()
  const path = `/api/projects/${encodeURIComponent(project)}/webhooks`
  const load = useCallback(async () => {
    const answer = await link.request<WebhookPage>('GET', path)
    if (answer.ok) setRows(answer.value.webhooks)
    setProblem(answer.ok ? undefined : answer.problem)
  }, [link, path])
  useEffect(() => void load(), [load])
  const show = useCallback(
    async (secret: WebhookSecret) => {
      setMade(secret)
      await load()
    },
    [load],
  )
  return (
    <div className="stack">
      {name !== undefined && <h3>{name}</h3>}
      <Refusal problem={problem} />
      {rows?.length === 0 && <p className="small quiet">None yet.</p>}
      {rows && rows.length > 0 && (
        <ul className="rules" aria-label={name === undefined ? 'Webhooks' : `Webhooks of ${name}`}>
          {rows.map((row) => (
            <WebhookLine key={row.webhook} row={row} path={`${path}/${row.webhook}`} load={load} show={show} />
          ))}
        </ul>
      )}
      {made && <Secret made={made} close={() => setMade(undefined)} />}
      {rows && (
        <details className="why">
          <summary>Add a webhook …</summary>
          <WebhookForm path={path} done={(secret) => (secret ? show(secret) : load())} />
        </details>
      )}
    </div>
  )
}

function Secret({ made, close }: { made: WebhookSecret; close: () => void }): ReactNode {
  return (
    <div className="stack" role="status">
      <p>
        Give this secret to what receives the posts: it checks their signature with it. It is not shown again.{' '}
        <CopyButton text={made.secret} what="secret" />
      </p>
      <code style={{ overflowWrap: 'anywhere' }}>{made.secret}</code>
      <button type="button" className="button" style={{ justifySelf: 'start' }} onClick={close}>
        I have kept it
      </button>
    </div>
  )
}
