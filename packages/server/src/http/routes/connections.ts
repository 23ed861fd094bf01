import { ConnectionPage, type ConnectionRow } from '@hotline/protocol/http'
import { type Principal, senderKey } from '../../access/principal.ts'
import type { Connection, Connections } from '../../gate/connections.ts'
import type { RegisterRoute } from '../route.ts'

/** Rows in one answer. Somebody who looks at thousands of them looks at metrics. */
const rowsMax = 500

/** Who is connected, through what and since when. */
export function registerConnectionRoutes(route: RegisterRoute, connections: Pick<Connections, 'all'>): void {
  route({
    method: 'GET',
    url: '/api/connections',
    summary: 'Open connections: mine, or for admins all of this server',
    permission: 'signed-in',
    answer: ConnectionPage,
    handle: ({ principal }) => {
      const seen = connections.all().filter((one) => maySee(principal, one.principal))
      const newest = seen.toSorted((a, b) => b.sinceMs - a.sinceMs).slice(0, rowsMax)
      return { value: { connections: newest.map(rowOf), count: seen.length } }
    },
  })
}

/** A person's own, with those of their services; a service or a machine itself; what a key came with that is limited to projects. */
function maySee(asker: Principal, other: Principal): boolean {
  if (asker.projects !== undefined) return asker.key === other.key
  if (asker.admin) return true
  if (asker.kind === 'person') return asker.account === other.account
  return senderKey(asker) === senderKey(other)
}

function rowOf({ id: connection, principal, sinceMs, silentMs, followed }: Connection): ConnectionRow {
  const { kind, id, name, key, channel, address } = principal
  return {
    connection,
    kind,
    id,
    name,
    key,
    channel,
    address: address ?? null,
    since: new Date(sinceMs).toISOString(),
    silentMs: Math.max(0, Math.round(silentMs)),
    streams: followed,
  }
}
