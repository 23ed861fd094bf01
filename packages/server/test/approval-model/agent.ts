import { connect } from 'node:net'
import type { WebSocketConstructor } from '@hotline/client/carrier'
import type { CommandOutcome, Follow, Link } from '@hotline/client/link'
import { openLink } from '@hotline/client/open-link'
import { uuidV7 } from '@hotline/client/uuid'
import { approvalDigest, contextDigest } from '@hotline/core/approval-digest'
import type { Report } from '@hotline/protocol/commands/agent'
import type { Envelope } from '@hotline/protocol/event'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import { parseCursor } from '@hotline/protocol/stream'
import { handCapabilities } from '@hotline/testing/hand-runner'
import { sha256 } from '@hotline/testing/sha256'
import { WebSocket } from 'ws'
import { outcomeOf } from './ledger.ts'
import type { Stage } from './stage.ts'

/** What the agent was told of one of its requests, and in which life of it. */
export interface Told {
  approval: string
  /** An outcome, as its event says it. */
  outcome: string
  /** Of what was allowed or denied; undefined where nobody answered. */
  digest: unknown
  life: number
}

const startsActive: Report[] = [
  { type: 'session.profile_changed', data: { capabilities: { ...handCapabilities, resume: true } } },
  { type: 'session.state_changed', data: { from: 'starting', to: 'active', reason: 'agent_ready' }, body: {} },
]

/**
 * A machine and the agent on it, led by hand, on a real line: it follows its session, tells the agent each outcome of what
 * that still asks, and reports it. As a real one it may lose its line, be killed and come again, with its agent or without.
 */
export class AgentByHand {
  readonly session: string
  readonly stream: string
  readonly told: Told[] = []
  /** Each request, with the life of the agent that asked. */
  readonly asked = new Map<string, number>()
  /** Grows with each agent. */
  life = 1
  /** The last event that it has heard. */
  seen = 0
  readonly #stage: Stage
  #link: Link
  #follow: Follow | undefined
  #fence = 0
  #cursor = '0'
  /** What was allowed and taken back, as far as it is known here. */
  readonly #recalled = new Set<string>()
  /** Said to the agent, and not yet known to be in the log. */
  readonly #untold = new Map<string, Report>()
  #closed = new AbortController()
  /** Reports that are on their way. */
  under = 0

  constructor(stage: Stage, session: string) {
    this.#stage = stage
    this.session = session
    this.stream = `session:${session}`
    this.#link = this.#open()
    stage.isMachineReady = () => this.#closed.signal.aborted || this.#link.connection.value.status === 'open'
  }

  get isAway(): boolean {
    return this.#stage.isMachineAway
  }

  /** Takes the session, and its agent is ready. */
  async begin(): Promise<void> {
    await this.#take()
    await this.report(...startsActive)
    this.#listen()
  }

  /** Asks for permission; answers the digest of what it asks. */
  async ask(approval: string, request: ApprovalRequest, expiresAt: string): Promise<string> {
    const context = contextDigest(this.session, 'demo', request, sha256)
    const digest = approvalDigest(context, sha256(request.input ?? ''), sha256)
    this.asked.set(approval, this.life)
    const data = {
      approval,
      digest,
      contextDigest: context,
      verdicts: ['allow', 'deny', 'modify'],
      scopes: ['once'],
      strength: 'enforced',
      expiresAt,
      onTimeout: 'deny',
    }
    const outcome = await this.report({ type: 'approval.requested', data, body: request })
    if (!outcome?.ok || outcome.accepted.dropped) throw new Error(`not asked: ${JSON.stringify(outcome)}`)
    return digest
  }

  /** Undefined where this life of the machine ended before there was an answer. */
  async report(...events: Report[]): Promise<CommandOutcome | undefined> {
    const { signal } = this.#closed
    this.under += 1
    try {
      return await this.#link.command(this.stream, 'agent.report', { fence: this.#fence, events }, { signal })
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    } finally {
      this.under -= 1
    }
  }

  /** The line breaks; a new one comes at once. */
  cut(): void {
    this.#stage.machineNetwork.cut()
  }

  /** The line breaks, and there is no other. */
  leave(): void {
    this.#stage.machineLine('broken')
  }

  comeBack(): void {
    this.#stage.machineLine('whole')
    this.#link.wake()
  }

  /** The machine's process is killed and started again. A keeper has kept its agent, or the agent has gone with it. */
  async restart(agent: 'kept' | 'gone'): Promise<void> {
    await this.close()
    this.#closed = new AbortController()
    this.#link = this.#open()
    await this.#take()
    if (agent === 'gone') {
      const unsure = [...this.#untold.keys()].map((approval): Report => ({
        type: 'approval.dispatch_unknown',
        data: { approval },
      }))
      this.#untold.clear()
      this.life += 1
      const gone = { from: 'active', to: 'interrupted', reason: 'agent_lost' }
      await this.report(...unsure, { type: 'session.state_changed', data: gone, body: {} })
    } else if (this.#untold.size > 0) await this.report(...this.#untold.values())
    this.#listen()
  }

  /** A person wants an agent again: another one. */
  async resume(): Promise<void> {
    await this.#take()
    await this.report(...startsActive)
  }

  async close(): Promise<void> {
    this.#follow?.close()
    this.#closed.abort()
    await this.#link[Symbol.asyncDispose]()
  }

  async #take(): Promise<void> {
    const taken = await this.#link.command(this.stream, 'lease.take', {})
    if (!taken.ok) throw new Error(`lease.take: ${taken.problem.detail}`)
    this.#fence = taken.accepted.fence ?? 0
  }

  #listen(): void {
    const life = this.#closed
    this.#follow = this.#link.follow(this.stream, this.#cursor, {
      events: (events, epoch) => {
        if (life.signal.aborted) return
        for (const { type, data } of events)
          if (type === 'approval.recalled') this.#recalled.add(String(data['approval']))
        for (const event of events) {
          this.#hear(event)
          this.seen = event.seq
          this.#cursor = `${epoch}.${event.seq}`
        }
      },
    })
  }

  #hear(event: Envelope): void {
    const { type, data } = event
    if (type !== 'approval.resolved' && type !== 'approval.timed_out') return
    const approval = String(data['approval'])
    // Of an agent that is gone nobody takes the answer.
    if (this.asked.get(approval) !== this.life) return
    if (outcomeOf(event).startsWith('allowed') && this.#recalled.has(approval)) {
      return this.#say(approval, { type: 'approval.dispatch_refused', data: { approval, reason: 'recalled' } })
    }
    const digest = data['modifiedDigest'] ?? data['digest']
    this.told.push({ approval, outcome: outcomeOf(event), digest, life: this.life })
    this.#say(approval, { type: 'approval.dispatched', data: { approval } })
  }

  /** What became of an answer. */
  #say(approval: string, report: Report): void {
    this.#untold.set(approval, report)
    void this.report(report).then((answer) => answer?.ok && this.#untold.delete(approval))
  }

  #open(): Link {
    const { machineNetwork, url, runnerKey } = this.#stage
    // The name of the server stays what it is; the bytes go through the network of the test.
    class Through extends WebSocket {
      constructor(to: URL, protocol: string) {
        super(to, protocol, {
          createConnection: () => connect(machineNetwork.port, machineNetwork.host),
        })
        // Where it breaks before it is open and is not wanted any more, nobody else listens.
        this.on('error', () => undefined)
      }
    }
    return openLink({
      url,
      credential: { kind: 'token', token: runnerKey },
      client: 'hand',
      instance: uuidV7(),
      transports: ['websocket'],
      // The two classes differ in members that the SDK does not use.
      webSocket: Through as unknown as WebSocketConstructor,
      longestWaitMs: 10,
      random: () => 0,
    })
  }
}

/** Of a cursor: the place of the event. */
export function seqOf(cursor: string): number {
  const parsed = parseCursor(cursor)
  return typeof parsed === 'object' ? parsed.seq : 0
}
