import { setImmediate as nextTurn } from 'node:timers/promises'
import { limits } from '@hotline/protocol/limits'
import { outputTypes } from '@hotline/protocol/output-types'
import { asKnown } from '@hotline/protocol/known-event'
import type { LogStore, StoredEvent } from '../log/log-store.ts'
import { readEvent } from '../log/read-event.ts'

const types: ReadonlySet<string> = outputTypes
/** Pieces, and what makes them needless. */
const wholeOf = new Map([
  ['message.completed', 'message.delta'],
  ['thought.completed', 'thought.delta'],
])
const pieces: ReadonlySet<string> = new Set(wholeOf.values())

/**
 * Where output is in a stream, up to a position, page by page: what programs and tools said, and the pieces of what agents said
 * where the whole is there. Of what was broken off the pieces are all there is: they stay.
 */
export async function* outputSeqs(
  store: Pick<LogStore, 'read'>,
  stream: string,
  upTo: number,
): AsyncGenerator<readonly number[], void, undefined> {
  const open = new Map<string, number[]>()
  for (let after = 0; ;) {
    const page = await store.read(stream, { after, upTo, limit: limits.pageEvents, maxBytes: limits.pageBytes })
    const found: number[] = []
    for (const stored of page) {
      const { seq, type, subject = '' } = stored
      if (isOutput(stored)) found.push(seq)
      const of = `${wholeOf.get(type) ?? type} ${subject}`
      if (pieces.has(type)) {
        const seqs = open.get(of)
        if (seqs) seqs.push(seq)
        else open.set(of, [seq])
      } else if (wholeOf.has(type)) {
        found.push(...(open.get(of) ?? []))
        open.delete(of)
      }
    }
    if (found.length > 0) yield found
    const last = page.at(-1)
    if (last === undefined) return
    after = last.seq
    await nextTurn()
  }
}

/** What programs and tools said, by whomever it was told. */
export function isOutput(stored: StoredEvent): boolean {
  return types.has(stored.type) || isRecovered(stored)
}

/** Output that a former runner of the session told afterwards. */
function isRecovered(stored: StoredEvent): boolean {
  const known = stored.type === 'report.recovered' ? asKnown(readEvent(stored)) : undefined
  return known?.type === 'report.recovered' && types.has(known.data.reported)
}
