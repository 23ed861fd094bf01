import type { ReadPlace } from '@hotline/core/account/read-mark'
import type { Context } from '@hotline/core/decision'
import type { HeldPolicy } from '@hotline/core/policy/policy-state'
import type { Command } from '@hotline/protocol/command'
import type { AcceptedFacts } from '@hotline/protocol/command-answer'
import { type Problem, problem } from '@hotline/protocol/error'
import type { AttachmentRows } from '../log/attachment-rows.ts'
import type { LogStore } from '../log/log-store.ts'
import { damageOf } from '../log/store-unavailable.ts'
import type { Bus } from '../log/bus.ts'
import type { Failpoints } from '../log/failpoints.ts'
import { type Principal, senderKey } from '../access/principal.ts'
import type { AskedNow } from './asked-now.ts'
import type { BoardRows } from './board-facts.ts'
import { bodyHash } from './body-hash.ts'
import { type Answer, decideBatch, type Known, type Standing, type Submitted } from './decide-batch.ts'
import { readState } from './kept-state.ts'
import type { CommandOutcome } from './outcome.ts'
import { factsFor } from './policy-facts.ts'

/** Commands that may wait for one stream; further ones are told to come back. */
const waitingMax = 1_000
/** Commands that are decided together and share one append. */
const batchMax = 256
/** How often a batch is decided again because the stream had moved on. */
const triesMax = 8

interface Waiting extends Submitted {
  answer: (outcome: CommandOutcome) => void
}

/** What a queue needs of the world. */
export interface QueuePorts {
  store: LogStore
  lists: BoardRows & Pick<AttachmentRows, 'attachments'>
  bus: Bus
  failpoints: Failpoints
  /** Told of a fault of ours, for the log. */
  fault: (error: unknown) => void
  /** RFC 3339 in UTC. */
  now: () => string
  /** What counts for a project: asked with every request, so it is kept in memory. */
  policyOf: (project: string) => Promise<HeldPolicy>
  /** Something that a session asks now; undefined where that is not open. */
  askOf: (session: string, ask: string) => Promise<AskedNow | undefined>
  /** A place in a session that somebody has read up to; undefined where there is no such session. */
  placeOf: (session: string, seq: number) => Promise<ReadPlace | undefined>
  /** Whether there is such an account, or an invitation that becomes one; absent: nobody knows, and none is refused. */
  isAccount?: ((account: string) => Promise<boolean>) | undefined
  /** As the rules of a session take it (`Context`). */
  approvalLimits?: Context['approvalLimits']
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
    if (this.#standing) return this.#standing
    const loaded = await this.#load()
    // What was committed meanwhile is newer.
    this.#standing ??= loaded
    return this.#standing
  }

  submit(principal: Principal, command: Command, allowHigh?: Submitted['allowHigh']): Promise<CommandOutcome> {
    if (this.#waiting.length >= waitingMax) {
      const busy = problem('rate_limited', 'Too many commands wait for this stream. Send again in a moment.', {
        retryAfterMs: 1_000,
      })
      return Promise.resolve({ ok: false, problem: busy })
    }
    return new Promise((answer) => {
      this.#waiting.push({ command, principal, hash: bodyHash(command), allowHigh, answer })
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
      const remembered = standing.head > 0 ? await this.#remembered(batch) : []
      const { approvalLimits } = this.#ports
      const facts = { ...(await factsFor(this.#ports, this.stream, standing, batch)), approvalLimits }
      const work = decideBatch(this.stream, standing, batch, remembered, this.#ports.now(), facts)
      if (this.#unsure && standing.epoch !== undefined) {
        this.#ports.bus.publish([{ stream: this.stream, epoch: standing.epoch, head: standing.head, events: [] }])
        this.#unsure = false
      }
      if (work.append.length === 0) return settle(batch, work.outcomes, standing.epoch)
      const result = await this.#ports.store.append(work.append)
      if (result.ok) {
        const mine = result.appended[0]
        this.#standing = { epoch: mine?.epoch, head: mine?.head ?? standing.head, state: work.state }
        this.#ports.bus.publish(result.appended)
        this.#ports.failpoints.hit('after_publish_before_ack')
        return settle(batch, work.outcomes, mine?.epoch)
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
    return { epoch: head.epoch, head: head.head, state: await readState(this.#ports.store, head) }
  }
}

/** Resolves when every promise that is ready now has been heard. */
function endOfTick(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve)
  })
}

function settle(batch: readonly Waiting[], outcomes: readonly Answer[], epoch = ''): void {
  for (const [at, outcome] of outcomes.entries()) {
    const answered = outcome.ok
      ? { ok: true as const, accepted: { ...outcome.accepted, cursor: `${epoch}.${outcome.accepted.seq}` } }
      : outcome
    batch[at]?.answer(answered)
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
