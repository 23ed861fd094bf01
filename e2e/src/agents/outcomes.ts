/** What people want to know of an agent before they choose it. */
export const cells = ['allow', 'deny', 'modify', 'parallel', 'steer', 'cancel', 'resume', 'usage', 'diffs'] as const
export type Cell = (typeof cells)[number]

/** `works`, with a remark where there is one; or `not possible: ` and why. */
export type Outcome = 'works' | `works: ${string}` | `not possible: ${string}`

/** What a run has shown of one agent. */
export interface AgentOutcomes {
  agent: string
  /** Of the package that was installed. */
  package: string
  version: string
  cells: Record<Cell, Outcome>
}
