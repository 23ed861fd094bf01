import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import { parseCommand } from '@hotline/protocol/command'
import type { Principal } from '../src/access/principal.ts'
import { Feeds } from '../src/feed/feeds.ts'
import { noFailpoints } from '../src/log/failpoints.ts'
import { openMemoryBus } from '../src/log/memory-bus.ts'
import { openDatabase } from '../src/log/open-database.ts'
import { systemClock, timestamp } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'
import { systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { Exchange } from '../src/session/exchange.ts'
import type { CommandOutcome } from '../src/session/outcome.ts'

/** The middle of the server on a real database in a folder of its own. */
export async function openMiddle() {
  const dir = mkdtempSync(join(tmpdir(), 'hotline-middle-'))
  const ids = systemIds(() => systemClock.wallMs())
  const database = await openDatabase({ kind: 'sqlite', dir }, { clock: systemClock, ids })
  const bus = openMemoryBus()
  const faults: unknown[] = []
  const ports = {
    store: database.store,
    bus,
    failpoints: noFailpoints,
    fault: (error: unknown) => faults.push(error),
    now: () => timestamp(systemClock),
  }
  const exchange = new Exchange(ports, async (project, account) => {
    const role = await database.lists.roleOf(project, account)
    return role as 'owner' | undefined
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

export function person(account: string, more: Partial<Principal> = {}): Principal {
  return {
    kind: 'person',
    id: account,
    name: account,
    account,
    key: `key-${account}`,
    admin: false,
    scopes: ['read', 'write', 'decide', 'admin', 'own'],
    accessVersion: 1,
    channel: `web:${account}`,
    ...more,
  }
}

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
