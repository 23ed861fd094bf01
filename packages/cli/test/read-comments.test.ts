import { expect, test } from 'vitest'
import { readComments } from '../src/read-comments.ts'

test('[DR5] comments are typed as a compiler writes them, and quote the line that was shown', () => {
  const changes = [{ path: 'src/a.ts', oldText: 'x\n', newText: 'one\n  two\n' }]
  expect(readComments(['src/a.ts:2: Why two?', 'b c:d.ts:10:x\ny'], changes)).toEqual([
    { path: 'src/a.ts', side: 'new', line: 2, quote: '  two', text: 'Why two?' },
    { path: 'b c:d.ts', side: 'new', line: 10, quote: '', text: 'x\ny' },
  ])
  for (const wrong of ['src/a.ts', 'src/a.ts:2', 'src/a.ts:2: ', 'src/a.ts:0: no', ':2: no']) {
    expect(() => readComments([wrong], changes)).toThrow('path:line: text')
  }
})
