import { stepObject } from '@hotline/core/step-object'
import type { Doing } from '@hotline/protocol/doing'
import type { Envelope } from '@hotline/protocol/event'
import type { EventOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { StepKind } from '@hotline/protocol/events/turn'
import { splitStream } from '@hotline/protocol/stream'
import type { Bus } from '../log/bus.ts'
import type { StoredEvent } from '../log/log-store.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import type { Connection } from './connections.ts'

/** What has changed is told after this, all of it at once: an agent may take a hundred steps in a second. */
const tellEveryMs = 2_000
/** Sessions whose steps are kept; the one that was quiet for longest is forgotten first. */
const sessionsMax = 5_000
/** Steps that one agent takes beside each other; of more the oldest are forgotten. */
const stepsMax = 16
/** Of a title that is kept while its step runs: only its ends are ever shown. */
const titleChars = 500
/** A longer report carries output, and no new name. */
const progressBytesMax = 16 * 1024
/** In one frame. */
const doingsPerFrame = 100

interface OpenStep {
  stepKind: StepKind
  title: string
  locations: readonly string[]
  at: string
}

/** What an agent last told of tokens and cost. */
type Told = EventOf<'usage.reported'>['data']

interface Work {
  project: string | undefined
  /** Steps that run, in the order in which they began. */
  open: Map<string, OpenStep>
  /** The step that ended last, while no other runs. */
  ended: OpenStep | undefined
  usage: Told | undefined
  /** What its followers know, as JSON; undefined for nothing. */
  told: string | undefined
}

/** What it needs of the server. */
export interface DoingsPorts {
  bus: Bus
  /** The project that a session belongs to. */
  projectOf: (stream: string) => Promise<string | undefined>
  clock: Clock
  fault: (error: unknown) => void
}

/**
 * What each agent does now, for lists of sessions. It is not logged: it comes from the steps as they are committed, is kept
 * while a turn runs, and is lost when the server ends. Those who follow a project are told with a frame `doing`, every two
 * seconds at most, and who begins to follow hears all of it.
 */
export class Doings implements Disposable {
  readonly #ports: DoingsPorts
  readonly #works = new Map<string, Work>()
  /** Those who follow a project, by its stream. */
  readonly #audiences = new Map<string, Set<Connection>>()
  /** Sessions that are to be told. */
  readonly #due = new Set<string>()
  /** Those who know nothing yet, or were too slow for the last frame. */
  readonly #strangers = new Set<Connection>()
  readonly #leave: () => void
  #cancel: (() => void) | undefined
  #closed = false

  constructor(ports: DoingsPorts) {
    this.#ports = ports
    this.#leave = ports.bus.subscribe(({ stream, events }) => {
      if (stream.startsWith('session:')) for (const event of events) this.#hear(stream, event)
    })
  }

  joined(stream: string, connection: Connection): void {
    if (!stream.startsWith('project:')) return
    const audience = this.#audiences.get(stream) ?? new Set()
    this.#audiences.set(stream, audience.add(connection))
    this.#strangers.add(connection)
    this.#tellSoon()
  }

  left(stream: string, connection: Connection): void {
    const audience = this.#audiences.get(stream)
    if (!audience?.delete(connection)) return
    if (audience.size === 0) this.#audiences.delete(stream)
    if (![...this.#audiences.values()].some((others) => others.has(connection))) this.#strangers.delete(connection)
  }

  [Symbol.dispose](): void {
    this.#closed = true
    this.#leave()
    this.#cancel?.()
    this.#cancel = undefined
    this.#works.clear()
    this.#due.clear()
    this.#audiences.clear()
    this.#strangers.clear()
  }

  #hear(stream: string, event: StoredEvent): void {
    const { type, subject = '' } = event
    switch (type) {
      case 'step.started': {
        const step = readStep(event)
        if (!step?.stepKind) return
        const { stepKind, title = '', locations = [] } = step
        const { open } = this.#workOf(stream)
        open.set(subject, { stepKind, title, locations, at: this.#now() })
        const [oldest] = open.keys()
        if (open.size > stepsMax && oldest !== undefined) open.delete(oldest)
        break
      }
      case 'step.progressed': {
        const open = this.#works.get(stream)?.open.get(subject)
        if (!open || event.bytes.length > progressBytesMax) return
        const { title, locations } = readStep(event) ?? {}
        if (title === undefined && locations === undefined) return
        if (title !== undefined) open.title = title
        if (locations !== undefined) open.locations = locations
        break
      }
      case 'step.finished': {
        const work = this.#works.get(stream)
        const open = work?.open.get(subject)
        if (!work || !open) return
        work.open.delete(subject)
        work.ended = { ...open, at: this.#now() }
        break
      }
      case 'turn.started':
      case 'turn.ended':
      case 'session.state_changed': {
        const work = this.#works.get(stream)
        if (!work) return
        work.open.clear()
        work.ended = undefined
        break
      }
      case 'usage.reported': {
        const known = asKnown(JSON.parse(Buffer.from(event.bytes).toString('utf8')) as Envelope)
        if (known?.type !== 'usage.reported') return
        const work = this.#workOf(stream)
        work.usage = { ...work.usage, ...known.data }
        break
      }
      default:
        return
    }
    this.#due.add(stream)
    this.#tellSoon()
  }

  #now(): string {
    return timestamp(this.#ports.clock)
  }

  #workOf(stream: string): Work {
    const work = this.#works.get(stream) ?? {
      project: undefined,
      open: new Map(),
      ended: undefined,
      usage: undefined,
      told: undefined,
    }
    // Moves it to the young end of the map.
    this.#works.delete(stream)
    this.#works.set(stream, work)
    const [oldest] = this.#works.keys()
    if (this.#works.size > sessionsMax && oldest !== undefined) {
      this.#works.delete(oldest)
      this.#due.delete(oldest)
    }
    return work
  }

  #tellSoon(): void {
    if (this.#closed) return
    this.#cancel ??= this.#ports.clock.after(tellEveryMs, () => {
      this.#cancel = undefined
      this.#tell().catch(this.#ports.fault)
    })
  }

  async #tell(): Promise<void> {
    const due = [...this.#due]
    this.#due.clear()
    for (const stream of due) {
      const work = this.#works.get(stream)
      if (work) work.project ??= await this.#ports.projectOf(stream)
    }
    if (this.#closed) return
    const changed = new Map<string, Doing[]>()
    for (const stream of due) {
      const work = this.#works.get(stream)
      if (work?.project === undefined) continue
      const doing = doingOf(stream, work)
      const isNothing = doing.step === undefined && doing.usage === undefined
      const told = isNothing ? undefined : JSON.stringify([doing.step, doing.usage])
      if (told !== work.told) {
        const others = changed.get(work.project)
        if (others) others.push(doing)
        else changed.set(work.project, [doing])
      }
      work.told = told
      if (isNothing) this.#works.delete(stream)
    }
    const strangers = new Set(this.#strangers)
    this.#strangers.clear()
    for (const [stream, audience] of this.#audiences) {
      const doings = changed.get(splitStream(stream).id) ?? []
      for (const connection of audience) {
        const isTold = strangers.has(connection)
          ? this.#send(connection, stream, this.#all(stream))
          : this.#send(connection, stream, doings)
        if (!isTold) this.#strangers.add(connection)
      }
    }
    if (this.#strangers.size > 0) this.#tellSoon()
  }

  #all(stream: string): readonly Doing[] {
    const { id } = splitStream(stream)
    return [...this.#works].filter(([, { project }]) => project === id).map(([session, work]) => doingOf(session, work))
  }

  /** False where the connection was too slow for it. */
  #send(connection: Connection, stream: string, doings: readonly Doing[]): boolean {
    for (let at = 0; at < doings.length; at += doingsPerFrame) {
      if (!connection.whisper({ kind: 'doing', stream, doings: doings.slice(at, at + doingsPerFrame) })) return false
    }
    return true
  }
}

function doingOf(stream: string, { open, ended, usage }: Work): Doing {
  const running = [...open.values()].at(-1)
  const step = running ?? ended
  return {
    session: splitStream(stream).id,
    ...(step ? { step: { kind: step.stepKind, object: stepObject(step), at: step.at, over: !running } } : {}),
    ...(usage ? { usage: usageOf(usage) } : {}),
  }
}

function usageOf({ inputTokens, outputTokens, cost }: Told): NonNullable<Doing['usage']> {
  const isCounted = inputTokens !== undefined || outputTokens !== undefined
  return {
    ...(isCounted ? { tokens: (inputTokens ?? 0) + (outputTokens ?? 0) } : {}),
    ...(cost ? { cost: { amount: cost.amount, currency: cost.currency.slice(0, 10) } } : {}),
  }
}

/** What a step says of itself; undefined where its event cannot be read. */
function readStep({ bytes }: StoredEvent): Partial<OpenStep> | undefined {
  const known = asKnown(JSON.parse(Buffer.from(bytes).toString('utf8')) as Envelope)
  if (known?.type !== 'step.started' && known?.type !== 'step.progressed') return undefined
  const { title, locations } = known.body ?? {}
  return {
    ...(known.type === 'step.started' ? { stepKind: known.data.kind } : {}),
    ...(title === undefined ? {} : { title: title.slice(0, titleChars) }),
    // The first file stands for all of them.
    ...(locations === undefined ? {} : { locations: locations.slice(0, 1).map((path) => path.slice(-titleChars)) }),
  }
}
