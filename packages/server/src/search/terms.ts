import { type Token, tokensOf } from './tokens.ts'

/** One thing to find: words that follow each other; with `isBegun` the last one may go on. */
export interface Term {
  words: readonly string[]
  isBegun: boolean
}

/** What a person looks for: all of the first, none of the second. */
export interface Terms {
  all: readonly Term[]
  none: readonly Term[]
}

/** A phrase in quotes, whose last quote may be missing, or what stands between spaces; either with a minus before it. */
const parts = /(?<not>-?)(?:"(?<phrase>[^"]*)"?|(?<word>[^\s"]+))(?<star>\*?)/gu

/** Reads what was typed. There is no wrong way to write it: what means nothing is left out. */
export function termsOf(text: string): Terms {
  const all: Term[] = []
  const none: Term[] = []
  for (const { groups } of text.matchAll(parts)) {
    const { not, phrase, word, star } = groups ?? {}
    const term = termOf(phrase ?? word ?? '', star === '*' || word?.endsWith('*') === true)
    if (term !== undefined) (not === '-' ? none : all).push(term)
  }
  return { all, none }
}

/** Of a run without spaces its pairs alone say all; a single sign is the beginning of a pair. */
function termOf(text: string, isBegun: boolean): Term | undefined {
  const tokens = tokensOf(text)
  const last = tokens.at(-1)
  if (last === undefined) return undefined
  const words = tokens.map(({ word }) => word)
  if (!last.isTail) return { words, isBegun }
  const isPair = tokens.at(-2)?.end === last.end
  return isPair ? { words: words.slice(0, -1), isBegun: false } : { words, isBegun: true }
}

/** From where to where a term is found in the text that these tokens are of, in order. */
export function matchesOf(term: Term, tokens: readonly Token[]): readonly (readonly [number, number])[] {
  const found: (readonly [number, number])[] = []
  for (let at = 0; at + term.words.length <= tokens.length; at += 1) {
    if (!isAt(term, tokens, at)) continue
    const first = tokens[at]
    const last = tokens[at + term.words.length - 1]
    if (first && last) found.push([first.start, last.end])
  }
  return found
}

function isAt({ words, isBegun }: Term, tokens: readonly Token[], at: number): boolean {
  return words.every((word, place) => {
    const there = tokens[at + place]?.word
    const mayGoOn = isBegun && place === words.length - 1
    return mayGoOn ? there?.startsWith(word) === true : there === word
  })
}
