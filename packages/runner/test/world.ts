import { createHash, randomUUID } from 'node:crypto'
import { approvalDigest, contextDigest } from '@hotline/core/approval-digest'
import type { Context, Decision } from '@hotline/core/decision'
import { draftEvent } from '@hotline/core/draft-event'
import { decideSession } from '@hotline/core/session/decide'
import { evolveSession } from '@hotline/core/session/evolve'
import { evolveSaidById } from '@hotline/core/session/said'
import { type Upload, uploader } from '@hotline/core/session/attachments'
import type { SessionState } from '@hotline/core/session/state'
import type { Actor } from '@hotline/protocol/actor'
import { type Command, type CommandInput, type CommandType, parseCommand } from '@hotline/protocol/command'
import type { Report } from '@hotline/protocol/commands/agent'
import { problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import type { EventOf, EventType } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { EvidenceBody } from '@hotline/protocol/evidence'
import type { AnnounceBody } from '@hotline/protocol/http'
import type { PolicyRule } from '@hotline/protocol/policy'
import type { TrustQuestion } from '@hotline/protocol/place'
import { sha256 } from '@hotline/testing/sha256'
import { waitFor } from '@hotline/testing/wait-for'
import type { CommandOutcome } from '@hotline/client/link'

export const dana: Actor = { kind: 'person', id: 'dana' }
const epoch = 'testtest'

/** One session's log with its real rules, in memory. */
export class Stream {
  readonly stream: string
  events: Envelope[] = []
  state: SessionState | undefined
  /** Of its project. */
  rules: readonly PolicyRule[] | undefined
  approvalLimits: Context['approvalLimits']
  uploads: readonly Upload[] = []
  readonly answers = new Map<string, { body: string; outcome: CommandOutcome }>()
  readonly heard = new Set<() => void>()

  constructor(stream: string) {
    this.stream = stream
  }

  apply(actor: Actor, command: Command): CommandOutcome {
    const body = JSON.stringify([command.type, command.data])
    const before = this.answers.get(command.id)
    if (before) {
      const mismatch = problem('idempotency_mismatch', 'This id was used for something else.')
      return before.body === body ? before.outcome : { ok: false, problem: mismatch }
    }
    const { rules, approvalLimits } = this
    const said = evolveSaidById(new Map(), this.events)
    const { uploads } = this
    const context = { now: new Date().toISOString(), actor, sha256, rules, approvalLimits, said, uploads }
    const decision: Decision = decideSession(this.state, command, context)
    if (!decision.ok) return { ok: false, problem: decision.problem }
    for (const draft of decision.events) {
      const event = { ...draftEvent(this.stream, draft, context), seq: this.events.length + 1, cause: command.id }
      const wire = JSON.parse(JSON.stringify(event)) as Envelope
      this.events.push(wire)
      this.state = evolveSession(this.state, wire)
    }
    const seq = this.events.length
    const accepted = { ...decision.facts, id: command.id, seq, cursor: `${epoch}.${seq}` }
    const outcome: CommandOutcome = { ok: true, accepted }
    this.answers.set(command.id, { body, outcome })
    for (const hear of this.heard) hear()
    return outcome
  }

  /** A backup of when it had so many events was put in its place. */
  goBack(count: number): void {
    this.events = this.events.slice(0, count)
    this.state = this.events.reduce<SessionState | undefined>(evolveSession, undefined)
  }
}

/** A server with the real rules and nothing else: what people do in a test, and what the runner made of it. */
export class World {
  readonly epoch = epoch
  readonly runner: Actor = { kind: 'runner', id: 'r1' }
  readonly streams = new Map<string, Stream>()
  readonly announced: AnnounceBody[] = []
  /** What was put beside the events, by its digest. */
  readonly content = new Map<string, string>()
  /** Files of messages, by their digests. */
  readonly files = new Map<string, Blob>()
  /** Every report that arrived, also the second time. */
  readonly reported: { id: string; events: readonly Report[] }[] = []
  hint: () => void = () => undefined
  /** Somebody wants to see how agents stand. */
  look: (streams: readonly string[]) => void = () => undefined
  /** What was told of that. */
  readonly seen: EvidenceBody['sessions'] = []

  /** Digests of settings that were allowed for the project. */
  readonly trusted = new Set<string>()

  /** What the server says of settings of a folder. */
  isTrusted({ session, digest }: TrustQuestion): boolean {
    const allowed = this.state(session).resolved.findLast(({ trusts }) => trusts?.digest === digest)
    if (allowed?.outcome === 'allowed' && allowed.trusts?.scope === 'project') this.trusted.add(digest)
    return this.trusted.has(digest) || allowed?.outcome === 'allowed'
  }

  stream(session: string): Stream {
    const name = session.startsWith('session:') ? session : `session:${session}`
    const known = this.streams.get(name)
    if (known) return known
    const stream = new Stream(name)
    this.streams.set(name, stream)
    return stream
  }

  /** A command of the runner. */
  command(stream: string, type: string, data: unknown, id: string): CommandOutcome {
    const parsed = parseCommand({ id, stream, type, data: JSON.parse(JSON.stringify(data)) })
    if ('issues' in parsed) {
      return { ok: false, problem: problem('invalid_request', 'It cannot be read.', { issues: parsed.issues }) }
    }
    const { command } = parsed
    if (command.type === 'agent.report') this.reported.push({ id, events: command.data.events })
    return this.stream(stream).apply(this.runner, command)
  }

  /** A command of a person; throws where it is refused. Answers its id. */
  send<T extends CommandType>(session: string, type: T, data: CommandInput<T>, actor: Actor = dana): string {
    const id = randomUUID()
    const parsed = parseCommand({ id, stream: this.stream(session).stream, type, data })
    if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
    const outcome = this.stream(session).apply(actor, parsed.command)
    if (!outcome.ok) throw new Error(`${type}: ${outcome.problem.code} ${outcome.problem.detail}`)
    if (type === 'session.start' || type === 'session.resume') this.hint()
    return id
  }

  /** A file as it is uploaded to a session. Answers how a message names it. */
  async upload(
    session: string,
    name: string,
    { content, type = 'application/octet-stream' }: { content: Blob; type?: string },
    by: Actor = dana,
  ): Promise<Upload> {
    const bytes = Buffer.from(await content.arrayBuffer())
    const digest = createHash('sha256').update(bytes).digest('hex')
    const upload = { digest, name, type, bytes: bytes.length, by: uploader(by) }
    this.files.set(digest, content)
    const stream = this.stream(session)
    stream.uploads = [...stream.uploads, upload]
    return upload
  }

  start(agent: string, more: Partial<CommandInput<'session.start'>> = {}): string {
    const session = randomUUID()
    this.send(session, 'session.start', { project: 'p1', agent, ...more })
    return session
  }

  state(session: string): SessionState {
    const { state } = this.stream(session)
    if (!state) throw new Error('no such session')
    return state
  }

  events<T extends EventType>(session: string, type: T): EventOf<T>[] {
    return this.stream(session).events.flatMap((event) => {
      const known = asKnown(event)
      return known?.type === type ? [known as EventOf<T>] : []
    })
  }

  types(session: string): string[] {
    return this.stream(session).events.map(({ type }) => type)
  }

  /** What the agent said, whole. */
  said(session: string): string {
    return this.events(session, 'message.completed')
      .map(({ body }) => body?.text ?? '')
      .join('\n')
  }

  printed(session: string, source = 'pty'): string {
    return this.events(session, 'output.appended')
      .filter(({ data }) => data.source === source)
      .map(({ body }) => body?.text ?? '')
      .join('')
  }

  /** Waits until the state is as wanted. */
  until(session: string, what: string, check: (state: SessionState) => unknown, deadlineMs = 30_000): Promise<unknown> {
    const look = (): unknown => {
      const { state } = this.stream(session)
      return state && check(state)
    }
    return waitFor(look, { what: `${what} (${session})`, deadlineMs }).catch((error: unknown) => {
      const tail = this.stream(session)
        .events.slice(-12)
        .map(({ type, data, body }) => JSON.stringify({ type, data, body }).slice(0, 300))
      throw new Error(`${String(error)}\n${tail.join('\n')}`)
    })
  }

  async ask(session: string): Promise<EventOf<'approval.requested'>> {
    await this.until(session, 'an ask', (state) => state.approvals.some(({ outcome }) => outcome === undefined))
    const open = this.state(session).approvals.find(({ outcome }) => outcome === undefined)
    const found = this.events(session, 'approval.requested').find(({ data }) => data.approval === open?.approval)
    if (!found) throw new Error('no ask')
    return found
  }

  /** An ask as a runner reports it; answers its id. */
  openApproval(session: string): string {
    const { agent } = this.state(session)
    const body = { tool: 'execute', title: 'Go on', input: '{"command":"x"}' }
    const context = contextDigest(session, agent, body, sha256)
    const approval = randomUUID()
    const data = {
      approval,
      digest: approvalDigest(context, sha256(body.input ?? ''), sha256),
      contextDigest: context,
      verdicts: ['allow', 'deny'],
      scopes: ['once'],
      strength: 'advisory',
    }
    const report = { fence: 1, events: [{ type: 'approval.requested', data, body }] }
    this.command(this.stream(session).stream, 'agent.report', report, randomUUID())
    return approval
  }

  /** An event that no rule would have let in, as it would come from a server that is wrong. */
  forge(session: string, type: EventType, subject: string, data: Record<string, unknown>): void {
    const stream = this.stream(session)
    const context = { now: new Date().toISOString(), actor: dana, sha256 }
    const draft = draftEvent(stream.stream, { type, subject, data, body: {} } as never, context)
    const event = { ...draft, seq: stream.events.length + 1, cause: randomUUID() }
    stream.events.push(JSON.parse(JSON.stringify(event)) as Envelope)
    for (const hear of stream.heard) hear()
  }

  decide(session: string, ask: EventOf<'approval.requested'>, verdict: 'allow' | 'deny', reason?: string): void {
    const { approval, digest } = ask.data
    this.send(session, 'approval.decide', { approval, digest, verdict, ...(reason === undefined ? {} : { reason }) })
  }
}
