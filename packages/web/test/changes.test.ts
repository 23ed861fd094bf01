import type { DraftFile } from '@hotline/protocol/events/draft'
import { describe, expect, it } from 'vitest'
import { choiceOf, choose, chooseAll, type Choices, emptyForm, reviewOf } from '../src/changes/choices.ts'
import { pairLines } from '../src/text/pair-lines.ts'

const file = (path: string, more: Partial<DraftFile> = {}): DraftFile => ({
  path,
  change: 'changed',
  digest: 'a'.repeat(64),
  ...more,
})
const none: Choices = new Map()

describe('what somebody wants to become of files', () => {
  it('[DR2] holds for the file as it was shown: of another one it says nothing', () => {
    const chosen = choose(none, file('a'), 'keep')
    expect(choiceOf(chosen, file('a'))).toBe('keep')
    expect(choiceOf(chosen, file('a', { digest: 'b'.repeat(64) }))).toBeUndefined()
    expect(choiceOf(choose(chosen, file('a'), 'keep'), file('a'))).toBeUndefined()
    expect(choiceOf(choose(chosen, file('a'), 'discard'), file('a'))).toBe('discard')
  })

  it('[DR3] for all at once leaves out what takes a decision of its own', () => {
    const files = [file('a'), file('package.json', { guarded: 'names programs' }), file('b', { ask: 'changed_since' })]
    expect([...chooseAll(files, 'keep').keys()]).toEqual(['a', 'b'])
    expect([...chooseAll(files, 'discard').keys()]).toEqual(['a', 'package.json'])
    const named = choose(chooseAll(files, 'keep'), files[1] ?? file('x'), 'keep')
    const of = { draft: 'd', digest: 'e', files }
    expect(reviewOf(of, { ...emptyForm, choices: named, reason: ' Good. ' })).toEqual({
      draft: 'd',
      digest: 'e',
      keep: ['a', 'package.json', 'b'],
      discard: [],
      guarded: ['package.json'],
      reason: 'Good.',
    })
    expect(reviewOf(of, { ...emptyForm, choices: named, commit: 'All' }).commit).toEqual({ message: 'All' })
    const merged = { ...emptyForm, choices: named, commit: 'All', into: 'main' }
    expect(reviewOf(of, merged).commit).toEqual({ message: 'All', into: 'main' })
    expect(reviewOf(of, { ...emptyForm, commit: 'All', into: 'main' }).commit).toBeUndefined()
    expect(reviewOf(of, { ...emptyForm, reason: ' ' })).toEqual({
      draft: 'd',
      digest: 'e',
      keep: [],
      discard: [],
    })
  })
})

describe('two columns', () => {
  it('put what came beside what went, the first beside the first', () => {
    const mark = (line: Parameters<typeof pairLines>[0][number]['line']) => ({ line, from: 0, to: 0 })
    const removed = (old: number) => mark({ kind: 'removed', text: `-${old}`, old })
    const added = (next: number) => mark({ kind: 'added', text: `+${next}`, next })
    const same = mark({ kind: 'same', text: '=', old: 3, next: 2 })
    const shown = pairLines([removed(1), removed(2), added(1), same, added(3), mark({ kind: 'gap', lines: 4 })])
    const words = shown.map(({ old, next }) =>
      [old, next].map((one) => (one === undefined ? '' : one.line.kind === 'gap' ? '…' : one.line.text)),
    )
    expect(words).toEqual([
      ['-1', '+1'],
      ['-2', ''],
      ['=', '='],
      ['', '+3'],
      ['…', '…'],
    ])
  })
})
