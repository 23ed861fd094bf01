import { closeOf } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import { type Principal, senderKey } from '../access/principal.ts'

/** Whoever is here answers a ping at every heartbeat. */
const halfOpenMs = limits.heartbeatMs * 1.5

/** What others may tell an open connection. */
export interface Connection {
  readonly id: string
  readonly principal: Principal
  /** Which life of a runner it is of, where that was said. */
  readonly instance: string | undefined
  /** When it came in, in milliseconds of the wall clock. */
  readonly sinceMs: number
  /** Milliseconds since anything came from its other side. */
  readonly silentMs: number
  /** A frame that is not logged; false where it was dropped because the connection is slow. */
  whisper(frame: { kind: string; stream?: string; [fact: string]: unknown }): boolean
  /** How many streams it follows. */
  readonly followed: number
  /** True where the connection follows the stream. */
  follows(stream: string): boolean
  /** The rights of its principal may have changed. */
  recheck(): void
  /** From now on commands are refused. Resolves when those that are under way were answered. */
  drain(retryAfterMs: number): Promise<void>
  close(code: number, reason: string): void
}

/** The open connections. The scheduler asks it which runners are here; access tells it whose rights changed. */
export class Connections {
  readonly #open = new Map<string, Connection>()
  /** The same by whose they are: with thousands of them, looking at each for every newcomer would be felt. */
  readonly #byPrincipal = new Map<string, Set<Connection>>()
  readonly #watchers = new Set<(connection: Connection, change: 'opened' | 'closed') => void>()

  add(connection: Connection): void {
    this.#open.set(connection.id, connection)
    const key = senderKey(connection.principal)
    const own = this.#byPrincipal.get(key) ?? new Set()
    this.#byPrincipal.set(key, own.add(connection))
    for (const watcher of this.#watchers) watcher(connection, 'opened')
  }

  remove(connection: Connection): void {
    if (!this.#open.delete(connection.id)) return
    const key = senderKey(connection.principal)
    const own = this.#byPrincipal.get(key)
    own?.delete(connection)
    if (own?.size === 0) this.#byPrincipal.delete(key)
    for (const watcher of this.#watchers) watcher(connection, 'closed')
  }

  /**
   * Makes room for another connection of a runner. One of the same life goes: only a half-open line can be left of it. So
   * does one of another life that was not heard for longer than any living one is. True where one is in the way: two
   * runners with one key would take each other's work.
   */
  isTaken(runner: Principal, instance: string): boolean {
    for (const other of this.#byPrincipal.get(senderKey(runner)) ?? []) {
      if (other.instance === undefined) continue
      if (other.instance !== instance && other.silentMs < halfOpenMs) return true
      other.close(closeOf('already_exists'), 'superseded')
    }
    return false
  }

  watch(watcher: (connection: Connection, change: 'opened' | 'closed') => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  all(): readonly Connection[] {
    return [...this.#open.values()]
  }

  of(kind: Principal['kind']): readonly Connection[] {
    return this.all().filter(({ principal }) => principal.kind === kind)
  }

  /** How many one account, service or runner has open. */
  countOf(principal: Pick<Principal, 'kind' | 'id'>): number {
    return this.#byPrincipal.get(senderKey(principal))?.size ?? 0
  }

  get count(): number {
    return this.#open.size
  }
}
