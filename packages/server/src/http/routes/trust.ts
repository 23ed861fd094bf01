import { TrustAnswer, TrustedFolders, TrustQuestion } from '@hotline/protocol/place'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import { systemPrincipal } from '../../scheduler/approval-timer.ts'
import type { Exchange } from '../../session/exchange.ts'
import { mayStartWith } from '../../session/folder-trust.ts'
import { nothingHere } from '../../session/outcome.ts'
import type { RegisterRoute } from '../route.ts'

/** Settings that folders bring for agents: asked about by machines, listed for people. */
export function registerTrustRoutes(route: RegisterRoute, { exchange }: { exchange: Exchange }): void {
  route({
    method: 'POST',
    url: '/api/runner/trust',
    summary: 'A machine asks whether what a folder brings may count',
    permission: 'runner',
    refuses: ['not_found'],
    answer: TrustAnswer,
    body: TrustQuestion,
    handle: async ({ principal, body }) => {
      const outcome = await mayStartWith(exchange, systemPrincipal, principal, body)
      return outcome.ok ? { value: { trusted: outcome.trusted } } : { problem: outcome.problem }
    },
  })

  route({
    method: 'GET',
    url: '/api/projects/:id/trusted',
    summary: 'Folders whose own settings count',
    permission: 'read',
    answer: TrustedFolders,
    params: z.strictObject({ id: Id }),
    handle: async ({ principal, params }) => {
      const stream = `project:${params.id}`
      if (!(await exchange.mayRead(principal, stream))) return { problem: nothingHere() }
      const state = (await exchange.snapshot(stream))?.state
      return { value: { trusted: state?.kind === 'project' ? [...(state.trusted ?? [])] : [] } }
    },
  })
}
