import { parseCommand } from '@hotline/protocol/command'
import { splitStream } from '@hotline/protocol/stream'
import type { WebhookDelivery } from '@hotline/protocol/webhooks'
import type { Bus } from '../../log/bus.ts'
import type { Lists } from '../../log/lists.ts'
import type { LogStore } from '../../log/log-store.ts'
import { readEvent } from '../../log/read-event.ts'
import { walkStreams } from '../../log/walk-streams.ts'
import { timestamp } from '../../machine/clock.ts'
import type { Ids } from '../../machine/ids.ts'
import type { OutsidePosted } from '../../machine/post-outside.ts'
import { systemPrincipal } from '../../scheduler/approval-timer.ts'
import type { Exchange } from '../../session/exchange.ts'
import { HookBook } from './hook-book.ts'
import { HookLine } from './hook-line.ts'
import { bookKey, deliveryId, type Hook, type HookPostPorts, postEvent, postHook } from './hook-post.ts'

/** What the webhooks of all projects need. */
export interface HooksPorts extends HookPostPorts {
  exchange: Exchange
  store: LogStore
  lists: Lists
  bus: Bus
  ids: Ids
  fault: (error: unknown) => void
}

const lettersMax = 500
/** After a failure to read the log. */
const againMs = 5_000

/**
 * Follows the log for the webhooks of all projects. What is new is only noted when it is heard; which webhooks there are is read again
 * before it, so that none misses what came right after it was added.
 */
export class Hooks implements AsyncDisposable {
  readonly #ports: HooksPorts
  readonly #book: HookBook
  readonly #lines = new Map<string, { hook: Hook; line: HookLine }>()
  readonly #moved = new Set<string>()
  /** Projects whose webhooks have changed. */
  readonly #changed = new Set<string>()
  readonly #closing = new AbortController()
  #hasFailed = false
  #cancel: (() => void) | undefined
  readonly #leave: () => void
  #isWalked = false
  #work: Promise<void> | undefined

  constructor(ports: HooksPorts) {
    this.#ports = ports
    this.#book = new HookBook(ports)
    this.#leave = ports.bus.subscribe(({ stream, events }) => {
      const { kind, id } = splitStream(stream)
      if (kind === 'project' && events.some(({ type }) => type.startsWith('webhook.'))) this.#changed.add(id)
      this.#moved.add(stream)
      this.#begin()
    })
    this.#begin()
  }

  /** What has not arrived, of one webhook. */
  async deliveries(hook: Hook): Promise<readonly WebhookDelivery[]> {
    const { webhook } = hook
    const waiting = (await this.#book.cursors(bookKey(hook))).flatMap(({ stream, next_seq, tries, due_at, why }) =>
      due_at === null
        ? []
        : [{ ...named(webhook, stream, next_seq), state: 'waiting' as const, tries, why: why ?? '', dueAt: due_at }],
    )
    const dead = (await this.#book.letters(bookKey(hook), lettersMax)).map(({ stream, seq, tries, why }) => ({
      ...named(webhook, stream, seq),
      state: 'dead' as const,
      tries,
      why,
    }))
    return [...waiting, ...dead]
  }

  /** Posts once more what was given up; undefined where there is no such. */
  async replay(hook: Hook, id: string, signal: AbortSignal): Promise<OutsidePosted | undefined> {
    const letters = await this.#book.letters(bookKey(hook), lettersMax)
    const letter = letters.find(({ stream, seq }) => deliveryId(hook.webhook, stream, seq) === id)
    const [stored] = letter ? await this.#ports.store.readAt(letter.stream, [letter.seq]) : []
    if (!letter || !stored) return undefined
    const posted = await postEvent(hook, readEvent(stored), this.#ports, signal)
    if (posted === 'taken') await this.#book.drop(letter)
    return posted
  }

  /** Posts something that did not happen, to see whether it arrives. */
  test(hook: Hook, signal: AbortSignal): Promise<OutsidePosted> {
    const { clock, ids } = this.#ports
    const { project, webhook } = hook
    const sample = {
      id: `${webhook}.test.${ids.uuid()}`,
      type: 'webhook.test',
      at: timestamp(clock),
      data: { project },
    }
    return postHook(hook, sample, this.#ports, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave()
    this.#closing.abort()
    this.#cancel?.()
    await this.#work
    for (const { line } of this.#lines.values()) await line[Symbol.asyncDispose]()
  }

  #begin(): void {
    if (this.#closing.signal.aborted || this.#cancel) return
    this.#work ??= this.#round().finally(() => {
      this.#work = undefined
      if (this.#hasFailed) this.#beginLater()
      else if (this.#moved.size > 0) this.#begin()
    })
  }

  /** What failed is tried again by the clock, so that a log that cannot be read keeps nobody busy. */
  #beginLater(): void {
    if (this.#closing.signal.aborted) return
    this.#cancel = this.#ports.clock.after(againMs, () => {
      this.#cancel = undefined
      this.#begin()
    })
  }

  /** Never rejects: what failed stays to be done. */
  async #round(): Promise<void> {
    this.#hasFailed = false
    if (!this.#isWalked) await this.#try(() => this.#walk())
    const moved = [...this.#moved]
    this.#moved.clear()
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const project of changed) {
      if (!(await this.#try(() => this.#readProject(project, 'changed')))) this.#changed.add(project)
    }
    if (this.#lines.size === 0) return
    for (const stream of moved) if (!(await this.#try(() => this.#tell(stream)))) this.#moved.add(stream)
  }

  async #try(work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      this.#ports.fault(error)
      this.#hasFailed = true
      return false
    }
  }

  /** Everything that was there before the start. */
  async #walk(): Promise<void> {
    for (const { project } of await this.#ports.lists.projects()) {
      if (!(await this.#try(() => this.#readProject(project, 'first')))) this.#changed.add(project)
    }
    if (this.#lines.size > 0) await this.#tellAll()
    this.#isWalked = true
  }

  async #tellAll(): Promise<void> {
    for await (const stream of walkStreams(this.#ports.store)) {
      if (!(await this.#try(() => this.#tell(stream)))) this.#moved.add(stream)
    }
  }

  /** Those that are as they were go on; of the others everything is looked at, also what came while they were off. */
  async #readProject(project: string, when: 'first' | 'changed'): Promise<void> {
    const state = (await this.#ports.exchange.snapshot(`project:${project}`))?.state
    const webhooks = state?.kind === 'project' ? (state.webhooks ?? {}) : {}
    const wanted = new Map(
      Object.entries(webhooks)
        .filter(([, one]) => one.enabled)
        .map(([webhook, one]): [string, Hook] => [bookKey({ project, webhook }), { ...one, project, webhook }]),
    )
    for (const [key, { hook, line }] of this.#lines) {
      if (hook.project !== project) continue
      if (JSON.stringify(wanted.get(key)) === JSON.stringify(hook)) {
        wanted.delete(key)
        continue
      }
      this.#lines.delete(key)
      await line[Symbol.asyncDispose]()
      if (!Object.hasOwn(webhooks, hook.webhook)) await this.#book.forget(key)
    }
    for (const [key, hook] of wanted) {
      const line = new HookLine({ ...this.#ports, hook, book: this.#book, gone: () => this.#disable(hook) })
      this.#lines.set(key, { hook, line })
    }
    if (wanted.size > 0 && when === 'changed') await this.#tellAll()
  }

  async #tell(stream: string): Promise<void> {
    const { kind } = splitStream(stream)
    if (kind !== 'session' && kind !== 'task' && kind !== 'project') return
    const project = await this.#ports.exchange.projectOf(stream)
    for (const { hook, line } of this.#lines.values()) if (hook.project === project) line.look(stream)
  }

  async #disable({ project, webhook }: Hook): Promise<void> {
    const id = this.#ports.ids.uuid()
    const parsed = parseCommand({ id, stream: `project:${project}`, type: 'webhook.disable', data: { webhook } })
    if ('command' in parsed) await this.#ports.exchange.command(systemPrincipal, parsed.command)
  }
}

function named(webhook: string, stream: string, seq: number): Pick<WebhookDelivery, 'id' | 'stream' | 'seq'> {
  return { id: deliveryId(webhook, stream, seq), stream, seq }
}
