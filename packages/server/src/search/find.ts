import { type FoundPiece, type IndexQuery, type SearchIndex } from './search-index.ts'
import { type Ranked, ranked } from './rank.ts'
import { type Snippet, snippetOf } from './snippet.ts'

/** Where a page ended: the newest piece of the block that it is in, and the last one of it that was given. */
export interface SearchPosition {
  upTo: number
  last?: { score: number; id: number } | undefined
}

/** A place that was found. */
export interface Found extends Snippet {
  piece: FoundPiece
}

/** What was found, the best of a block first, and where the next page goes on; undefined at the end. */
export interface FoundPage {
  found: readonly Found[]
  next: SearchPosition | undefined
}

/** So many of the newest are ranked with each other; then come those before them. It bounds what a search costs. */
const blockPieces = 256

/** One page. It holds fewer than `limit` at the end of a block. */
export async function findPage(
  index: Pick<SearchIndex, 'find'>,
  query: Omit<IndexQuery, 'upTo' | 'limit'>,
  position: SearchPosition | undefined,
  limit: number,
): Promise<FoundPage> {
  const block = await index.find({ ...query, upTo: position?.upTo, limit: blockPieces })
  const newest = block[0]
  const oldest = block.at(-1)
  if (!newest || !oldest) return { found: [], next: undefined }
  const all = ranked(block, query.terms)
  const rest = position?.last ? all.filter((one) => isAfter(one, position.last)) : all
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  const found = page.map(({ piece, ranges }) => ({ piece, ...snippetOf(piece.text, ranges) }))
  if (last && rest.length > limit) {
    const { score, piece } = last
    return { found, next: { upTo: position?.upTo ?? newest.id, last: { score, id: piece.id } } }
  }
  return { found, next: block.length === blockPieces ? { upTo: oldest.id - 1 } : undefined }
}

function isAfter({ score, piece }: Ranked, last: SearchPosition['last']): boolean {
  return last === undefined || score < last.score || (score === last.score && piece.id < last.id)
}
