import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { problem } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import { watchAccess } from '@hotline/server/access/access-feed'
import type { Principal } from '@hotline/server/access/principal'
import { Watchers } from '@hotline/server/gate/watchers'
import { Doings } from '@hotline/server/gate/doings'
import { Connections } from '@hotline/server/gate/connections'
import { openInteractDesk } from '@hotline/server/http/interact/interact-desk'
import { openUpdateDesk } from '@hotline/server/http/task-updates/update-desk'
import { openAgentLines } from '@hotline/server/http/agent-line/open-agent-lines'
import { openPermissionDesk } from '@hotline/server/http/permissions/permission-desk'
import { openWebSocketDoor } from '@hotline/server/http/ws'
import { type Clock, systemClock } from '@hotline/server/machine/clock'
import { newTraffic } from '@hotline/server/machine/traffic'
import type { Middle } from './middle.ts'

export interface Door extends AsyncDisposable {
  port: number
  connections: Connections
}

/** The real WebSocket door around a middle, at a port of its own. Tokens are names in `people`; nothing else is faked. */
export async function openDoor(
  middle: Middle,
  people: ReadonlyMap<string, Principal>,
  port = 0,
  clock: Clock = systemClock,
): Promise<Door> {
  const server = createServer((_request, response) => response.writeHead(404).end())
  const connections = new Connections()
  const access = watchAccess(middle.bus)
  access.onAccessChanged(({ account }) => {
    for (const connection of connections.all()) if (connection.principal.account === account) connection.recheck()
  })
  const fault = (error: unknown): void => void middle.faults.push(error)
  const projectOf = (stream: string): Promise<string | undefined> => middle.exchange.projectOf(stream)
  const watchers = new Watchers(clock)
  const doings = new Doings({ bus: middle.bus, projectOf, clock, fault })
  let id = 0
  const door = openWebSocketDoor(server, {
    compression: 'off',
    gate: {
      exchange: middle.exchange,
      feeds: middle.feeds,
      renewed: (principal) => Promise.resolve(principal),
      used: () => undefined,
      rightsChanges: () => access.changes,
      watchers,
      audiences: [watchers, doings],
      whisper: (stream, frame, except) => {
        for (const other of connections.all()) {
          if (other !== except && other.follows(stream)) other.whisper({ ...frame, stream })
        }
      },
      clock,
      traffic: newTraffic(),
      refused: () => undefined,
      fault,
    },
    connections,
    lines: openAgentLines(middle),
    permissions: openPermissionDesk(middle),
    interact: openInteractDesk(middle),
    updates: openUpdateDesk({ ...middle, queue: { watch: () => () => undefined } }),
    guard: () => undefined,
    fromHeader: () => Promise.resolve(undefined),
    fromHello: ({ token }) =>
      Promise.resolve(people.get(token ?? '') ?? problem('unauthenticated', 'Nobody has this token.')),
    welcome: (principal) =>
      Promise.resolve({
        principal: { kind: principal.kind, id: principal.id, name: principal.name, admin: principal.admin },
        projects: [],
        serverTime: new Date().toISOString(),
        heartbeatMs: limits.heartbeatMs,
      }),
    admit: () => true,
    newId: () => `connection${(id += 1)}`,
    clock,
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    [Symbol.asyncDispose]: async () => {
      access[Symbol.dispose]()
      doings[Symbol.dispose]()
      await door[Symbol.asyncDispose]()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
