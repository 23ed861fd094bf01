import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { uuidV7 } from '@hotline/client/uuid'
import { mcpAgent } from '@hotline/protocol/commands/session'
import type { Me } from '@hotline/protocol/http'
import { fail } from '../failure.ts'
import type { CommandContext } from '../commands/context.ts'

/** A machine that is here takes a session within this; past it, nobody does. */
const takenWithinMs = 30_000
/** Between two looks for the file. */
const lookEveryMs = 50

/** Which session the tools shall be for, where it is not the one that they were started in. */
export interface Wish {
  /** The beginning of its id will do. */
  session?: string
  /** A new one, for an agent that Hotline did not start. */
  new?: true
  title?: string
  project?: string
}

/** The file of a session of this machine that is wished for. Throws a `Failure`. */
export async function findDesk(context: CommandContext, wish: Wish): Promise<string> {
  if (wish.session === undefined) return await deskOf(context, await startSession(context, wish))
  const { session } = await context.server().findSession(wish.session)
  return await deskOf(context, session)
}

async function startSession(context: CommandContext, { title, project }: Wish): Promise<string> {
  const server = context.server()
  const { runner } = context.settings()
  if (runner === undefined) {
    throw fail('not_found', 'This machine runs no agents for this server. Start it with: hotline up')
  }
  const chosen = project ?? (await server.get<Me>('/api/me')).projects[0]?.project
  if (chosen === undefined) throw fail('not_found', 'You are in no project yet.')
  const session = uuidV7()
  await server.command(`session:${session}`, 'session.start', {
    project: chosen,
    agent: mcpAgent,
    runner,
    title: title ?? `An agent in ${basename(process.cwd()) || '/'}`,
    cwd: process.cwd(),
    unasked: true,
  })
  return session
}

/** Looks for it until it is there: its machine may be about to take the session. */
async function deskOf(context: CommandContext, session: string): Promise<string> {
  const folder = join(context.settings().dataDir, 'runner', 'desks')
  for (const endsAt = performance.now() + takenWithinMs; performance.now() < endsAt; await pause(lookEveryMs)) {
    const file = globSync('*.json', { cwd: folder }).find((name) => isOf(join(folder, name), session))
    if (file !== undefined) return join(folder, file)
  }
  throw fail('not_found', 'This session has no agent on this machine, or was started by somebody else.')
}

function isOf(file: string, session: string): boolean {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { session?: unknown }).session === session
  } catch {
    // It went while it was read, or is being written.
    return false
  }
}
