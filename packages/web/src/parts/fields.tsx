import type { ReactNode } from 'react'
import { ExactText } from './exact-text.tsx'

/** What has names: each with its value, one below the other, and what has names itself inside. Exact, names included. */
export function Fields({ value }: { value: object }): ReactNode {
  const isList = Array.isArray(value)
  const entries = Object.entries(value)
  if (entries.length === 0) return <p className="quiet small">{isList ? 'an empty list' : 'nothing'}</p>
  return (
    <dl className="arguments">
      {entries.map(([name, inner]: [string, unknown]) => (
        <div key={name}>
          <dt className="quiet">
            <ExactText text={isList ? `${Number(name) + 1}.` : name} />
          </dt>
          <dd>
            <Field value={inner} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Field({ value }: { value: unknown }): ReactNode {
  if (typeof value === 'object' && value !== null) return <Fields value={value} />
  if (value === '') return <span className="quiet small">empty</span>
  return <ExactText text={String(value)} />
}
