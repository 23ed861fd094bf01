import { whyOutweighed } from '@hotline/core/policy/outweighed'
import { ruleForAsked } from '@hotline/core/policy/rule-for'
import { ruleWords } from '@hotline/core/policy/rule-words'
import type { ApprovalItem } from '@hotline/core/transcript/item'
import type { ApprovalRequest, Scope } from '@hotline/protocol/events/approval'
import type { HeldRule, PolicyPage, PolicyRuleText } from '@hotline/protocol/policy'
import { type ReactNode, useMemo, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { ExactText } from '../parts/exact-text.tsx'

const reaches: Record<Exclude<Scope, 'once'>, string> = {
  session: 'Allow in this session',
  project: 'Allow always in this project',
}

/**
 * Allowing for longer than once: by a rule of the project where one can say exactly this, and by the agent itself where it
 * takes that. Folded away, so that it is never the nearest, and with what would not be asked any more before the buttons.
 */
export function LastingAllow({
  item,
  agent,
  project,
  disabled,
  allow,
  remember,
}: {
  item: ApprovalItem
  /** The name of its profile. */
  agent: string
  /** Whose rules count. */
  project: string
  disabled: boolean
  allow: (scope: Scope) => void
  /** Allows it, and from then on whatever the rule says. */
  remember: (rule: PolicyRuleText) => void
}): ReactNode {
  const rule = useMemo(() => (item.request ? ruleOf(item.request, agent) : undefined), [item.request, agent])
  const { rules, load } = useRules(project)
  const scopes = item.scopes.filter((scope) => scope !== 'once')
  if (!item.verdicts.includes('allow') || (scopes.length === 0 && !rule)) return undefined
  const { lasting } = item.request ?? {}
  const against =
    rule && rules && item.request
      ? whyOutweighed(rule, rules, { asked: item.request, agent, now: new Date().toISOString() })
      : undefined
  return (
    <details className="why lasting" onToggle={({ currentTarget }) => currentTarget.open && rule && void load()}>
      <summary>Always allow …</summary>
      {rule && (
        <>
          <p>Writes a rule of this project, which everybody in it sees, and who may decide can revoke:</p>
          <ExactText text={ruleWords(rule)} />
          {against !== undefined && <p role="status">It would not count here. {against}</p>}
          <div className="answer">
            <button
              type="button"
              className="button"
              disabled={disabled || rules === undefined}
              onClick={() => remember(rule)}
            >
              Allow by this rule
            </button>
          </div>
        </>
      )}
      {scopes.length > 0 &&
        (lasting === undefined ? (
          <p>The agent does not say what it would not ask any more.</p>
        ) : (
          <>
            <p>{rule ? 'Or the agent itself would not ask any more:' : 'Not asked any more:'}</p>
            <ExactText text={lasting} />
          </>
        ))}
      {scopes.length > 0 && (
        <div className="answer">
          {scopes.map((scope) => (
            <button key={scope} type="button" className="button" disabled={disabled} onClick={() => allow(scope)}>
              {reaches[scope]}
            </button>
          ))}
        </div>
      )}
    </details>
  )
}

/** The rules that count in a project, once they were asked for; none where they cannot be read now. */
function useRules(project: string): { rules: readonly HeldRule[] | undefined; load: () => Promise<void> } {
  const { link } = useLive()
  const [rules, setRules] = useState<readonly HeldRule[]>()
  async function load(): Promise<void> {
    const answer = await link.request<PolicyPage>('GET', `/api/projects/${encodeURIComponent(project)}/policy`)
    setRules(answer.ok ? answer.value.rules : [])
  }
  return { rules, load }
}

/** The narrowest rule that a person can read. */
function ruleOf(request: ApprovalRequest, agent: string): PolicyRuleText | undefined {
  const found = ruleForAsked(request, agent, new Date().toISOString())
  return found.ok ? found.rule : undefined
}
