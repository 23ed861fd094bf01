import { fileURLToPath } from 'node:url'
import { findCommand, parseWire, readAll } from '@hotline/testing/log-bench'
import type { GuardedChild } from '@hotline/testing/guarded-child'
import { expect } from 'vitest'
import type { DatabasePlace, Database } from '../src/log/open-database.ts'

/** What the child that is going to be killed has to do. */
export interface CrashOrder {
  place: DatabasePlace
  failpoint: string | undefined
  seed: number
  /** Which child on this database it is; part of the ids of what it writes. */
  life: number
  writers: number
}

export const crashStreams = ['session:a', 'session:b', 'project:c', 'server:main']

const script = fileURLToPath(new URL('./log-crash-child.ts', import.meta.url))

/** How to start it. */
export function crashCommand(order: CrashOrder): { command: string; args: string[] } {
  return { command: process.execPath, args: [script, JSON.stringify(order)] }
}

export interface Acknowledged {
  stream: string
  first: number
  count: number
  id: string
}

export function acknowledgedBy(child: GuardedChild): readonly Acknowledged[] {
  return [...child.stdout.matchAll(/^ack (\S+) (\d+) (\d+) (\S+)$/gm)].map(([, stream, first, count, id]) => ({
    stream: stream ?? '',
    first: Number(first),
    count: Number(count),
    id: id ?? '',
  }))
}

/** Everything that was acknowledged is there once, where it was said to be, and the logs hold. */
export async function expectKept({ store }: Database, acknowledged: readonly Acknowledged[]): Promise<void> {
  const texts = new Map<string, readonly string[]>()
  for (const stream of crashStreams) {
    expect(await store.verify(stream)).toBeUndefined()
    const events = await readAll(store, stream)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1))
    const ids = events.map((event) => parseWire(event).body?.text?.split(' ')[0] ?? '')
    expect(new Set(ids).size).toBe(ids.length)
    texts.set(stream, ids)
  }
  for (const { stream, first, count, id } of acknowledged) {
    const found = texts.get(stream)?.slice(first - 1, first - 1 + count)
    expect(found, `${id} in ${stream}`).toEqual(Array.from({ length: count }, (_, at) => `${id}.${at}`))
    const writer = id.split('.')[1] ?? ''
    expect(await findCommand(store, stream, `person:${writer}`, id)).toMatchObject({ answer: id })
  }
  // What was written and never acknowledged is whole too: an append of several events, a group of several streams.
  for (const [stream, ids] of texts) {
    for (const id of ids) {
      const [life, writer, turn] = id.split('.')
      expect(await findCommand(store, stream, `person:${writer}`, `${life}.${writer}.${turn}`)).toBeDefined()
    }
  }
}
