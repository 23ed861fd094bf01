import { taskSessionOf } from '@hotline/core/task/task-session'
import { parseCommand } from '@hotline/protocol/command'
import { parseCursor, splitStream } from '@hotline/protocol/stream'
import { systemPrincipal, type TimerPorts } from './approval-timer.ts'

/** Sessions that are looked up at once after a start. */
const pageSessions = 500
/** What comes in floods and changes nothing that a card shows. */
const quiet: ReadonlySet<string> = new Set(['output.appended', 'message.delta', 'thought.delta', 'step.progressed'])

/**
 * Tells cards how their sessions stand. What a card has to be told is written with the session's own events, so a server that
 * was stopped in between tells it at its start.
 */
export function watchTasks({ exchange, lists, bus, ids, fault }: TimerPorts): Disposable {
  let stopped = false

  async function tell(session: string): Promise<void> {
    const now = await exchange.snapshot(`session:${session}`)
    if (now?.state.kind !== 'session' || now.state.task === undefined) return
    const row = await lists.untold(session)
    const cursor = parseCursor(now.cursor)
    // Where memory was behind the list, what it waited for is published in a moment, and heard here.
    if (stopped || !row || typeof cursor !== 'object' || cursor.seq < row.untold) return
    const data = { ...taskSessionOf(now.state), at: row.untold }
    const parsed = parseCommand({ id: ids.uuid(), stream: `task:${now.state.task}`, type: 'task.observe', data })
    if ('issues' in parsed) throw new Error('what a card is told of a session is no valid command')
    const outcome = await exchange.command(systemPrincipal, parsed.command)
    if (!outcome.ok && outcome.problem.code === 'storage_unavailable') throw new Error(outcome.problem.detail)
  }

  async function begin(): Promise<void> {
    const tried = new Set<string>()
    for (;;) {
      const rows = await lists.untoldSessions(pageSessions)
      const fresh = rows.filter(({ session }) => !tried.has(session))
      if (stopped || fresh.length === 0) return
      for (const { session } of fresh) {
        tried.add(session)
        await tell(session).catch(fault)
      }
    }
  }

  const leave = bus.subscribe(({ stream, events }) => {
    const { kind, id } = splitStream(stream)
    if (kind !== 'session' || events.every(({ type }) => quiet.has(type))) return
    tell(id).catch(fault)
  })
  begin().catch(fault)
  return {
    [Symbol.dispose]: () => {
      stopped = true
      leave()
    },
  }
}
