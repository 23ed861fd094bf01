import { type Principal, senderKey } from '../access/principal.ts'
import type { Clock } from '../machine/clock.ts'
import type { Connection } from './connections.ts'

/** Whoever comes or goes is told to the others after this: a crowd that reconnects is told of once. */
const tellAfterMs = 200
/** Names told of one stream; a larger audience is known to be large. */
const toldMax = 50
/** That somebody types is told this often: to tell it costs a look at everybody who is connected. */
const typingEveryMs = 1_000

/**
 * Which people follow which session now. It is not logged: a look is no event. Those who follow the same session are told
 * with a frame `watching`, and who begins to follow hears it too.
 */
export class Watchers implements Disposable {
  readonly #clock: Clock
  /** Who follows, and what each was told last. */
  readonly #streams = new Map<string, Map<Connection, string>>()
  /** Streams whose audience has changed and was not told yet. */
  readonly #due = new Set<string>()
  /** When it was last told that somebody types in a stream, the oldest first; none is older than that is told again. */
  readonly #typedAtMs = new Map<string, number>()
  #cancel: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  joined(stream: string, connection: Connection): void {
    if (connection.principal.kind !== 'person' || !stream.startsWith('session:')) return
    const audience = this.#streams.get(stream) ?? new Map<Connection, string>()
    this.#streams.set(stream, audience.set(connection, ''))
    this.#tellSoon(stream)
  }

  left(stream: string, connection: Connection): void {
    const audience = this.#streams.get(stream)
    if (!audience?.delete(connection)) return
    if (audience.size === 0) this.#streams.delete(stream)
    else this.#tellSoon(stream)
  }

  /** Whether it may be told that somebody types: over however many connections, once in a second. */
  mayType(stream: string, principal: Principal): boolean {
    const nowMs = this.#clock.monotonicMs()
    for (const [told, atMs] of this.#typedAtMs) {
      if (nowMs - atMs < typingEveryMs) break
      this.#typedAtMs.delete(told)
    }
    const key = `${stream} ${senderKey(principal)}`
    if (this.#typedAtMs.has(key)) return false
    this.#typedAtMs.set(key, nowMs)
    return true
  }

  /** Sessions that somebody has open now. */
  watched(): readonly string[] {
    return [...this.#streams.keys()]
  }

  [Symbol.dispose](): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#due.clear()
    this.#streams.clear()
  }

  #tellSoon(stream: string): void {
    this.#due.add(stream)
    this.#cancel ??= this.#clock.after(tellAfterMs, () => {
      this.#cancel = undefined
      for (const due of this.#due) this.#tell(due)
      this.#due.clear()
    })
  }

  #tell(stream: string): void {
    const audience = this.#streams.get(stream)
    if (!audience) return
    const people = [...new Set([...audience.keys()].map(({ principal }) => principal.id))].slice(0, toldMax)
    const told = people.toSorted().join(' ')
    for (const [connection, before] of audience) {
      // Who polls comes and goes all the time: to the others nothing has changed.
      if (before === told) continue
      audience.set(connection, told)
      connection.whisper({ kind: 'watching', stream, people })
    }
  }
}
