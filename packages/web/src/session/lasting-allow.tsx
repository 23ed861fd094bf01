import type { ApprovalItem } from '@hotline/core/transcript/item'
import type { Scope } from '@hotline/protocol/events/approval'
import type { ReactNode } from 'react'
import { ExactText } from '../parts/exact-text.tsx'

const reaches: Record<Exclude<Scope, 'once'>, string> = {
  session: 'Allow in this session',
  project: 'Allow always in this project',
}

/**
 * Allowing for longer than once, where the agent takes it: folded away, so that it is never the nearest, and with what would
 * not be asked any more before the buttons.
 */
export function LastingAllow({
  item,
  disabled,
  allow,
}: {
  item: ApprovalItem
  disabled: boolean
  allow: (scope: Scope) => void
}): ReactNode {
  const scopes = item.scopes.filter((scope) => scope !== 'once')
  if (scopes.length === 0 || !item.verdicts.includes('allow')) return undefined
  const { lasting } = item.request ?? {}
  return (
    <details className="why lasting">
      <summary>Always allow …</summary>
      {lasting === undefined ? (
        <p>The agent does not say what it would not ask any more.</p>
      ) : (
        <>
          <p>Not asked any more:</p>
          <ExactText text={lasting} />
        </>
      )}
      <div className="answer">
        {scopes.map((scope) => (
          <button key={scope} type="button" className="button" disabled={disabled} onClick={() => allow(scope)}>
            {reaches[scope]}
          </button>
        ))}
      </div>
    </details>
  )
}
