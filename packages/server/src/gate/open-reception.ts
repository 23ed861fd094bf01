import type { Role } from '@hotline/protocol/actor'
import { limits } from '@hotline/protocol/limits'
import type { Access } from '../access/open-access.ts'
import type { Principal } from '../access/principal.ts'
import type { Feeds } from '../feed/feeds.ts'
import type { Lists } from '../log/lists.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import type { Metrics } from '../machine/metrics.ts'
import type { Traffic } from '../machine/traffic.ts'
import type { Exchange } from '../session/exchange.ts'
import type { Connections } from './connections.ts'
import type { Audience } from './follows.ts'
import type { ReceptionPorts } from './reception.ts'
import type { Watchers } from './watchers.ts'

/** Puts together what every transport needs to let somebody in. */
export function openReception(ports: {
  exchange: Exchange
  feeds: Feeds
  access: Pick<Access, 'authenticator' | 'feed'>
  connections: Connections
  watchers: Watchers
  /** Others who are told who follows what. */
  audiences: readonly Audience[]
  lists: Lists
  clock: Clock
  ids: Ids
  traffic: Traffic
  metrics: Metrics
  socketsPerAccount: number
  fault: (error: unknown) => void
}): ReceptionPorts {
  const { access, clock, connections, exchange, feeds, ids, lists, metrics, traffic, watchers, fault } = ports
  return {
    gate: {
      exchange,
      feeds,
      renewed: (principal) => access.authenticator.renewed(principal),
      used: (principal) => access.authenticator.used(principal),
      rightsChanges: () => access.feed.changes,
      whisper: (stream, frame, except) => {
        for (const connection of connections.all()) {
          if (connection !== except && connection.follows(stream)) connection.whisper({ ...frame, stream })
        }
      },
      watchers,
      audiences: [watchers, ...ports.audiences],
      clock,
      traffic,
      refused: (code) => metrics.commandRefusals.inc({ code }),
      fault,
    },
    connections,
    welcome: async (principal) => ({
      principal: { kind: principal.kind, id: principal.id, name: principal.name, admin: principal.admin },
      projects: await projectsOf(principal, lists),
      serverTime: timestamp(clock),
      heartbeatMs: limits.heartbeatMs,
      without: ['output'],
    }),
    admit: (principal) => principal.kind === 'runner' || connections.countOf(principal) < ports.socketsPerAccount,
    newId: () => ids.uuid(),
  }
}

/** Those of the account, and of a key that is limited to some of them no others: not even their names. */
async function projectsOf(
  { account, projects }: Principal,
  lists: Lists,
): Promise<readonly { project: string; name: string; role: Role }[]> {
  const all = account === undefined ? [] : await lists.projectsOf(account)
  return all.filter(({ project }) => projects?.includes(project) ?? true)
}
