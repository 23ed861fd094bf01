import type { Problem } from '@hotline/protocol/error'
import type { PolicyPage } from '@hotline/protocol/policy'
import { serverStream } from '@hotline/protocol/stream'
import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { RuleForm } from './rule-form.tsx'
import { RuleLine } from './rule-line.tsx'
import { RuleTimes } from './rule-times.tsx'

/** The rules of one stream, and how long people have where it says so. */
export function RulesOf({
  stream,
  path,
  name,
  mayWrite,
  isAdmin,
}: {
  /** In which they are. */
  stream: string
  /** Where they are read, with those that count there beside them. */
  path: string
  /** Said where there are several. */
  name: string | undefined
  mayWrite: boolean
  /** May edit rules, and say how long people have. */
  isAdmin: boolean
}): ReactNode {
  const { link } = useLive()
  const [page, setPage] = useState<PolicyPage>()
  const [problem, setProblem] = useState<Problem>()
  const load = useCallback(async () => {
    const answer = await link.request<PolicyPage>('GET', path)
    if (answer.ok) setPage(answer.value)
    setProblem(answer.ok ? undefined : answer.problem)
  }, [link, path])
  useEffect(() => void load(), [load])
  return (
    <div className="stack">
      {name !== undefined && <h3>{name}</h3>}
      <Refusal problem={problem} />
      {page?.rules.length === 0 && (
        <p className="small quiet">
          {stream === serverStream
            ? 'None yet.'
            : 'None yet. “Always allow …” on a card writes the one that says exactly what it asks.'}
        </p>
      )}
      {page && page.rules.length > 0 && (
        <ol className="rules">
          {page.rules.map((rule) => (
            <RuleLine
              key={rule.rule}
              rule={rule}
              warnings={page.warnings.filter((one) => one.rule === rule.rule).map(({ why }) => why)}
              stream={stream}
              mayWrite={mayWrite}
              mayEdit={isAdmin}
              ids={page.rules
                .filter(({ of }) => (of === 'server') === (stream === serverStream))
                .map(({ rule: id }) => id)}
              load={load}
            />
          ))}
        </ol>
      )}
      {page && mayWrite && (
        <details className="why">
          <summary>Write a rule …</summary>
          <RuleForm stream={stream} load={load} />
        </details>
      )}
      {page && <RuleTimes key={timesKey(page)} page={page} stream={stream} mayChange={isAdmin} load={load} />}
    </div>
  )
}

/** The fields begin anew with what was said. */
function timesKey({ timeouts }: PolicyPage): string {
  return JSON.stringify(timeouts?.said)
}
