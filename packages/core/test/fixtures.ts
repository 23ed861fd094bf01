import { createHash } from 'node:crypto'
import { approvalDigest, contextDigest } from '@hotline/core/approval-digest'
import type { Context, Decision } from '@hotline/core/decision'
import { draftEvent } from '@hotline/core/draft-event'
import { decideSession } from '@hotline/core/session/decide'
import { evolveSession } from '@hotline/core/session/evolve'
import { evolveSaid } from '@hotline/core/session/said'
import type { SessionState } from '@hotline/core/session/state'
import type { Actor } from '@hotline/protocol/actor'
import type { Command, CommandInput, CommandType } from '@hotline/protocol/command'
import { parseCommand } from '@hotline/protocol/command'
import type { Report } from '@hotline/protocol/commands/agent'
import type { Envelope } from '@hotline/protocol/event'

export const stream = 'session:s1'
export const dana: Actor = { kind: 'person', id: 'dana' }
export const eli: Actor = { kind: 'person', id: 'eli' }
export const runner: Actor = { kind: 'runner', id: 'r1' }
export const server: Actor = { kind: 'system', id: 'server' }

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A session with its log, driven by commands; time goes on by one second with each of them. */
export class Log {
  events: Envelope[] = []
  state: SessionState | undefined
  approvalLimits: Context['approvalLimits']
  approvalTimeouts: Context['approvalTimeouts']
  rules: Context['rules']
  asked: Context['asked']
  /** What a server has read of the messages that a command is about. */
  said: NonNullable<Context['said']> = new Map()
  nowMs = Date.parse('2026-01-01T00:00:00.000Z')
  #id = 0

  send<T extends CommandType>(actor: Actor, type: T, data: CommandInput<T>): Decision {
    this.#id += 1
    const parsed = parseCommand({ id: `c${this.#id}`, stream, type, data })
    if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
    return this.apply(actor, parsed.command)
  }

  apply(actor: Actor, command: Command): Decision {
    this.nowMs += 1_000
    const context: Context = {
      now: new Date(this.nowMs).toISOString(),
      actor,
      sha256,
      approvalLimits: this.approvalLimits,
      approvalTimeouts: this.approvalTimeouts,
      rules: this.rules,
      asked: this.asked,
      said: this.said,
    }
    const decision = decideSession(this.state, command, context)
    if (decision.ok) {
      for (const draft of decision.events) {
        const event = { ...draftEvent(stream, draft, context), seq: this.events.length + 1 }
        this.events.push(event)
        this.state = evolveSession(this.state, event)
        const [kind, message = ''] = event.subject?.split(':') ?? []
        const said = kind === 'message' ? evolveSaid(this.said.get(message), event) : undefined
        if (said) this.said = new Map(this.said).set(message, said)
      }
    }
    return decision
  }

  report(...events: Report[]): Decision {
    return this.send(runner, 'agent.report', { fence: this.state?.lease?.fence ?? 1, events })
  }

  get types(): string[] {
    return this.events.map(({ type }) => type)
  }
}

const capabilities = {
  input: 'turns',
  steer: true,
  interrupt: true,
  pause: 'none',
  resume: true,
  verdicts: ['allow', 'deny'],
  denyReason: false,
  questions: true,
  screen: false,
} as const

/** A session whose agent is ready and idle. */
export function activeLog(more: { approvalTimeoutMs?: number; endsAfter?: 'turn' } = {}): Log {
  const log = new Log()
  log.send(dana, 'session.start', { project: 'p1', agent: 'demo', title: 'Fix login', ...more })
  log.send(runner, 'lease.take', {})
  log.report(
    {
      type: 'session.profile_changed',
      data: { capabilities, mode: 'ask', modes: [{ id: 'ask', name: 'Ask' }], pid: 4711 },
    },
    { type: 'session.state_changed', data: { from: 'starting', to: 'active', reason: 'agent_ready' }, body: {} },
  )
  return log
}

/** What a runner says when its agent asks; the digests are those of exactly this request. */
export function asking(approval: string, input = '{"command":"ls"}', facts: Record<string, unknown> = {}): Report {
  const body = { tool: 'bash', title: 'Run a command', input, cwd: '/tmp' }
  const of = contextDigest('s1', 'demo', body, sha256)
  return {
    type: 'approval.requested',
    data: {
      approval,
      digest: approvalDigest(of, sha256(input), sha256),
      contextDigest: of,
      verdicts: ['allow', 'deny'],
      scopes: ['once'],
      strength: 'advisory',
      ...facts,
    },
    body,
  }
}

export function digestOf(log: Log, approval: string): string {
  return log.state?.approvals.find((pending) => pending.approval === approval)?.digest ?? 'a'.repeat(64)
}

export function code(decision: Decision): string {
  return decision.ok ? 'ok' : decision.problem.code
}
