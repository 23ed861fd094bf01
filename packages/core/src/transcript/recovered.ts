import type { EventOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import { oneLine } from '../one-line.ts'
import type { RecoveredItem } from './item.ts'

/** Lines that are kept of one branch; of more, the last. */
const linesKept = 200

/** The branch with one more report of its machine. */
export function addRecovered(item: RecoveredItem, event: EventOf<'report.recovered'>): RecoveredItem {
  const line = recoveredLine(event)
  const lines = line === undefined ? item.lines : [...item.lines, line].slice(-linesKept)
  return { ...item, count: item.count + 1, lines }
}

/** What a recovered report would have said to a person; undefined where that is nothing. */
export function recoveredLine({ body, data, ...envelope }: EventOf<'report.recovered'>): string | undefined {
  const reported = {
    ...envelope,
    type: data.reported,
    data: body?.data ?? {},
    ...(body?.body ? { body: body.body } : {}),
  }
  const known = asKnown(reported)
  return known && oneLine(known)
}
