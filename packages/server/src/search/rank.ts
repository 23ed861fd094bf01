import type { SearchKind } from '@hotline/protocol/search'
import type { FoundPiece } from './search-index.ts'
import { matchesOf, type Terms } from './terms.ts'
import { tokensOf } from './tokens.ts'

/** A piece with how well it fits and where. */
export interface Ranked {
  piece: FoundPiece
  /** A whole number; more is better. */
  score: number
  /** From and to in its text, in order and apart. */
  ranges: readonly (readonly [number, number])[]
}

/** What people and agents say counts for more than what programs print. */
const weights: Readonly<Record<SearchKind, number>> = {
  message: 1,
  session: 1,
  task: 1,
  question: 1,
  approval: 0.9,
  note: 0.9,
  step: 0.7,
  thought: 0.6,
  output: 0.5,
}

/** The constants of BM25: how soon more of the same counts for nothing, and how much a long text takes away. */
const saturation = 1.2
const lengthShare = 0.75
/** Words of a usual piece. */
const usualWords = 100
const scoreUnit = 1_000_000

/**
 * The best first; of those alike the newest. BM25 in which every word is as rare as every other: a score then depends on
 * the piece and on what was asked alone, so that pages go on where they were while more is said.
 */
export function ranked(pieces: readonly FoundPiece[], terms: Terms): readonly Ranked[] {
  return pieces
    .map((piece) => rank(piece, terms))
    .toSorted((one, other) => other.score - one.score || other.piece.id - one.piece.id)
}

function rank(piece: FoundPiece, terms: Terms): Ranked {
  const tokens = tokensOf(piece.text)
  const found = terms.all.map((term) => matchesOf(term, tokens))
  const room = saturation * (1 - lengthShare + (lengthShare * tokens.length) / usualWords)
  const sum = found.reduce((all, { length }) => all + length / (length + room), 0)
  return { piece, score: Math.round(sum * weights[piece.kind] * scoreUnit), ranges: apart(found.flat()) }
}

function apart(ranges: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  const merged: [number, number][] = []
  for (const [from, to] of ranges.toSorted((one, other) => one[0] - other[0])) {
    const last = merged.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}
