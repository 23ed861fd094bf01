import { lintRules } from '@hotline/core/policy/lint'
import { limits } from '@hotline/protocol/limits'
import { PolicyPage } from '@hotline/protocol/policy'
import { Id } from '@hotline/protocol/stream'
import { z } from 'zod'
import { type Clock, timestamp } from '../../machine/clock.ts'
import type { Exchange } from '../../session/exchange.ts'
import { nothingHere } from '../../session/outcome.ts'
import type { RegisterRoute } from '../route.ts'

/** The rules of a project. They are changed by commands, and their history is the project's stream. */
export function registerPolicyRoutes(
  route: RegisterRoute,
  { exchange, clock }: { exchange: Exchange; clock: Clock },
): void {
  route({
    method: 'GET',
    url: '/api/projects/:id/policy',
    permission: 'read',
    answer: PolicyPage,
    params: z.strictObject({ id: Id }),
    handle: async ({ principal, params }) => {
      const refusal = await exchange.refusalIn(principal, params.id, 'read')
      if (refusal) return { problem: refusal }
      const state = (await exchange.snapshot(`project:${params.id}`))?.state
      if (state?.kind !== 'project') return { problem: nothingHere() }
      const rules = state.rules ?? []
      const { approvalTimeoutMs = limits.approvalTimeoutMs } = state
      return { value: { rules, approvalTimeoutMs, warnings: lintRules(rules, timestamp(clock)) } }
    },
  })
}
