import type { Risk } from '@hotline/protocol/risk'
import type { ReactNode } from 'react'

/** How much harm a request could do, as Hotline sees it; only what is high is loud. */
export function RiskWord({ risk }: { risk: Risk }): ReactNode {
  return <span className={risk === 'high' ? 'danger' : 'quiet'}>{risk} risk</span>
}
