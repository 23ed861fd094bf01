import type { Evidence } from '@hotline/protocol/evidence'
import type { EvidenceDesk } from '../../gate/evidence-desk.ts'
import type { Lists } from '../../log/lists.ts'
import type { LogStore } from '../../log/log-store.ts'
import type { Exchange } from '../../session/exchange.ts'
import { AgentLines } from './agent-lines.ts'
import { type AgentFinder, agentFinder } from './find-agent.ts'

/** What an event of a subject says. */
export interface SubjectEvent {
  type: string
  body?: unknown
}

/** What the lines of agents share. */
export interface LineDesk {
  find: AgentFinder
  /** Events of a subject, oldest first. */
  readSubject: (stream: string, subject: string) => Promise<readonly SubjectEvent[]>
  /** What its machine sees of an agent now; undefined where it does not answer. */
  look: (stream: string) => Promise<Evidence | undefined>
  /** Those that are open now. */
  open: AgentLines
}

/** Of one control there are two events: that it was asked for, and what came of it. */
const eventsMax = 10

/** A script waits for its answer: a machine that takes longer is told of with what it said last. */
const lookMs = 300

/** Puts together what the lines of agents need of the server. */
export function openAgentLines(ports: {
  exchange: Exchange
  lists: Lists
  store: LogStore
  evidence?: Pick<EvidenceDesk, 'ask' | 'last'>
}): LineDesk {
  return {
    find: agentFinder(ports),
    readSubject: async (stream, subject) => {
      const events = await ports.store.readSubjects(stream, [subject], 0, eventsMax)
      return events.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString('utf8')) as SubjectEvent)
    },
    look: async (stream) => (await ports.evidence?.ask(stream, lookMs)) ?? ports.evidence?.last(stream),
    open: new AgentLines(),
  }
}
