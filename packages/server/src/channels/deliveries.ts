import type { ChannelRow } from '@hotline/protocol/channels'
import type { PermissionDesk } from '../http/permissions/permission-desk.ts'
import { readAsk, readRequestId, requestIdOf, requestMessage } from '../http/permissions/request-message.ts'
import type { Bus } from '../log/bus.ts'
import type { SessionPosition } from '../log/lists.ts'
import type { Clock } from '../machine/clock.ts'
import type { Logger } from '../machine/logger.ts'
import type { Channel, Delivered } from './channel.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { endingWords } from './ending-words.ts'
import type { Outbox, Sent } from './outbox.ts'

/** A delivery that failed is tried again after up to this; each time after up to twice as long. */
const firstRetryMs = 1_000
const retryMaxMs = 5 * 60_000
/** The longest wait before everything is looked at again, for what no event told. */
const lookAgainMs = 60_000

/** What the deliveries of one channel need. */
export interface DeliveryPorts {
  channel: Channel
  /** Absent: all. */
  projects: readonly string[] | undefined
  allProjects: () => Promise<readonly string[]>
  desk: Pick<PermissionDesk, 'page' | 'ending'>
  outbox: Outbox
  bus: Bus
  clock: Clock
  /** From 0 up to 1. */
  random: () => number
  logger: Logger
}

interface Job {
  session: string
  approval: string
  what: 'show' | 'withdraw'
  sent: Sent | undefined
}

interface Delivery {
  send: () => Promise<Delivered>
  /** What is left of it, once the channel has taken it or never will. */
  settle: (state: 'shown' | 'refused') => Promise<void>
}

/**
 * Brings a channel to show what is open, and no more than that. What is open is in the log and what was sent in the outbox;
 * the difference is what there is to do, also after a restart. One thing after the other, what is over first:
 *
 *   open, not sent → note `sending` → deliver → note `shown`        over, sent → withdraw → forget
 *
 * A failure is tried again, later each time, with jitter; after several in a row the channel is left alone for a while.
 */
export class Deliveries implements AsyncDisposable {
  readonly #ports: DeliveryPorts
  readonly #breaker: CircuitBreaker
  /** When what failed is tried again. */
  readonly #waits = new Map<string, { tries: number; dueMs: number }>()
  readonly #closing = new AbortController()
  readonly #leave: () => void
  #cancel: () => void = () => undefined
  #looking: Promise<void> | undefined
  #again = false
  #lastError: string | null = null
  #waiting = 0

  constructor(ports: DeliveryPorts) {
    this.#ports = ports
    this.#breaker = new CircuitBreaker(ports.clock, ports.random)
    this.#leave = ports.bus.subscribe(({ events }) => {
      if (events.some(({ type }) => changes.has(type))) this.#wake()
    })
    this.#wake()
  }

  /** How the channel stands. */
  async row(): Promise<ChannelRow> {
    const { channel, projects, outbox, clock } = this.#ports
    const sent = await outbox.read(channel.name)
    const { waitMs, state, failures } = this.#breaker
    return {
      channel: channel.name,
      target: channel.target,
      ...(projects ? { projects: [...projects] } : {}),
      circuit: state,
      failures,
      retryAt: waitMs > 0 ? new Date(clock.wallMs() + waitMs).toISOString() : null,
      lastError: this.#lastError,
      waiting: this.#waiting,
      shown: sent.filter((one) => one.state === 'shown').length,
      refused: sent.filter((one) => one.state === 'refused').length,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave()
    this.#cancel()
    this.#closing.abort()
    await this.#looking
  }

  #wake(): void {
    if (this.#closing.signal.aborted) return
    this.#again = true
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
      // Something came between its last look and now.
      if (this.#again) this.#wake()
    })
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    let waitMs = lookAgainMs
    while (this.#again && !this.#closing.signal.aborted) {
      this.#again = false
      this.#cancel()
      try {
        waitMs = await this.#work()
      } catch (error) {
        this.#ports.logger.warn('deliveries cannot be read or noted', { channel: this.#ports.channel.name, error })
        waitMs = firstRetryMs
      }
    }
    if (!this.#closing.signal.aborted) this.#cancel = this.#ports.clock.after(Math.max(1, waitMs), () => this.#wake())
  }

  /** Does what is due; answers after how long something is again. */
  async #work(): Promise<number> {
    const jobs = await this.#jobs()
    const keys = new Set(jobs.map(keyOf))
    for (const key of this.#waits.keys()) if (!keys.has(key)) this.#waits.delete(key)
    this.#waiting = jobs.length
    let waitMs = lookAgainMs
    for (const job of jobs) {
      if (this.#closing.signal.aborted) return waitMs
      const leftMs = (this.#waits.get(keyOf(job))?.dueMs ?? 0) - this.#ports.clock.monotonicMs()
      if (leftMs > 0) {
        waitMs = Math.min(waitMs, leftMs)
        continue
      }
      if (this.#breaker.waitMs > 0) return Math.min(waitMs, this.#breaker.waitMs)
      const delivery = job.what === 'show' ? await this.#show(job) : await this.#withdraw(job)
      if (!delivery) continue
      this.#breaker.begin()
      const delivered = await delivery.send()
      if (this.#closing.signal.aborted && delivered !== 'taken') return waitMs
      waitMs = Math.min(waitMs, this.#note(job, delivered))
      if (delivered === 'taken') await delivery.settle('shown')
      else if (delivered.failed === 'for good') await delivery.settle('refused')
      if (this.#again) return 0
    }
    return waitMs
  }

  async #jobs(): Promise<readonly Job[]> {
    const { channel, outbox } = this.#ports
    const sent = new Map((await outbox.read(channel.name)).map((one) => [requestIdOf(one), one]))
    const open = new Set(await this.#open())
    const over = [...sent].filter(([requestId]) => !open.has(requestId))
    // A request that was never taken needs no word that it is over.
    for (const [, one] of over) if (one.state === 'refused') await outbox.drop(channel.name, one)
    const withdrawals = over
      .filter(([, { state }]) => state !== 'refused')
      .map(([, one]): Job => ({ ...one, what: 'withdraw', sent: one }))
    const cards = [...open].flatMap((requestId): Job[] => {
      const named = readRequestId(requestId)
      const before = sent.get(requestId)
      return named && (!before || before.state === 'sending') ? [{ ...named, what: 'show', sent: before }] : []
    })
    // Ids are made of the time.
    return [...withdrawals, ...cards.toSorted((a, b) => (a.approval < b.approval ? -1 : 1))]
  }

  async #open(): Promise<readonly string[]> {
    const projects = await this.#projects()
    const open: string[] = []
    for (let after: SessionPosition | undefined; ;) {
      const page = await this.#ports.desk.page({ projects, after, isWanted: () => false })
      open.push(...page.open)
      if (!page.next) return open
      after = page.next
    }
  }

  async #projects(): Promise<readonly string[]> {
    return this.#ports.projects ?? (await this.#ports.allProjects())
  }

  /** Undefined where it was answered just now, or cannot be read. */
  async #show({ session, approval, what, sent }: Job): Promise<Delivery | undefined> {
    const { channel, desk, outbox } = this.#ports
    const { asks } = await desk.page({
      projects: await this.#projects(),
      sessions: [session],
      isWanted: (one) => one.approval === approval,
    })
    const [row] = asks
    const ask = row && readAsk(row)
    if (!row || !ask) return undefined
    if (!sent) await outbox.put(channel.name, { session, approval, state: 'sending' })
    const card = { key: `${channel.name}:${keyOf({ session, approval, what })}`, request: requestMessage(row, ask) }
    return {
      send: () => channel.deliver(card, this.#closing.signal),
      settle: (state) => outbox.put(channel.name, { session, approval, state }),
    }
  }

  async #withdraw({ session, approval, what }: Job): Promise<Delivery | undefined> {
    const { channel, desk, outbox } = this.#ports
    const settle = (): Promise<void> => outbox.drop(channel.name, { session, approval })
    const ending = await desk.ending(session, approval)
    if (!ending) {
      await settle()
      return undefined
    }
    const key = `${channel.name}:${keyOf({ session, approval, what })}`
    const withdrawal = { key, ending, words: endingWords(ending) }
    return { send: () => channel.withdraw(withdrawal, this.#closing.signal), settle }
  }

  /** Answers after how long this is due again. */
  #note(job: Job, delivered: Delivered): number {
    const { channel, clock, random, logger } = this.#ports
    const key = keyOf(job)
    if (delivered === 'taken' || delivered.failed === 'for good') {
      this.#waits.delete(key)
      this.#waiting -= 1
      if (this.#breaker.succeeded()) logger.info('the channel takes deliveries again', { channel: channel.name })
      if (delivered === 'taken') return lookAgainMs
      this.#lastError = delivered.why
      logger.warn('the channel does not take a delivery', { channel: channel.name, key, why: delivered.why })
      return lookAgainMs
    }
    this.#lastError = delivered.why
    if (this.#breaker.failed()) {
      const { failures } = this.#breaker
      logger.warn('the channel fails and is left alone', { channel: channel.name, failures, why: delivered.why })
    } else logger.debug('a delivery failed', { channel: channel.name, key, why: delivered.why })
    const tries = (this.#waits.get(key)?.tries ?? 0) + 1
    // Full jitter, and never at once.
    const upToMs = Math.min(retryMaxMs, firstRetryMs * 2 ** (tries - 1))
    const backoffMs = Math.max(firstRetryMs / 10, upToMs * random(), delivered.retryAfterMs ?? 0)
    this.#waits.set(key, { tries, dueMs: clock.monotonicMs() + backoffMs })
    return backoffMs
  }
}

function keyOf({ session, approval, what }: Pick<Job, 'session' | 'approval' | 'what'>): string {
  return `${session}/${approval}:${what}`
}

const changes: ReadonlySet<string> = new Set([
  'approval.requested',
  'approval.opened',
  'approval.resolved',
  'approval.timed_out',
  'approval.cancelled',
])
