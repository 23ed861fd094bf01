import { MemberPage } from '@hotline/protocol/http'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { Lists } from '../../log/lists.ts'
import type { Exchange } from '../../session/exchange.ts'
import type { RegisterRoute } from '../route.ts'

/** Who is in a project. They are changed by commands to its stream. */
export function registerMemberRoutes(
  route: RegisterRoute,
  { exchange, lists }: { exchange: Exchange; lists: Pick<Lists, 'members'> },
): void {
  route({
    method: 'GET',
    url: '/api/projects/:id/members',
    summary: 'Who is in a project, and what each may do there',
    permission: 'read',
    revalidate: 'etag',
    answer: MemberPage,
    params: z.strictObject({ id: Id }),
    handle: async ({ principal, params }) => {
      const refusal = await exchange.refusalIn(principal, params.id, 'read')
      return refusal ? { problem: refusal } : { value: { members: await lists.members(params.id) } }
    },
  })
}
