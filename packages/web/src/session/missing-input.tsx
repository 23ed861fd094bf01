import type { ReactNode } from 'react'
import type { ExactInput } from '../live/use-exact-input.ts'
import { groupDigits } from '../text/amounts.ts'

/** In the place of an input that is too long for its event, until it has come from beside it. */
export function MissingInput({ input, bytes }: { input: ExactInput; bytes: number | undefined }): ReactNode {
  return (
    <p className="quiet" data-more>
      {input.failure === undefined ? `Fetching ${groupDigits(bytes ?? 0)} bytes …` : input.failure}{' '}
      {input.failure !== undefined && (
        <button type="button" className="button" onClick={input.retry}>
          Try again
        </button>
      )}
    </p>
  )
}
