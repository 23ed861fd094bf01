import type { AuditKey } from '@hotline/protocol/audit'
import type { Problem } from '@hotline/protocol/error'
import type { z } from 'zod'
import type { AccessLog } from '../access/access-log.ts'
import { storeProblem } from '../access/accounts.ts'
import { actorOf, type Principal } from '../access/principal.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import { type HeadKeys, newHeadKey } from './head-key.ts'

/** The keys of heads for people: which they are, and a new one. */
export class HeadKeyDesk {
  readonly #keys: HeadKeys
  readonly #log: AccessLog
  readonly #clock: Clock

  constructor(keys: HeadKeys, { log, clock }: { log: AccessLog; clock: Clock }) {
    this.#keys = keys
    this.#log = log
    this.#clock = clock
  }

  /** The one that signs now, and those before it, newest first. */
  listed(): z.infer<typeof AuditKey> {
    const { current, changes } = this.#keys
    return {
      key: current.publicText,
      before: changes.map(({ before, at }) => ({ key: before, until: at })).toReversed(),
    }
  }

  /** Puts a new key in its place. It is in the log before it signs anything. */
  async replace(by: Principal): Promise<z.infer<typeof AuditKey> | Problem> {
    const next = newHeadKey()
    const data = { key: next.publicText, before: this.#keys.current.publicText }
    const { channel, address } = by
    const event = { type: 'head_key.replaced', data } as const
    const written = await this.#log.write({ actor: actorOf(by), channel, address, events: [event], rows: [] })
    if (!written.ok) return storeProblem(written)
    this.#keys.replace(next, timestamp(this.#clock))
    return this.listed()
  }
}
