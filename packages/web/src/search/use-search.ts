import type { Problem } from '@hotline/protocol/error'
import type { SearchHit, SearchPage } from '@hotline/protocol/search'
import { useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { requestOf, type SearchAddress } from './search-address.ts'

/** What was found so far, and how it stands. */
export interface SearchPicture {
  /** Undefined until there is a first answer. */
  hits: readonly SearchHit[] | undefined
  next: string | null
  /** The index is still being made: there may be more. */
  isMaking: boolean
  problem: Problem | undefined
  busy: boolean
  more: () => void
  again: () => void
}

type Found = Pick<SearchPicture, 'next' | 'isMaking'> & { hits: readonly SearchHit[] }

/** The pages of one search; of another one where it is mounted anew. */
export function useSearchPages(address: SearchAddress): SearchPicture {
  const { link } = useLive()
  const [found, setFound] = useState<Found>()
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(true)
  // Another object is another request, also for the same page.
  const [wanted, setWanted] = useState<{ request: string | undefined; isFirst: boolean }>(() => ({
    request: requestOf(address, null),
    isFirst: true,
  }))
  useEffect(() => {
    if (wanted.request === undefined) return undefined
    let isWanted = true
    void link.request<SearchPage>('GET', wanted.request).then((answer) => {
      if (!isWanted) return
      setBusy(false)
      setProblem(answer.ok ? undefined : answer.problem)
      if (!answer.ok) return
      const { hits, next, indexedTo } = answer.value
      setFound((had) => ({
        hits: wanted.isFirst ? hits : [...(had?.hits ?? []), ...hits],
        next,
        isMaking: indexedTo === null,
      }))
    })
    return () => {
      isWanted = false
    }
  }, [link, wanted])
  const ask = (next: typeof wanted): void => {
    setBusy(true)
    setWanted(next)
  }
  return {
    hits: found?.hits,
    next: found?.next ?? null,
    isMaking: found?.isMaking ?? false,
    problem,
    busy,
    more: () => ask({ request: requestOf(address, found?.next ?? null), isFirst: false }),
    again: () => ask({ ...wanted }),
  }
}
