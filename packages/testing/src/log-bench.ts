import type { Lists } from '@hotline/server/log/lists'
import type {
  Append,
  Appended,
  AppendResult,
  KnownCommand,
  LogStore,
  NewEvent,
  StoredEvent,
} from '@hotline/server/log/log-store'
import type { Ids } from '@hotline/server/machine/ids'
import { expect } from 'vitest'
import type { SeededRandom } from './seed.ts'

/** A log store under test, with what a test needs to look behind it. Disposing closes it and removes what it kept. */
export interface LogBench extends AsyncDisposable {
  readonly store: LogStore
  readonly lists: Lists
  /** Closes the store and opens it again on what it left; `store` and `lists` are new then. */
  reopen(): Promise<void>
  /** Runs SQL with $1, $2, … behind the store's back. */
  sql(text: string, ...parameters: (string | number | Uint8Array | null)[]): Promise<readonly Record<string, unknown>[]>
  /** Puts an event elsewhere behind the store's back. */
  moveEvent(from: EventPlace, to: EventPlace): Promise<void>
}

/** Where an event lies. */
export interface EventPlace {
  stream: string
  seq: number
}

export interface LogBenchOptions {
  ids?: Ids
}

/** Opens an empty store for one test. */
export type OpenLogBench = (options?: LogBenchOptions) => Promise<LogBench>

const someTime = '2026-01-02T03:04:05.678Z'

/** An event like those of a running agent; `text` becomes its body. */
export function agentEvent(text: string, subject?: string): NewEvent {
  return {
    v: 1,
    at: someTime,
    type: 'output.appended',
    subject,
    actor: { kind: 'agent', id: 'agent-1' },
    data: { block: 'b1' },
    body: { text },
  }
}

/** An event without a body. */
export function bareEvent(data: object): NewEvent {
  return { v: 1, at: someTime, type: 'turn.started', actor: { kind: 'system', id: 'server' }, data }
}

/** Appends to one stream, whatever its head. */
export function freely(stream: string, ...events: NewEvent[]): Append {
  return { stream, expect: 'any', events }
}

/** The result of an append that must work. */
export function accepted(result: AppendResult): readonly Appended[] {
  expect(result).toMatchObject({ ok: true })
  return result.ok ? result.appended : []
}

/** The whole stream, read in pages. */
export async function readAll(store: LogStore, stream: string): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = []
  for (;;) {
    const page = await store.read(stream, { after: events.at(-1)?.seq ?? 0, limit: 500, maxBytes: 256 * 1024 })
    if (page.length === 0) return events
    events.push(...page)
  }
}

/** What is remembered of one command. */
export async function findCommand(
  store: LogStore,
  stream: string,
  principal: string,
  id: string,
): Promise<KnownCommand | undefined> {
  const [found] = await store.findCommands(stream, [{ principal, id }])
  return found
}

/** What goes over the wire, as text and parsed. */
export function wireText(event: StoredEvent): string {
  return Buffer.from(event.bytes).toString('utf8')
}

export function parseWire(event: StoredEvent): { body?: { text?: string }; hash: string; [member: string]: unknown } {
  return JSON.parse(wireText(event)) as { hash: string }
}

/** Ids, epochs and salts that come from a seed, so that two stores can be compared byte by byte. */
export function seededIds(random: SeededRandom): Ids {
  return {
    uuid: () => random.bytes(16).toString('hex'),
    epoch: () => random.bytes(4).toString('hex'),
    salt: () => random.bytes(16),
  }
}
