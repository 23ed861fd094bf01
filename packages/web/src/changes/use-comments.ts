import type { LineComment } from '@hotline/core/draft/line-comments'
import { useEffect, useState } from 'react'

/** Comments that are not sent yet: they survive that the page is loaded anew, in this tab. */
export function useComments(session: string): [readonly LineComment[], (comments: readonly LineComment[]) => void] {
  const kept = `hotline-comments:${session}`
  const [comments, setComments] = useState<readonly LineComment[]>(() => read(sessionStorage.getItem(kept)))
  useEffect(() => {
    if (comments.length === 0) sessionStorage.removeItem(kept)
    else sessionStorage.setItem(kept, JSON.stringify(comments))
  }, [kept, comments])
  return [comments, setComments]
}

function read(text: string | null): readonly LineComment[] {
  try {
    const kept: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(kept) ? kept.filter(isComment) : []
  } catch {
    // Somebody else wrote there: nothing was said.
    return []
  }
}

function isComment(value: unknown): value is LineComment {
  if (typeof value !== 'object' || value === null) return false
  const { path, side, line, quote, text } = value as Record<string, unknown>
  return (
    [path, quote, text].every((one) => typeof one === 'string') &&
    typeof line === 'number' &&
    /^(old|new)$/.test(String(side))
  )
}
