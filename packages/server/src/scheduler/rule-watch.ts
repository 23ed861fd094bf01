import { parseCommand } from '@hotline/protocol/command'
import { serverStream, splitStream } from '@hotline/protocol/stream'
import { systemPrincipal, type TimerPorts } from './approval-timer.ts'

/** Sessions that are read from the list at once. */
const pageSessions = 200
/** Projects whose sessions are asked for at once. */
const pageProjects = 200

const changesRules: ReadonlySet<string> = new Set(['policy.rule_set', 'policy.rule_moved', 'policy.rule_revoked'])

/**
 * Has what is open looked at again where a rule is written, moved or revoked, in its project or in all of them, and once at the start, for what a server that was stopped
 * in between did not look at. What waits behind others is looked at when it comes up: it was judged when it was asked.
 */
export function watchRules({ exchange, lists, bus, ids, fault }: TimerPorts): Disposable {
  let stopped = false

  async function judge(session: string): Promise<void> {
    const stream = `session:${session}`
    const parsed = parseCommand({ id: ids.uuid(), stream, type: 'approval.judge', data: {} })
    if ('command' in parsed) await exchange.command(systemPrincipal, parsed.command)
  }

  async function look(projects: readonly string[]): Promise<void> {
    // All of them first: an answer moves its session to the front of the list.
    const open: string[] = []
    let after: { updatedAt: string; session: string } | undefined
    do {
      const page = await lists.sessions({ projects, needs: 'open', after, limit: pageSessions })
      open.push(...page.sessions.filter(({ open_approvals }) => open_approvals !== '[]').map(({ session }) => session))
      after = page.next
    } while (after !== undefined)
    for (const session of open) if (!stopped) await judge(session)
  }

  async function lookEverywhere(): Promise<void> {
    const projects = (await lists.projects()).map(({ project }) => project)
    for (let at = 0; at < projects.length; at += pageProjects) await look(projects.slice(at, at + pageProjects))
  }

  async function begin(): Promise<void> {
    for (const { project } of await lists.projects()) {
      const { rules } = await exchange.policyOf(project)
      if (rules.length > 0) await look([project])
    }
  }

  const leave = bus.subscribe(({ stream, events }) => {
    if (events.some(({ type }) => type === 'approval.opened')) judge(splitStream(stream).id).catch(fault)
    if (!events.some(({ type }) => changesRules.has(type))) return
    const looking = stream === serverStream ? lookEverywhere() : look([splitStream(stream).id])
    looking.catch(fault)
  })
  begin().catch(fault)
  return {
    [Symbol.dispose]: () => {
      stopped = true
      leave()
    },
  }
}
