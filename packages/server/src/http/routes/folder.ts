import { FolderPath } from '@hotline/protocol/folder-path'
import { FolderAnswer, FolderTaken, FolderView } from '@hotline/protocol/place'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { FolderDesk } from '../../gate/folder-desk.ts'
import type { Exchange } from '../../session/exchange.ts'
import type { RegisterRoute } from '../route.ts'

/** What a folder of a machine is like, before anything is started there. */
export function registerFolderRoutes(
  route: RegisterRoute,
  { exchange, folders }: { exchange: Exchange; folders: FolderDesk },
): void {
  route({
    method: 'PUT',
    url: '/api/runner/folder',
    summary: 'A machine answers what a folder is like for an agent',
    permission: 'runner',
    answer: FolderTaken,
    body: FolderAnswer,
    handle: ({ principal, body }) => ({ value: { taken: folders.take(principal, body) } }),
  })

  route({
    method: 'GET',
    url: '/api/runners/:id/folder',
    summary: 'What a folder on a machine is like for an agent',
    permission: 'write',
    answer: FolderView,
    params: z.strictObject({ id: Id }),
    query: z.strictObject({ project: Id, agent: Id, folder: FolderPath }),
    handle: async ({ principal, params, query }) => {
      // Whoever may start something there may see what it would have around it, and nobody else.
      const refusal = await exchange.refusalIn(principal, query.project, 'write')
      if (refusal) return { problem: refusal }
      const outcome = await folders.ask(principal, { runner: params.id, ...query })
      return outcome.ok ? { value: outcome.view } : { problem: outcome.problem }
    },
  })
}
