import { ownRulesLead } from '@hotline/core/policy/own-rules-words'
import type { AgentRow } from '@hotline/protocol/http'
import type { ReactNode } from 'react'
import { countText } from '../text/amounts.ts'
import { Legible } from './legible.tsx'

/** The rules that agents keep themselves, to be read: they are changed where they are written. */
export function OwnRules({ rows }: { rows: readonly AgentRow[] }): ReactNode {
  return rows.map(({ agent, runnerId, runner, name, ownRules }) => {
    if (!ownRules) return undefined
    const { file, rules, more } = ownRules
    return (
      <details key={`${runnerId} ${agent}`} className="why">
        <summary>
          <Legible text={name} place="name" /> on <Legible text={runner} place="name" />:{' '}
          {countText(rules.length + more, 'rule')} of its own
        </summary>
        <p className="small quiet">
          <Legible text={file} place="name" />: {ownRulesLead}
        </p>
        <ul className="plain small">
          {rules.map(({ effect, text }) => (
            <li key={`${effect} ${text}`}>
              {effect}{' '}
              <span className="mono">
                <Legible text={text} place="name" />
              </span>
            </li>
          ))}
          {more > 0 && <li className="quiet">and {more} more</li>}
        </ul>
      </details>
    )
  })
}
