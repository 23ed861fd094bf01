import { lintRules } from '@hotline/core/policy/lint'
import {
  heldPolicy,
  type HeldPolicy,
  type PolicyState,
  saidTimeouts,
  timeoutFor,
} from '@hotline/core/policy/policy-state'
import { PolicyPage } from '@hotline/protocol/policy'
import { serverStream } from '@hotline/protocol/stream'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import { type Clock, timestamp } from '../../machine/clock.ts'
import type { Exchange } from '../../session/exchange.ts'
import { nothingHere } from '../../session/outcome.ts'
import type { RegisterRoute } from '../route.ts'

/** The rules of a project and of the server. They are changed by commands, and their history is the stream that they are in. */
export function registerPolicyRoutes(
  route: RegisterRoute,
  { exchange, clock }: { exchange: Exchange; clock: Clock },
): void {
  route({
    method: 'GET',
    url: '/api/projects/:id/policy',
    summary: 'The rules that count in a project',
    permission: 'read',
    answer: PolicyPage,
    params: z.strictObject({ id: Id }),
    handle: async ({ principal, params }) => {
      const refusal = await exchange.refusalIn(principal, params.id, 'read')
      if (refusal) return { problem: refusal }
      const state = (await exchange.snapshot(`project:${params.id}`))?.state
      if (state?.kind !== 'project') return { problem: nothingHere() }
      return { value: pageOf(state, await exchange.policyOf(params.id), timestamp(clock)) }
    },
  })
  // What counts in a project everybody reads there.
  route({
    method: 'GET',
    url: '/api/policy',
    summary: 'The rules of the server',
    permission: 'account-admin',
    answer: PolicyPage,
    handle: async () => {
      const state = (await exchange.snapshot(serverStream))?.state
      const said = state?.kind === 'server' ? state : {}
      return { value: pageOf(said, heldPolicy(said, {}), timestamp(clock)) }
    },
  })
}

/** `said`: what is written there; the rest is what counts there. */
function pageOf(said: PolicyState, { rules, timeouts }: HeldPolicy, now: string): z.input<typeof PolicyPage> {
  return {
    rules,
    approvalTimeoutMs: timeoutFor(timeouts, undefined),
    timeouts: {
      said: saidTimeouts(said),
      counts: {
        low: timeoutFor(timeouts, 'low'),
        medium: timeoutFor(timeouts, 'medium'),
        high: timeoutFor(timeouts, 'high'),
      },
    },
    // Of what is written elsewhere its writers see them there.
    warnings: lintRules(rules, now).filter(({ rule }) => said.rules?.some((one) => one.rule === rule)),
  }
}
