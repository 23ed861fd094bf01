import { describe, expect, it } from 'vitest'
import { diffLines, foldUnchanged } from '@hotline/core/line-diff'
import { markWords } from '../src/text/word-diff.ts'

const marked = (old: string, now: string): string[] =>
  markWords(foldUnchanged(diffLines(old, now), 3)).map(({ line, from, to }) =>
    line.kind === 'gap'
      ? `… ${line.lines}`
      : `${line.kind} ${line.text.slice(0, from)}[${line.text.slice(from, to)}]${line.text.slice(to)}`,
  )

describe('a change', () => {
  it('[G62] a line in the place of another is marked where it differs, and nowhere else', () => {
    expect(marked('a\nconst next = one\nb\n', 'a\nconst next = two\nb\n')).toEqual([
      'same []a',
      'removed const next = [one]',
      'added const next = [two]',
      'same []b',
    ])
    expect(marked('abc\n', 'xyz\n')).toEqual(['removed []abc', 'added []xyz'])
    expect(marked('one 😀\n', 'one 😁\n')).toEqual(['removed one [😀]', 'added one [😁]'])
    expect(marked('a\nb\n', 'c\n')).toEqual(['removed []a', 'removed []b', 'added []c'])
  })

  it('[U16] the end of a file without a line break is said, and ten thousand lines that did not change are counted', () => {
    expect(marked('a\n', 'a')).toEqual(['removed a[]', 'added a[\n\\ no line break at the end]'])
    const many = 'x\n'.repeat(10_000)
    expect(marked(`${many}a\n`, `${many}b\n`)).toEqual([
      '… 9997',
      'same []x',
      'same []x',
      'same []x',
      'removed []a',
      'added []b',
    ])
  })
})
