import type { Problem } from '@hotline/protocol/error'
import { splitStream } from '@hotline/protocol/stream'
import type { WebhookDeliveries, WebhookDelivery, WebhookTried } from '@hotline/protocol/webhooks'
import { Link as To } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { clockText } from '../text/time.ts'

/** What has not arrived at a webhook, looked up when it is opened, and posting again what was given up. */
export function Undelivered({ path }: { path: string }): ReactNode {
  const { link } = useLive()
  const [rows, setRows] = useState<readonly WebhookDelivery[]>()
  const [problem, setProblem] = useState<Problem>()
  const [said, setSaid] = useState<string>()

  async function load(): Promise<void> {
    const answer = await link.request<WebhookDeliveries>('GET', `${path}/deliveries`)
    if (answer.ok) setRows(answer.value.deliveries)
    setProblem(answer.ok ? undefined : answer.problem)
  }
  async function replay({ id }: WebhookDelivery): Promise<void> {
    setSaid('Posting …')
    const answer = await link.request<WebhookTried>('POST', `${path}/deliveries/${encodeURIComponent(id)}/replay`)
    setSaid(answer.ok ? triedText(answer.value) : answer.problem.detail)
    await load()
  }

  return (
    <details className="why undelivered" onToggle={({ currentTarget }) => void (currentTarget.open && load())}>
      <summary>What has not arrived</summary>
      <Refusal problem={problem} look="small" />
      {rows?.length === 0 && <p className="small quiet">Everything arrived, or is on its way.</p>}
      {rows && rows.length > 0 && (
        <ul className="rules">
          {rows.map((row) => (
            <li key={row.id} className="rule">
              <p>
                <WhereFrom row={row} />: {row.why}
              </p>
              <p className="small quiet">{stateText(row)}</p>
              {row.state === 'dead' && (
                <div className="rule-actions">
                  <button type="button" className="button plain" onClick={() => void replay(row)}>
                    Post again
                  </button>
                </div>
              )}
            </li>
          ))}
        </ul>
      )}
      {said !== undefined && (
        <p className="small" role="status">
          {said}
        </p>
      )}
    </details>
  )
}

function WhereFrom({ row: { stream, seq } }: { row: WebhookDelivery }): ReactNode {
  const { kind, id } = splitStream(stream)
  if (kind === 'session')
    return (
      <To to="/sessions/$session" params={{ session: id }}>
        Event {seq} of a session
      </To>
    )
  if (kind === 'task')
    return (
      <To to="/tasks/$task" params={{ task: id }}>
        Event {seq} of a card
      </To>
    )
  return `Event ${seq} of the project`
}

function stateText({ state, tries, dueAt }: WebhookDelivery): string {
  const count = tries === 1 ? 'tried once' : `tried ${tries} times`
  if (state === 'dead') return `Given up, ${count}`
  return dueAt === undefined ? `Waits, ${count}` : `Waits, ${count}, again at ${clockText(dueAt, Date.now())}`
}

/** What became of a post, for people. */
export function triedText({ taken, why = 'no reason was given' }: WebhookTried): string {
  return taken ? 'It was taken.' : `It was not taken: ${why.replace(/\.$/, '')}.`
}
