import { describe, expect, it } from 'vitest'
import { snippetOf } from '../../src/search/snippet.ts'
import { stripTerminal } from '../../src/search/strip-terminal.ts'
import { matchesOf, termsOf } from '../../src/search/terms.ts'
import { tokensOf } from '../../src/search/tokens.ts'

/** Where a pattern went back over what it has read, these would take hours. */
const long = 2_000_000

describe('hostile text', () => {
  it('[SE2] is read once, whatever it is made of', () => {
    for (const part of ['\u001b]', '\u001b]a;', '\u001b[1;', '\u009b', '\u001b(', '\u001b\u001b', '\u0007']) {
      expect(stripTerminal(part.repeat(long / part.length)).length).toBeLessThanOrEqual(long)
    }
    for (const part of ['a', '門', '́', '"', '-"', 'a门', '👩‍', '🇩', 'ﷺ', '\ud800', 'ก็']) {
      const text = part.repeat(long / 10 / part.length)
      expect(tokensOf(text).length).toBeLessThanOrEqual(text.length)
      expect(termsOf(text).all.length).toBeLessThanOrEqual(text.length)
    }
  })

  it('[SE1] is without colours, titles and movements of a terminal', () => {
    expect(
      stripTerminal(
        '\u001b[1;31mred\u001b[0m \u001b]0;title\u0007plain\u001b]8;;http://x\u001b\\link\u001b(B \u009b2Kend',
      ),
    ).toBe('red plainlink end')
  })

  it('[SE6] is cut to a snippet with places in it, and moves nothing on a screen', () => {
    const text = `${'before '.repeat(40)}the\u001b[2J needle\r\n${'after '.repeat(60)}needle`
    const [term] = termsOf('needle').all
    const { snippet, ranges } = snippetOf(text, term ? matchesOf(term, tokensOf(text)) : [])
    expect(snippet).toMatch(/^…before .*…$/u)
    expect(snippet).not.toMatch(/\p{Cc}/u)
    expect(ranges.map(([from, to]) => snippet.slice(from, to))).toEqual(['needle'])
    expect(snippet.length).toBeLessThan(250)
  })
})
