import type { Capabilities } from '@hotline/protocol/capabilities'
import { type AgentDriver, type AgentEvent, type AgentSession, StartError, type StartSpec } from '../adapter.ts'
import { AsksNothing } from '../asks-nothing.ts'
import { EventQueue } from '../event-queue.ts'

/** Nothing comes through here but the end. */
const queueBytes = 1_024

const capabilities: Capabilities = {
  input: 'none',
  interrupt: false,
  pause: 'none',
  resume: false,
  verdicts: ['allow', 'deny', 'modify'],
  denyReason: true,
  questions: true,
  screen: false,
}

/** An agent that runs somewhere else and speaks at the desk of its session. Nothing is started; it ends when it goes. */
export const mcpDriver: AgentDriver = {
  adapter: 'mcp',
  start(_spec: StartSpec, _holder: unknown, signal: AbortSignal): Promise<AgentSession> {
    if (signal.aborted) return Promise.reject(new StartError('The start was called off.'))
    return Promise.resolve(new McpSession())
  },
}

class McpSession extends AsksNothing implements AgentSession {
  protected readonly withoutModes = 'An agent that only asks has no modes here.'
  readonly pid = undefined
  readonly tree = undefined
  readonly startedAt = new Date().toISOString()
  readonly capabilities = capabilities
  readonly facts = {}
  readonly #queue = new EventQueue<AgentEvent>(queueBytes)

  events(): AsyncIterable<AgentEvent> {
    return this.#queue
  }

  stop(): Promise<readonly number[]> {
    this.#queue.push({ t: 'exit', exit: { code: 0, signal: null } })
    this.#queue.end()
    return Promise.resolve([])
  }

  prompt(): Promise<void> {
    return Promise.reject(new Error('Nothing reaches an agent that only asks.'))
  }

  keys(): Promise<void> {
    return this.prompt()
  }

  resize(): void {
    // There is no terminal.
  }
}
