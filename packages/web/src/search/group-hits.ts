import type { SearchHit } from '@hotline/protocol/search'

/** Places of one session or card, in the order in which they were found. */
export interface HitGroup {
  stream: string
  hits: readonly SearchHit[]
}

/** By what they belong to; the group of the best place first. */
export function groupHits(hits: readonly SearchHit[]): readonly HitGroup[] {
  return [...Map.groupBy(hits, ({ stream }) => stream)].map(([stream, of]) => ({ stream, hits: of }))
}

/** A snippet in pieces: what was found, and what stands around it. */
export function markedPieces({ snippet, ranges }: SearchHit): readonly { text: string; isFound: boolean }[] {
  const pieces: { text: string; isFound: boolean }[] = []
  let end = 0
  for (const [from, to] of ranges) {
    pieces.push({ text: snippet.slice(end, from), isFound: false }, { text: snippet.slice(from, to), isFound: true })
    end = to
  }
  return [...pieces, { text: snippet.slice(end), isFound: false }].filter(({ text }) => text !== '')
}
