import type { OpenAsk } from '@hotline/client/inbox'
import { rowAwaitsReview } from '@hotline/client/row-awaits-review'
import { askKey } from '@hotline/core/account/ask-key'
import { policyRequest } from '@hotline/core/policy/deed'
import { shapeOf } from '@hotline/core/policy/shape'
import type { SessionRow } from '@hotline/protocol/http'
import { type Risk, Risk as Risks } from '@hotline/protocol/risk'

/** What waits for a person: to allow, to answer, a budget that is used up, changes that an agent waits for. */
export type NeedKind = 'approval' | 'question' | 'budget' | 'changes'

/** One thing that waits for a person, as a line of a list. */
export interface Need {
  key: string
  kind: NeedKind
  session: string
  project: string
  agent: string
  /** Of the session. */
  title: string
  since: string
  risk: Risk | null
  subAgent: string | null
  /** What would run, or what is asked in words. */
  line: string
  /** `line` is exactly what would run. */
  isExact: boolean
  /** What others of its kind have in common with it; absent where it stands by itself. */
  shape: string | undefined
  /** Absent where the session's own page asks it. */
  ask?: OpenAsk
}

/** What is looked for; what is absent means all. */
export interface NeedFilter {
  kind?: NeedKind | undefined
  risk?: Risk | undefined
  project?: string | undefined
  agent?: string | undefined
}

/** A line, or the heading of those that have their shape in common. */
export type NeedEntry = { heading: string; key: string; count: number } | { need: Need; isGrouped: boolean }

/** All that waits, in no order. */
export function needsOf(asks: readonly OpenAsk[], sessions: readonly SessionRow[]): readonly Need[] {
  return [...asks.map(needOfAsk), ...sessions.flatMap(needsOfRow)]
}

function needOfAsk(ask: OpenAsk): Need {
  const { kind, session, project, agent, title, askedAt, risk, subAgent } = ask.row
  const key = askKey(session, ask.row.ask)
  return { key, kind, session, project, agent, title, since: askedAt, risk, subAgent, ask, ...lineOf(ask) }
}

/** One line for what is asked: what would run, where that can be said in one, or the agent's words for it. */
export function lineOf({ row: { agent }, item }: OpenAsk): Pick<Need, 'line' | 'isExact' | 'shape'> {
  if (item.kind === 'question') return { line: item.text, isExact: false, shape: undefined }
  const { request } = item
  if (!request) return { line: 'What it asked was erased', isExact: false, shape: undefined }
  const { line, shape } = shapeOf(policyRequest(agent, request))
  return { line: line ?? request.title, isExact: line !== undefined, shape }
}

function needsOfRow(row: SessionRow): readonly Need[] {
  const { session, project, agent, title, since } = row
  const base = { session, project, agent, title, since, risk: null, subAgent: null, isExact: false, shape: undefined }
  const isSpent = row.status === 'paused' && row.reason === 'budget_spent'
  return [
    ...(isSpent
      ? [{ ...base, key: askKey(session, 'budget'), kind: 'budget' as const, line: 'Its budget is used up' }]
      : []),
    ...(rowAwaitsReview(row)
      ? [
          {
            ...base,
            key: askKey(session, 'changes'),
            kind: 'changes' as const,
            line: 'It waits for a review of its changes',
          },
        ]
      : []),
  ]
}

/** Whether a filter leaves it. */
export function fits(need: Need, { kind, risk, project, agent }: NeedFilter): boolean {
  return (
    (kind === undefined || need.kind === kind) &&
    (risk === undefined || need.risk === risk) &&
    (project === undefined || need.project === project) &&
    (agent === undefined || need.agent === agent)
  )
}

/** The riskiest first, and of those what waits longest; what has a shape in common with another stands with it. */
export function inOrder(needs: readonly Need[]): readonly Need[] {
  const sorted = needs.toSorted((a, b) => weight(b) - weight(a) || compare(a.since, b.since) || compare(a.key, b.key))
  const groups = Map.groupBy(sorted, groupOf)
  return [...groups.values()].flat()
}

/** The same with a heading before two or more of one shape. */
export function withHeadings(needs: readonly Need[]): readonly NeedEntry[] {
  const counts = new Map<string, number>()
  for (const need of needs) counts.set(groupOf(need), (counts.get(groupOf(need)) ?? 0) + 1)
  return needs.flatMap((need, at): NeedEntry[] => {
    const group = groupOf(need)
    const count = counts.get(group) ?? 0
    const before = needs[at - 1]
    const isFirst = count > 1 && need.shape !== undefined && (!before || groupOf(before) !== group)
    const isGrouped = count > 1
    return [...(isFirst ? [{ heading: need.shape ?? '', key: `head ${group}`, count }] : []), { need, isGrouped }]
  })
}

/** Only what is as risky stands together: what is risky is not hidden among what is not. */
function groupOf({ key, shape, risk, kind }: Need): string {
  return shape === undefined ? key : `${kind} ${risk ?? ''} ${shape}`
}

function weight({ risk }: Need): number {
  return risk === null ? -1 : Risks.options.indexOf(risk)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * While `holding` nothing moves: what is gone stays where it was, and what came is counted. Otherwise only what is open beside
 * the list (`kept`) stays where it was when it was answered.
 */
export function hold(
  shown: readonly Need[],
  now: readonly Need[],
  { holding, kept }: { holding: boolean; kept: string | undefined },
): { needs: readonly Need[]; waiting: number } {
  const fresh = new Map(now.map((need) => [need.key, need]))
  if (holding) {
    const known = new Set(shown.map(({ key }) => key))
    const waiting = now.filter(({ key }) => !known.has(key)).length
    return { needs: shown.map((need) => fresh.get(need.key) ?? need), waiting }
  }
  const at = shown.findIndex(({ key }) => key === kept)
  const gone = shown[at]
  if (!gone || fresh.has(gone.key)) return { needs: now, waiting: 0 }
  const after = shown.slice(at + 1).find(({ key }) => fresh.has(key))
  const place = after ? now.findIndex(({ key }) => key === after.key) : now.length
  return { needs: now.toSpliced(place, 0, gone), waiting: 0 }
}
