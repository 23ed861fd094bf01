import { goingBy } from '@hotline/core/agent-name'
import { type Problem, problem } from '@hotline/protocol/error'
import { isLive, sessionStatuses } from '@hotline/protocol/session-status'
import { idPattern } from '@hotline/protocol/stream'
import type { Principal } from '../../access/principal.ts'
import type { Lists, SessionPosition } from '../../log/lists.ts'
import type { SessionTable } from '../../log/tables.ts'
import type { Exchange } from '../../session/exchange.ts'
import { nothingHere } from '../../session/outcome.ts'
import { projectsOf } from '../routes/sessions.ts'

/** The session that a name means to somebody. */
export interface FoundAgent {
  session: string
  project: string
}

/** Whom a name means, of what this principal may read. */
export type AgentFinder = (principal: Principal, name: string) => Promise<FoundAgent | Problem>

const prefix = '/ws/agents/'
/** Sessions that are read at once. */
const pageRows = 1_000
/** Of those that go by one name so many are told. */
const candidatesMax = 20

const liveStatuses = sessionStatuses.filter(isLive)

/** The name that stands in the address of a line; undefined where the address is of something else. */
export function readLineTarget(path: string): { name: string } | Problem | undefined {
  if (!path.startsWith(prefix)) return undefined
  const name = path.slice(prefix.length)
  if (idPattern.test(name)) return { name }
  return problem('invalid_request', 'The name of an agent has 1 to 64 letters, digits, "_" or "-".')
}

/**
 * A session by its id, whether it is over or not; otherwise the one that is not over and has this title, or whose agent is
 * called so. Where several are, the answer says which.
 */
export function agentFinder({ exchange, lists }: { exchange: Exchange; lists: Lists }): AgentFinder {
  return async (principal, name) => {
    const stream = `session:${name}`
    const snapshot = (await exchange.mayRead(principal, stream)) ? await exchange.snapshot(stream) : undefined
    if (snapshot?.state.kind === 'session') return { session: name, project: snapshot.state.project }
    if (!principal.scopes.includes('read')) return nothingHere()
    const found = goingBy(name, await liveSessions(lists, await projectsOf(principal, lists)))
    const [first, second] = found
    if (!first) {
      return problem('not_found', `No agent that runs is called "${name}". A session can be named by its id, too.`)
    }
    if (!second) return { session: first.session, project: first.project }
    const candidates = found.slice(0, candidatesMax).map(({ session, title, agent, status }) => ({
      session,
      title,
      agent,
      status,
    }))
    const detail = `${found.length} sessions go by "${name}". Name one by its id: ${candidates.map(({ session }) => session).join(', ')}.`
    return problem('ambiguous_name', detail, { candidates })
  }
}

async function liveSessions(lists: Lists, projects: readonly string[]): Promise<readonly SessionTable[]> {
  const all: SessionTable[] = []
  for (let after: SessionPosition | undefined; ;) {
    const page = await lists.sessions({ projects, statuses: liveStatuses, limit: pageRows, after })
    all.push(...page.sessions)
    if (!page.next) return all
    after = page.next
  }
}
