import type { Context } from '@hotline/core/decision'
import type { SessionState } from '@hotline/core/session/state'
import type { AcceptedFacts, Command } from '@hotline/protocol/command'
import { type Problem, problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import type { KnownDraft } from '@hotline/protocol/events'
import { limits } from '@hotline/protocol/limits'
import { protocolVersion } from '@hotline/protocol/version'
import type { Append, CommandRecord, LogStore } from '../log/log-store.ts'
import { damageOf } from '../log/store-unavailable.ts'
import type { Bus } from '../log/bus.ts'
import type { Failpoints } from '../log/failpoints.ts'
import { actorOf, type Principal, senderKey } from '../access/principal.ts'
import { sha256 } from '../machine/sha256.ts'
import { bodyHash } from './body-hash.ts'
import type { CommandOutcome } from './outcome.ts'
import { rowsOf, sameLine, sessionLine } from './projection.ts'
import { decide, evolve, type StreamState } from './state.ts'

/** Commands that may wait for one stream; further ones are told to come back. */
const waitingMax = 1_000
/** Commands that are decided together and share one append. */
const batchMax = 256
/** How often a batch is decided again because the stream had moved on. */
const triesMax = 8

interface Waiting {
  command: Command
  principal: Principal
  hash: string
  answer: (outcome: CommandOutcome) => void
}

/** What a queue needs of the world. */
export interface QueuePorts {
  store: LogStore
  bus: Bus
  failpoints: Failpoints
  /** Told of a fault of ours, for the log. */
  fault: (error: unknown) => void
  /** RFC 3339 in UTC. */
  now: () => string
}

/** Where a stream stands in memory: the head that was read, and the state there. */
interface Standing {
  epoch: string | undefined
  head: number
  state: StreamState | undefined
}

/**
 * The one place where a stream grows by commands: one after the other they are decided on the state that the ones before
 * have made, and those that arrived together go to disk together. Nobody is answered before the commit.
 *
 *   waiting → [decide, evolve]* → append → publish → answer
 *
 * A conflict (somebody else wrote to the stream) reads the stream again and decides again. If the log cannot be written,
 * every command of the batch is refused as `storage_unavailable`, and what was decided is forgotten.
 */
export class StreamQueue {
  readonly stream: string
  readonly #ports: QueuePorts
  readonly #waiting: Waiting[] = []
  #standing: Standing | undefined
  #running = false
  /** An append was refused, and may be in the log all the same: then nobody was told of it. */
  #unsure = false

  constructor(stream: string, ports: QueuePorts) {
    this.stream = stream
    this.#ports = ports
  }

  /** True while nothing is under way: the registry may forget this queue then. */
  get idle(): boolean {
    return !this.#running && this.#waiting.length === 0
  }

  /** The state now; what is being committed at this moment is not part of it. */
  async state(): Promise<Standing> {
    this.#standing ??= await this.#load()
    return this.#standing
  }

  submit(principal: Principal, command: Command): Promise<CommandOutcome> {
    if (this.#waiting.length >= waitingMax) {
      const busy = problem('rate_limited', 'Too many commands wait for this stream. Send again in a moment.', {
        retryAfterMs: 1_000,
      })
      return Promise.resolve({ ok: false, problem: busy })
    }
    return new Promise((answer) => {
      this.#waiting.push({ command, principal, hash: bodyHash(command), answer })
      if (!this.#running) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#running = true
    try {
      while (this.#waiting.length > 0) {
        // What came in the same message of the transport comes along, in one decision and one commit.
        await endOfTick()
        const batch = this.#waiting.splice(0, batchMax)
        try {
          await this.#handle(batch)
        } catch (error) {
          this.#standing = undefined
          this.#ports.fault(error)
          for (const { answer } of batch) answer({ ok: false, problem: refusalOf(error) })
        }
      }
    } finally {
      this.#running = false
    }
  }

  async #handle(batch: readonly Waiting[]): Promise<void> {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const standing = await this.state()
      const work = await this.#decideAll(standing, batch)
      if (this.#unsure && standing.epoch !== undefined) {
        this.#ports.bus.publish([{ stream: this.stream, epoch: standing.epoch, head: standing.head, events: [] }])
        this.#unsure = false
      }
      if (work.append.length === 0) return settle(work.outcomes, standing.epoch)
      const result = await this.#ports.store.append(work.append)
      if (result.ok) {
        const mine = result.appended[0]
        this.#standing = { epoch: mine?.epoch, head: mine?.head ?? standing.head, state: work.state }
        this.#ports.bus.publish(result.appended)
        this.#ports.failpoints.hit('after_publish_before_ack')
        return settle(work.outcomes, mine?.epoch)
      }
      this.#standing = undefined
      if (result.reason !== 'conflict') {
        const isUnknown = result.reason === 'unavailable' && result.outcome === 'unknown'
        this.#unsure ||= isUnknown
        const detail =
          result.reason === 'fenced'
            ? 'Another server holds this stream now. Try again.'
            : isUnknown
              ? 'The log failed while this was written, and may hold it. Send it again with the same id: it happens once.'
              : 'The log cannot be written now; nothing was changed. Try again in a moment.'
        const refusal = problem('storage_unavailable', detail, { retryAfterMs: 1_000 })
        for (const { answer } of batch) answer({ ok: false, problem: refusal })
        return
      }
    }
    const refusal = problem('storage_unavailable', 'The stream is being written by many at once. Try again.', {
      retryAfterMs: 100,
    })
    for (const { answer } of batch) answer({ ok: false, problem: refusal })
  }

  /** Decides the batch in order on top of what is committed. Nothing is answered here. */
  async #decideAll(standing: Standing, batch: readonly Waiting[]): Promise<Work> {
    const now = this.#ports.now()
    const remembered = standing.head > 0 ? await this.#remembered(batch) : []
    const events: Envelope[] = []
    const commands: CommandRecord[] = []
    const outcomes: [Waiting, Answer][] = []
    const first = new Map<string, Known>()
    let state = standing.state
    for (const [at, waiting] of batch.entries()) {
      const { command, principal, hash } = waiting
      const sender = senderKey(principal)
      const key = `${sender} ${command.id}`
      const earlier = first.get(key) ?? remembered[at]
      if (earlier) {
        outcomes.push([waiting, earlier.hash === hash ? earlier.outcome : mismatch()])
        continue
      }
      const context = { now, actor: actorOf(principal), channel: principal.channel, sha256 }
      const decision = decide(state, command, context)
      if (!decision.ok) {
        outcomes.push([waiting, { ok: false, problem: decision.problem }])
        continue
      }
      const made = decision.events.map((draft, index) =>
        this.#event(draft, standing.head + events.length + index + 1, command, context),
      )
      const tooLarge = made.find((event) => mayBeTooLarge(event) && eventBytes(event) > limits.eventBytes)
      if (tooLarge) {
        const detail = `An event of ${eventBytes(tooLarge)} bytes is over the limit of ${limits.eventBytes}. Split it.`
        outcomes.push([waiting, { ok: false, problem: problem('too_large', detail, { limit: limits.eventBytes }) }])
        continue
      }
      for (const event of made) state = evolve(state, event)
      events.push(...made)
      const seq = standing.head + events.length
      const accepted = { ...decision.facts, id: command.id, seq }
      const outcome: Answer = { ok: true, accepted }
      outcomes.push([waiting, outcome])
      // Also where nothing had to be appended: sent again later it would find another state, and happen then. The server's
      // own commands are never sent again. A refusal is not remembered: nothing happened, and the log would grow by it.
      if (made.length > 0 || principal.kind !== 'system') {
        first.set(key, { hash, outcome })
        commands.push({ principal: sender, id: command.id, bodyHash: hash, answer: JSON.stringify(accepted) })
      }
    }
    const isNothing = events.length === 0 && commands.length === 0
    return { outcomes, state, append: isNothing ? [] : this.#appends(standing, state, events, commands, now) }
  }

  /** The stream's own append, and the line in its project where a list would show it differently. */
  #appends(
    standing: Standing,
    state: StreamState | undefined,
    events: readonly Envelope[],
    commands: readonly CommandRecord[],
    now: string,
  ): readonly Append[] {
    const own: Append = {
      stream: this.stream,
      expect: standing.head,
      // With members that the log does not read: it gives each event its place itself.
      events,
      ...(state === standing.state ? {} : { state: JSON.stringify(state) }),
      commands,
      rows: state ? rowsOf(standing.state, state, events, now) : [],
    }
    if (state?.kind !== 'session') return [own]
    const before = standing.state?.kind === 'session' ? standing.state : undefined
    return sameLine(before, state) ? [own] : [own, this.#line(state, standing.head + events.length, now)]
  }

  #line(state: SessionState, at: number, now: string): Append {
    const line = sessionLine(state, at)
    return {
      stream: `project:${state.project}`,
      expect: 'any',
      events: [{ v: protocolVersion, at: now, actor: { kind: 'system', id: 'server' }, ...line }],
    }
  }

  #event(draft: KnownDraft, seq: number, command: Command, context: Context): Envelope {
    const reported = command.type === 'agent.report'
    return {
      v: protocolVersion,
      stream: this.stream,
      seq,
      at: context.now,
      type: draft.type,
      subject: draft.subject,
      actor: reported ? { kind: 'agent', id: this.stream.slice(this.stream.indexOf(':') + 1) } : context.actor,
      channel: context.channel,
      cause: command.id,
      data: draft.data,
      body: 'body' in draft ? draft.body : undefined,
      hash: '',
    }
  }

  /** What the log knows of the commands of a batch, each in its place; in one question, for a database may be far. */
  async #remembered(batch: readonly Waiting[]): Promise<readonly (Known | undefined)[]> {
    const keys = batch.map((waiting) => ({ principal: senderKey(waiting.principal), id: waiting.command.id }))
    const found = await this.#ports.store.findCommands(this.stream, keys)
    return found.map((one): Known | undefined => {
      if (!one) return undefined
      const accepted = JSON.parse(one.answer) as AcceptedFacts & { id: string; seq: number }
      return { hash: one.bodyHash, outcome: { ok: true, accepted } }
    })
  }

  async #load(): Promise<Standing> {
    const head = await this.#ports.store.head(this.stream)
    if (!head) return { epoch: undefined, head: 0, state: undefined }
    const state = head.state === undefined ? undefined : (JSON.parse(head.state) as StreamState)
    return { epoch: head.epoch, head: head.head, state }
  }
}

/** Resolves when every promise that is ready now has been heard. */
function endOfTick(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve)
  })
}

/** An answer before the stream's epoch is known, which its first append brings. */
type Answer = { ok: true; accepted: AcceptedFacts & { id: string; seq: number } } | { ok: false; problem: Problem }

/** A command that has its answer. */
interface Known {
  hash: string
  outcome: Answer
}

interface Work {
  outcomes: readonly [Waiting, Answer][]
  state: StreamState | undefined
  append: readonly Append[]
}

function settle(outcomes: readonly [Waiting, Answer][], epoch = ''): void {
  for (const [{ answer }, outcome] of outcomes) {
    if (outcome.ok) answer({ ok: true, accepted: { ...outcome.accepted, cursor: `${epoch}.${outcome.accepted.seq}` } })
    else answer(outcome)
  }
}

/** A log that cannot be read decides nothing; anything else is a fault of ours. */
function refusalOf(error: unknown): Problem {
  const damage = damageOf(error)
  if (damage) return damage
  if (error instanceof Error && 'kind' in error && error.kind === 'unavailable') {
    const detail = 'The log cannot be read now; nothing was changed. Try again in a moment.'
    return problem('storage_unavailable', detail, { retryAfterMs: 1_000 })
  }
  return problem(
    'internal',
    'Something broke while this was carried out. Send it again with the same id: it happens once.',
  )
}

function mismatch(): Answer {
  const detail = 'This id was used for another command. Every new command needs a new id.'
  return { ok: false, problem: problem('idempotency_mismatch', detail) }
}

/** A character of text takes six bytes in JSON at most, a number or a word not more than this. */
const charBytesMax = 6
const valueBytesMax = 32

/** False where a glance shows that it is not: to write JSON only to measure it costs as much as writing it to the log. */
function mayBeTooLarge({ data, body }: Envelope): boolean {
  return boundBytes(data) + boundBytes(body) > limits.eventBytes
}

/** Never less than what the value takes in JSON. */
function boundBytes(value: unknown): number {
  if (typeof value === 'string') return value.length * charBytesMax + 2
  if (typeof value !== 'object' || value === null) return valueBytesMax
  let bytes = 2
  for (const [name, member] of Object.entries(value)) bytes += name.length * charBytesMax + 4 + boundBytes(member)
  return bytes
}

function eventBytes(event: Envelope): number {
  return (
    Buffer.byteLength(JSON.stringify(event.data)) + (event.body ? Buffer.byteLength(JSON.stringify(event.body)) : 0)
  )
}
