import { Risk } from '@hotline/protocol/risk'
import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import type { Need, NeedFilter, NeedKind } from './arrange-asks.ts'

const kinds: Record<NeedKind, string> = {
  approval: 'To allow or deny',
  question: 'Questions',
  budget: 'Budgets',
  changes: 'Changes',
}

/** What of it is shown. Only where there is something to choose from. */
export function NeedFilters({
  needs,
  filter,
  change,
}: {
  needs: readonly Need[]
  filter: NeedFilter
  change: (filter: NeedFilter) => void
}): ReactNode {
  const { known, me } = useLive()
  const projects = new Map(me.projects.map(({ project, name }) => [project, name]))
  const different = <T extends string>(all: readonly (T | null)[], chosen: T | undefined): readonly T[] => [
    ...new Set([...all.filter((one) => one !== null), ...(chosen === undefined ? [] : [chosen])]),
  ]
  const found = different(
    needs.map(({ kind }) => kind),
    filter.kind,
  )
  const risks = different(
    needs.map(({ risk }) => risk),
    filter.risk,
  )
  return (
    <div className="find filters">
      <Choose
        what="Kind"
        all="All kinds"
        chosen={filter.kind}
        choices={found.map((kind) => [kind, kinds[kind]])}
        change={(kind) => change({ ...filter, kind })}
      />
      <Choose
        what="Risk"
        all="Any risk"
        chosen={filter.risk}
        choices={Risk.options.filter((risk) => risks.includes(risk)).map((risk) => [risk, `${risk} risk`])}
        change={(risk) => change({ ...filter, risk })}
      />
      <Choose
        what="Agent"
        all="All agents"
        chosen={filter.agent}
        choices={different(
          needs.map(({ agent }) => agent),
          filter.agent,
        ).map((one) => [one, known.agents.get(one) ?? one])}
        change={(agent) => change({ ...filter, agent })}
      />
      <Choose
        what="Project"
        all="All projects"
        chosen={filter.project}
        choices={different(
          needs.map(({ project }) => project),
          filter.project,
        ).map((one) => [one, projects.get(one) ?? one])}
        change={(project) => change({ ...filter, project })}
      />
    </div>
  )
}

function Choose<T extends string>({
  what,
  all,
  chosen,
  choices,
  change,
}: {
  what: string
  all: string
  chosen: T | undefined
  choices: readonly (readonly [value: T, words: string])[]
  change: (chosen: T | undefined) => void
}): ReactNode {
  if (choices.length < 2 && chosen === undefined) return undefined
  return (
    <select
      className="input"
      aria-label={what}
      value={chosen ?? ''}
      onChange={({ target }) => change(choices.find(([value]) => value === target.value)?.[0])}
    >
      <option value="">{all}</option>
      {choices.map(([value, words]) => (
        <option key={value} value={value}>
          {words}
        </option>
      ))}
    </select>
  )
}
