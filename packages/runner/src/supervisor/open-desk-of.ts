import { outlivesRunner } from '../adapters/adapter.ts'
import { type Desk, openDesk } from '../desk/desk.ts'
import type { AgentProfile } from '../profiles/profile.ts'
import type { ActorPorts } from './actor-ports.ts'

/** Where what the agent starts can reach people. Without it the agent works all the same. `file`: it knows it as that. */
export async function openDeskOf(
  { desksFolder, log }: Pick<ActorPorts, 'desksFolder' | 'log'>,
  session: string,
  { adapter }: AgentProfile,
  file?: string,
): Promise<Desk | undefined> {
  if (outlivesRunner(adapter)) return undefined
  try {
    return await openDesk({ folder: desksFolder, session, file })
  } catch (error) {
    log.warn('no desk', { session, error: String(error) })
    return undefined
  }
}
