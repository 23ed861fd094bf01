/** A line that keeps something from being allowed, what is left where somebody takes it out, and the test that notices. */
export interface Guard {
  /** What it keeps from happening. */
  name: string
  /** Where it stands, and packages that have to come along so that the test meets the changed one. */
  file: string
  with?: readonly string[]
  /** Stands there once. */
  line: string
  without: string
  /** A file of the same package, and how the title begins. */
  test: string
  title: string
}

const decide = 'packages/core/src/session/decide-approval.ts'
const report = 'packages/core/src/session/decide-report.ts'
const weigh = 'packages/core/src/session/weigh-request.ts'
const session = 'packages/core/test/session.test.ts'

/** What stands between an agent and what nobody has allowed. */
export const approvalGuards: readonly Guard[] = [
  {
    name: 'an answer for another digest than the one that was shown',
    file: decide,
    line: 'if (pending.digest !== digest) {',
    without: 'if (false) {',
    test: session,
    title: '[P2] a decision counts only for the digest',
  },
  {
    name: 'a request whose digest is not that of its bytes',
    file: weigh,
    line: 'if (draft.data.contextDigest !== of || draft.data.digest !== digest) return',
    without: 'if (draft.data.contextDigest === "") return',
    test: session,
    title: '[P2] a request whose digest is not that of its bytes',
  },
  {
    name: 'a second answer',
    file: decide,
    line: `const pending = state.approvals.find(({ approval }) => approval === id)
  if (!pending || pending.outcome !== undefined) return waits(state, id) ?? settled(state, id)
  if (pending.expiresAt <= clockOf(state, context)) {
    return refuse('approval_expired', 'The time for this answer has passed; the agent is told that nobody answered.')
  }
  const high`,
    without: `const pending = state.approvals.find(({ approval }) => approval === id)
  if (!pending) return waits(state, id) ?? settled(state, id)
  const high`,
    test: session,
    title: '[P1] the first valid answer wins',
  },
  {
    name: 'an answer after its time',
    file: decide,
    line: `?? settled(state, id)
  if (pending.expiresAt <= clockOf(state, context)) {`,
    without: `?? settled(state, id)
  if (pending.expiresAt === '') {`,
    test: session,
    title: '[P3] after the time is over',
  },
  {
    name: 'an end before its time',
    file: decide,
    line: '|| pending.expiresAt > clockOf(state, context)) return accept()',
    without: ') return accept()',
    test: session,
    title: '[P3] after the time is over',
  },
  {
    name: 'more time than people gave',
    file: weigh,
    line: `proposed !== undefined && proposed < latest`,
    without: `proposed !== undefined`,
    test: session,
    title: '[P3] an agent can make the deadline shorter',
  },
  {
    name: 'what the server denies or wants to be asked in all projects',
    file: 'packages/core/src/policy/evaluate.ts',
    line: `saying(standing.filter(({ of }) => of === 'server')),`,
    without: `undefined,`,
    test: 'packages/core/test/policy/server-rules.test.ts',
    title: '[PO35] of what the two lists say the stricter counts',
  },
  {
    name: 'an answer to what nobody is shown, because it waits for its turn',
    file: decide,
    line: `if (!pending || pending.outcome !== undefined) return waits(state, id) ?? settled(state, id)
  if (pending.expiresAt <= clock`,
    without: `if (!pending || pending.outcome !== undefined) return settled(state, id)
  if (pending.expiresAt <= clock`,
    test: 'packages/core/test/approval-queue.test.ts',
    title: '[AQ3] nobody decides',
  },
  {
    name: 'a verdict that the agent does not take',
    file: decide,
    line: 'if (!pending.verdicts.includes(verdict)) {',
    without: 'if (pending.verdicts.length < 0) {',
    test: session,
    title: '[P4] verdicts and scopes',
  },
  {
    name: 'a scope that the agent does not take',
    file: decide,
    line: `if (verdict !== 'deny' && !pending.scopes.includes(scope)) {`,
    without: 'if (pending.scopes.length < 0) {',
    test: session,
    title: '[P4] verdicts and scopes',
  },
  {
    name: 'high risk, allowed without the right to it',
    file: decide,
    line: 'if (high) return high',
    without: 'void high',
    test: 'packages/core/test/policy/high-risk.test.ts',
    title: '[P20] is allowed by nobody who lacks the right',
  },
  {
    name: 'what a rule denies, allowed by a person',
    file: decide,
    line: `if (effect !== 'deny' || !rule) return undefined`,
    without: 'if (effect !== undefined || !rule) return undefined',
    test: 'packages/core/test/policy/in-the-log.test.ts',
    title: '[PO10]',
  },
  {
    name: 'reports of a machine that does not hold the session any more',
    file: report,
    line: 'if (first.lease?.fence !== fence || first.lease.runner !== context.actor.id) {',
    without: 'if (first.lease?.runner !== context.actor.id) {',
    test: session,
    title: '[S7]',
  },
  {
    name: 'an end of what nobody had time to answer, because the server was away',
    file: 'packages/server/src/scheduler/approval-timer.ts',
    with: ['packages/testing'],
    line: 'if (awayMs > 0) await (givingBack = giveBack(awayMs))',
    without: 'if (awayMs < 0) await (givingBack = giveBack(awayMs))',
    test: 'packages/server/test/approval-timer.test.ts',
    title: '[P10] a machine that slept',
  },
  {
    name: 'other bytes than those that were shown, at the moment when the agent is answered',
    file: 'packages/runner/src/supervisor/approvals.ts',
    with: ['packages/testing'],
    line: 'if (!isSame || !isSameChange || isSwapped || isStale) {',
    without: 'if (isSwapped || isStale) {',
    test: 'packages/runner/test/session.test.ts',
    title: '[R7]',
  },
]
