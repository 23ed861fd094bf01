import { budgetsOf } from '@hotline/core/session/spent'
import { modeAt } from '@hotline/core/session/session-mode'
import { openApprovals, type SessionState, turnOf } from '@hotline/core/session/state'
import { EvidenceBody, EvidenceTaken, SessionEvidence } from '@hotline/protocol/evidence'
import { holdsAgent } from '@hotline/protocol/session-status'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { EvidenceDesk } from '../../gate/evidence-desk.ts'
import type { Exchange } from '../../session/exchange.ts'
import { nothingHere } from '../../session/outcome.ts'
import type { RegisterRoute } from '../route.ts'

/** What is not asked now, and who said so; null where everything is asked. */
function modeNow(state: SessionState): SessionEvidence['policyMode'] {
  const { policyMode } = state
  const now = modeAt(state, new Date().toISOString())
  return !policyMode || now.mode === 'ask' ? null : { ...now, by: policyMode.by }
}

/** How an agent stands, as its machine sees it now. */
export function registerEvidenceRoutes(
  route: RegisterRoute,
  { exchange, evidence }: { exchange: Exchange; evidence: EvidenceDesk },
): void {
  route({
    method: 'PUT',
    url: '/api/runner/evidence',
    summary: 'A machine tells how the agents of sessions stand',
    permission: 'runner',
    answer: EvidenceTaken,
    body: EvidenceBody,
    handle: async ({ principal, body }) => ({ value: { taken: await evidence.take(principal, body) } }),
  })

  route({
    method: 'GET',
    url: '/api/sessions/:id/evidence',
    summary: 'What the machine of a session sees of its agent',
    permission: 'signed-in',
    answer: SessionEvidence,
    params: z.strictObject({ id: Id }),
    handle: async ({ principal, params }) => {
      const stream = `session:${params.id}`
      if (!(await exchange.mayRead(principal, stream))) return { problem: nothingHere() }
      const now = await evidence.ask(stream)
      const state = (await exchange.snapshot(stream))?.state
      if (state?.kind !== 'session') return { problem: nothingHere() }
      const seen = now ?? evidence.last(stream)
      const { reach, processes } = state.paused ?? {}
      return {
        value: {
          session: state.session,
          status: state.status,
          since: state.since,
          turn: turnOf(state),
          waitsFor: {
            approvals: openApprovals(state).map(({ approval }) => approval),
            questions: state.questions.map(({ question }) => question),
          },
          pid: state.pid ?? null,
          startedAt: state.startedAt ?? null,
          exit: state.exit ?? null,
          staleSince: state.staleSince ?? null,
          reach: state.reach ?? null,
          fence: state.fence ?? null,
          paused: state.paused
            ? {
                kind: state.paused.kind,
                ...(reach === undefined ? {} : { reach }),
                ...(processes === undefined ? {} : { processes }),
              }
            : null,
          policyMode: modeNow(state),
          budgets: budgetsOf(state, Date.now()),
          lastOutputAt: seen?.lastOutputAt ?? null,
          // Of an agent that is gone there is nothing to see.
          tree: (holdsAgent(state.status) ? seen?.tree : undefined) ?? null,
        },
      }
    },
  })
}
