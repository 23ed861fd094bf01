import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import { parseCommand } from '@hotline/protocol/command'
import { Owners } from '@hotline/server/access/owners'
import type { Principal } from '@hotline/server/access/principal'
import { Feeds } from '@hotline/server/feed/feeds'
import type { Bus } from '@hotline/server/log/bus'
import type { Lists } from '@hotline/server/log/lists'
import type { LogStore } from '@hotline/server/log/log-store'
import { noFailpoints } from '@hotline/server/log/failpoints'
import { openMemoryBus } from '@hotline/server/log/memory-bus'
import { openDatabase } from '@hotline/server/log/open-database'
import { type Clock, systemClock, timestamp } from '@hotline/server/machine/clock'
import { systemIds } from '@hotline/server/machine/ids'
import { systemPrincipal } from '@hotline/server/scheduler/approval-timer'
import { Exchange } from '@hotline/server/session/exchange'
import type { CommandOutcome } from '@hotline/server/session/outcome'

export interface Middle {
  dir: string
  store: LogStore
  lists: Lists
  bus: Bus
  exchange: Exchange
  feeds: Feeds
  /** Faults of ours that were reported; a test expects none. */
  faults: unknown[]
  send<T extends CommandType>(
    principal: Principal,
    stream: string,
    type: T,
    data: CommandInput<T>,
    commandId?: string,
  ): Promise<CommandOutcome>
  close(): Promise<void>
}

/** The middle of the server, without doors, on a real database in a folder of its own, with a project `p1`. */
export async function openMiddle(clock: Clock = systemClock): Promise<Middle> {
  const dir = mkdtempSync(join(tmpdir(), 'hotline-middle-'))
  const ids = systemIds(() => clock.wallMs())
  const database = await openDatabase({ kind: 'sqlite', dir }, { clock, ids })
  const bus = openMemoryBus()
  const faults: unknown[] = []
  const ports = {
    store: database.store,
    lists: database.lists,
    bus,
    failpoints: noFailpoints,
    fault: (error: unknown) => faults.push(error),
    now: () => timestamp(clock),
  }
  const exchange = new Exchange(ports, {
    roleOf: (project, account) => database.lists.roleOf(project, account),
    // Passwords are for the doors; here everybody has just said theirs.
    proofMissing: () => undefined,
    owners: new Owners(database.lists),
  })
  const feeds = new Feeds(database.store, bus)
  let id = 0
  const send = <T extends CommandType>(
    principal: Principal,
    stream: string,
    type: T,
    data: CommandInput<T>,
    commandId = `c${(id += 1)}`,
  ): Promise<CommandOutcome> => {
    const parsed = parseCommand({ id: commandId, stream, type, data })
    if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
    return exchange.command(principal, parsed.command)
  }
  await send(systemPrincipal, 'project:p1', 'project.create', { name: 'One' })
  return {
    dir,
    store: database.store,
    lists: database.lists,
    bus,
    exchange,
    feeds,
    faults,
    send,
    close: async () => {
      feeds[Symbol.dispose]()
      await bus[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true })
    },
  }
}

/** A person with all scopes; what they may do is a matter of their memberships. */
export function person(account: string, more: Partial<Principal> = {}): Principal {
  return {
    kind: 'person',
    id: account,
    name: account,
    account,
    key: `key-${account}`,
    admin: false,
    scopes: ['read', 'write', 'decide', 'decide_high', 'admin', 'own'],
    accessVersion: 1,
    channel: `web:${account}`,
    ...more,
  }
}

/** The runner of these tests. */
export const machine: Principal = {
  kind: 'runner',
  id: 'r1',
  name: 'r1',
  key: 'r1',
  admin: false,
  scopes: [],
  accessVersion: 0,
  channel: 'runner:r1',
}
