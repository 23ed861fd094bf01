import type { ReactNode } from 'react'
import type { ExactInput } from '../live/use-exact-input.ts'
import { ExactText } from '../parts/exact-text.tsx'
import { groupDigits } from '../text/amounts.ts'

/** What will run; where it is too long for its event it comes from beside it. */
export function RequestInput({ input, bytes }: { input: ExactInput; bytes: number | undefined }): ReactNode {
  if (input.text !== undefined) return <ExactText text={input.text} />
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
