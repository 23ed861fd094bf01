import { type ReactNode, useState } from 'react'
import { countText } from '../text/amounts.ts'

/** Of a long row of things the first, and a button for as many again: a page that draws all of them stops answering. */
export function useFirst<T>(
  all: readonly T[],
  atOnce: number,
  noun: string,
): { shown: readonly T[]; more: ReactNode | undefined } {
  const [count, setCount] = useState(atOnce)
  const left = all.length - count
  if (left <= 0) return { shown: all, more: undefined }
  const more = (
    <button type="button" className="button plain" data-more onClick={() => setCount(count * 2)}>
      {`Show more (${countText(left, noun)} left)`}
    </button>
  )
  return { shown: all.slice(0, count), more }
}
