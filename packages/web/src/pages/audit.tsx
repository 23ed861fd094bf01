import type { AuditEntry, AuditGroup, AuditPage as Page } from '@hotline/protocol/audit'
import type { Problem } from '@hotline/protocol/error'
import { Link as To, useSearch } from '@tanstack/react-router'
import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { Legible, OneName } from '../parts/legible.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { clockText, exactText } from '../text/time.ts'

const groups: Readonly<Record<AuditGroup, string>> = {
  decision: 'Decisions',
  control: 'Control of agents',
  rule: 'Rules and trust',
  access: 'People and keys',
}
const dayMs = 24 * 60 * 60 * 1_000

/** What is loaded: a filter's lines so far, and where the next ones begin. */
interface Loaded {
  entries: readonly AuditEntry[]
  next: string | null
  reach: Page['reach']
}

/** Filters with which the page can be opened; from then on the fields count. */
export interface AuditSearch {
  group?: AuditGroup
  text?: string
}

/** Reads them from the address of the page. */
export function readAuditSearch({ group, text }: Record<string, unknown>): AuditSearch {
  const isGroup = typeof group === 'string' && Object.hasOwn(groups, group)
  return {
    ...(isGroup ? { group: group as AuditGroup } : {}),
    ...(typeof text === 'string' ? { text: text.slice(0, 200) } : {}),
  }
}

/** Who decided, stopped, allowed and let in what. */
export function AuditPage(): ReactNode {
  const { link } = useLive()
  const first = useSearch({ from: '/audit' })
  const [filters, setFilters] = useState(() => queryOf(Object.entries(first)))
  const [loaded, setLoaded] = useState<Loaded>()
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(true)
  // The place after which is read, in the filter for which it was said.
  const [wanted, setWanted] = useState<{ filters: string; before: string | null }>({ filters, before: null })

  useEffect(() => {
    let isWanted = true
    const { before } = wanted
    const query = `${wanted.filters}${before === null ? '' : `&before=${encodeURIComponent(before)}`}`
    void link.request<Page>('GET', `/api/audit?limit=50${query}`).then((answer) => {
      if (!isWanted) return
      setBusy(false)
      setProblem(answer.ok ? undefined : answer.problem)
      if (!answer.ok) return
      const { entries, next, reach } = answer.value
      setLoaded((had) => ({ entries: before === null ? entries : [...(had?.entries ?? []), ...entries], next, reach }))
    })
    return () => {
      isWanted = false
    }
  }, [link, wanted])

  const ask = (next: string, before: string | null): void => {
    setFilters(next)
    setBusy(true)
    setWanted({ filters: next, before })
  }
  return (
    <div className="settings audit">
      <div>
        <h1>Audit</h1>
        <p className="small quiet">
          Who decided, stopped, allowed and let in what
          {loaded?.reach === 'server' ? ', on all of this server.' : ', in your projects.'} Times of the filter are UTC.
        </p>
        <Filters first={first} ask={(next) => ask(next, null)} />
        <div className="actions">
          <a className="button" href={`/api/audit/export?format=csv${filters}`} download>
            Export as CSV
          </a>
          <a className="button" href={`/api/audit/export?format=ndjson${filters}`} download>
            Export as NDJSON
          </a>
        </div>
        <Refusal problem={problem} />
        {loaded === undefined && busy && <p className="quiet">Loading …</p>}
        {loaded?.entries.length === 0 && !busy && (
          <p className="quiet" role="status">
            {loaded.next === null ? 'Nothing fits.' : 'Nothing fits in the newest lines.'}
          </p>
        )}
        <ol className="audit-lines" aria-label="Audit" aria-busy={busy}>
          {loaded?.entries.map((entry) => (
            <Line key={`${entry.stream} ${entry.seq}`} entry={entry} />
          ))}
        </ol>
        {(loaded?.next ?? null) !== null && (
          <button
            type="button"
            className="button"
            disabled={busy}
            onClick={() => ask(filters, loaded?.next ?? null)}
            style={{ justifySelf: 'start' }}
          >
            {busy ? 'Loading …' : 'Show older'}
          </button>
        )}
      </div>
    </div>
  )
}

function Filters({ first, ask }: { first: AuditSearch; ask: (filters: string) => void }): ReactNode {
  const { me } = useLive()
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault()
    ask(filtersOf(new FormData(event.currentTarget)))
  }
  return (
    <form className="audit-filters" role="search" aria-label="Filter" onSubmit={submit}>
      <label className="field">
        <span>About</span>
        <select
          className="input"
          name="group"
          defaultValue={first.group ?? ''}
          onChange={(event) => event.currentTarget.form?.requestSubmit()}
        >
          <option value="">Everything</option>
          {Object.entries(groups).map(([group, name]) => (
            <option key={group} value={group}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {me.projects.length > 1 && (
        <label className="field">
          <span>Project</span>
          <select className="input" name="project" onChange={(event) => event.currentTarget.form?.requestSubmit()}>
            <option value="">All</option>
            {me.projects.map(({ project, name }) => (
              <option key={project} value={project}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <label className="field">
        <span>Who</span>
        <input className="input" name="actor" maxLength={64} placeholder="name or id" />
      </label>
      <label className="field">
        <span>From</span>
        <input className="input" name="from" type="date" />
      </label>
      <label className="field">
        <span>To, with that day</span>
        <input className="input" name="to" type="date" />
      </label>
      <label className="field">
        <span>Words or digest</span>
        <input className="input" name="text" type="search" maxLength={200} defaultValue={first.text} />
      </label>
      <button type="submit" className="button">
        Find
      </button>
    </form>
  )
}

function filtersOf(form: FormData): string {
  return queryOf([...form])
}

/** As the address of a request has it: `&group=decision&text=…`. */
function queryOf(fields: readonly (readonly [string, unknown])[]): string {
  const query = new URLSearchParams()
  for (const [name, value] of fields) {
    if (typeof value !== 'string' || value.trim() === '') continue
    // The day that is named is meant with its evening.
    const last = name === 'to' ? new Date(Date.parse(value) + dayMs).toISOString().slice(0, 10) : undefined
    query.set(name, last ?? value.trim())
  }
  const text = query.toString()
  return text === '' ? '' : `&${text}`
}

function Line({ entry }: { entry: AuditEntry }): ReactNode {
  const { at, about, outcome, title } = entry
  return (
    <li>
      <details>
        <summary>
          <time className="quiet" title={exactText(at)}>
            {clockText(at, Date.now())}
          </time>
          <span>
            <OneName text={whoOf(entry)} />
          </span>
          <span className="what">
            <Legible text={outcome} place="prose" />
            {about !== null && about !== title && (
              <>
                {' · '}
                <span className="mono">
                  <Legible text={about} place="prose" />
                </span>
              </>
            )}
          </span>
          <span className="quiet">{title !== null && <OneName text={title} />}</span>
        </summary>
        <Facts entry={entry} />
      </details>
    </li>
  )
}

function Facts({ entry }: { entry: AuditEntry }): ReactNode {
  const { at, actor, channel, address, project, session, type, stream, seq, digest, hash } = entry
  const facts: readonly [string, string | null][] = [
    ['Time', at],
    ['Who', `${actor.kind} ${actor.id}`],
    ['Through', channel],
    ['From', address],
    ['Project', project],
    ['Event', `${type}, ${stream} event ${seq}`],
    ['Digest', digest],
    ['Hash', hash],
  ]
  return (
    <>
      <dl className="audit-facts">
        {facts.map(
          ([name, value]) =>
            value !== null && (
              <div key={name}>
                <dt className="quiet">{name}</dt>
                <dd className="mono">
                  <Legible text={value} place="name" />
                  {(name === 'Digest' || name === 'Hash') && <CopyButton text={value} what={name.toLowerCase()} />}
                </dd>
              </div>
            ),
        )}
      </dl>
      {session !== null && (
        <To className="audit-session" to="/sessions/$session" params={{ session }}>
          Open the session
        </To>
      )}
    </>
  )
}

function whoOf({ actor, name }: AuditEntry): string {
  if (name !== null) return name
  return actor.kind === 'system' ? 'the server' : `${actor.kind} ${actor.id}`
}
