import { oneLine } from '@hotline/core/one-line'
import { asKnown } from '@hotline/protocol/known-event'
import { inLine, timeOf } from './approval-card.ts'
import type { SessionPrinter } from './session-printer.ts'

/** Prints each event that is news to a person as one line: `12:04:31 Waiting for input: Which port?`. */
export function openShortPrinter(write: (text: string) => void): SessionPrinter {
  return {
    event: (event) => {
      const known = asKnown(event)
      const line = known && oneLine(known)
      if (line !== undefined) write(`${timeOf(event.at)} ${inLine(line)}\n`)
    },
    screen: () => undefined,
    rest: () => undefined,
    end: () => undefined,
  }
}
