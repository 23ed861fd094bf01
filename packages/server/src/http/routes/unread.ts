import { limits } from '@hotline/protocol/limits'
import type { AccountState } from '@hotline/core/account/state'
import { unreadIn } from '@hotline/core/account/read-mark'
import { Id } from '@hotline/protocol/ids'
import { accountStream } from '@hotline/protocol/stream'
import { UnreadPage, type UnreadRow } from '@hotline/protocol/unread'
import { z } from 'zod'
import type { Principal } from '../../access/principal.ts'
import type { Exchange } from '../../session/exchange.ts'
import type { RegisterRoute } from '../route.ts'

const oneId = '[A-Za-z0-9_][A-Za-z0-9_-]{0,63}'
const idsPattern = new RegExp(`^${oneId}(,${oneId}){0,${limits.unreadSessions - 1}}$`)

/** How much a person has not read. */
export function registerUnreadRoutes(route: RegisterRoute, { exchange }: { exchange: Exchange }): void {
  route({
    method: 'GET',
    url: '/api/unread',
    summary: 'How many messages of sessions I have not read',
    permission: 'read',
    answer: UnreadPage,
    query: z.strictObject({
      /** Ids, divided by commas; one that is not there is passed over. Absent: only the place in one's own stream is told. */
      sessions: z
        .string()
        .regex(idsPattern, 'must be ids, divided by commas')
        .transform((text) => text.split(','))
        .pipe(z.array(Id).max(limits.unreadSessions))
        .optional(),
    }),
    handle: async ({ principal, query }) => {
      const stream = accountStream(principal.id)
      // First the place and then what holds there: what comes between is heard twice, and not lost.
      const cursor = (await exchange.mayRead(principal, stream)) ? (await exchange.snapshot(stream))?.cursor : undefined
      const sessions = principal.kind === 'person' ? await rowsOf(exchange, principal, query.sessions ?? []) : []
      return { value: { sessions, cursor: cursor ?? null } }
    },
  })
}

async function rowsOf(exchange: Exchange, principal: Principal, sessions: readonly string[]): Promise<UnreadRow[]> {
  const own = (await exchange.snapshot(accountStream(principal.id)))?.state
  const read: Pick<AccountState, 'read' | 'readSince'> = own?.kind === 'account' ? own : {}
  const rows: UnreadRow[] = []
  for (const session of new Set(sessions)) {
    const stream = `session:${session}`
    if (!(await exchange.mayRead(principal, stream))) continue
    const state = (await exchange.snapshot(stream))?.state
    if (state?.kind !== 'session') continue
    const { createdAt, counts } = state
    const unread = unreadIn(read, { session, createdAt, messages: counts.messages })
    const seq = read.read?.find((one) => one.session === session)?.seq ?? null
    rows.push({ session, messages: counts.messages, unread, seq })
  }
  return rows
}
