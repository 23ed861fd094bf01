import type { Problem } from '@hotline/protocol/error'
import type { UsageGroup, UsagePage as Page, UsageRow } from '@hotline/protocol/usage'
import { Link as To } from '@tanstack/react-router'
import { type ReactNode, useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { Refusal } from '../parts/refusal.tsx'

const groups: Readonly<Record<UsageGroup, string>> = {
  session: 'Session',
  agent: 'Agent',
  person: 'Person who started it',
  project: 'Project',
  day: 'Day',
}
const spans: Readonly<Record<string, string>> = { 1: 'Today', 7: '7 days', 30: '30 days', 365: 'A year' }
const dayMs = 24 * 60 * 60 * 1_000

/** Tokens and cost that agents used up. */
export function UsagePage(): ReactNode {
  const { link } = useLive()
  const [by, setBy] = useState<UsageGroup>('session')
  const [days, setDays] = useState('30')
  const [page, setPage] = useState<Page & { by: UsageGroup }>()
  const [problem, setProblem] = useState<Problem>()
  useEffect(() => {
    let isWanted = true
    const from = new Date(Date.now() - (Number(days) - 1) * dayMs).toISOString().slice(0, 10)
    void link.request<Page>('GET', `/api/usage?by=${by}&from=${from}`).then((answer) => {
      if (!isWanted) return
      setProblem(answer.ok ? undefined : answer.problem)
      if (answer.ok) setPage({ ...answer.value, by })
    })
    return () => {
      isWanted = false
    }
  }, [link, by, days])
  return (
    <div className="settings">
      <div>
        <h1>Usage</h1>
        <p className="small quiet">Tokens and cost of your projects, as the agents told them. Days are UTC.</p>
        <div className="actions usage-choices">
          <label className="field">
            <span>Added up by</span>
            <select className="input" value={by} onChange={(event) => setBy(event.target.value as UsageGroup)}>
              {Object.entries(groups).map(([group, words]) => (
                <option key={group} value={group}>
                  {words}
                </option>
              ))}
            </select>
          </label>
          <label className="field">
            <span>Time</span>
            <select className="input" value={days} onChange={(event) => setDays(event.target.value)}>
              {Object.entries(spans).map(([span, words]) => (
                <option key={span} value={span}>
                  {words}
                </option>
              ))}
            </select>
          </label>
        </div>
        <Refusal problem={problem} />
        {page === undefined && problem === undefined && <p className="quiet">Looking …</p>}
        {page && <UsageTable page={page} />}
      </div>
    </div>
  )
}

function UsageTable({ page: { by, rows, more } }: { page: Page & { by: UsageGroup } }): ReactNode {
  if (rows.length === 0) return <p className="quiet">No agent told of any usage in this time.</p>
  return (
    <>
      <table className="usage">
        <thead>
          <tr>
            <th scope="col">{groups[by]}</th>
            {by !== 'session' && <th scope="col">Sessions</th>}
            <th scope="col">Tokens in</th>
            <th scope="col">Tokens out</th>
            <th scope="col">Cost</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key ?? ''}>
              <th scope="row">{by === 'session' && row.key !== null ? <OfSession row={row} /> : nameOf(row)}</th>
              {by !== 'session' && <td>{row.sessions}</td>}
              <td>{row.inputTokens.toLocaleString('en')}</td>
              <td>{row.outputTokens.toLocaleString('en')}</td>
              <td>{costText(row)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && <p className="quiet small">And {more} more, which used less.</p>}
    </>
  )
}

function OfSession({ row }: { row: UsageRow }): ReactNode {
  return (
    <To to="/sessions/$session" params={{ session: row.key ?? '' }}>
      {nameOf(row)}
    </To>
  )
}

function nameOf({ key, name }: UsageRow): string {
  return name ?? key ?? 'Unknown'
}

function costText({ costs }: UsageRow): string {
  if (costs.length === 0) return '–'
  return costs.map(({ amount, currency }) => `${amount.toFixed(2)} ${currency}`).join(', ')
}
