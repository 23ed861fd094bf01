import { describe, expect, it } from 'vitest'
import { plainText } from '../src/plain-text.ts'

describe('text for a terminal', () => {
  it('[T23] holds no control character but the newline, whatever came in', () => {
    const all = Array.from({ length: 0xa0 }, (_, code) => String.fromCodePoint(code)).join('')
    const strange = `${all}\u202e\u200b\u2028\u00ad\ud800\u001b[8mhidden\u001b]52;c;AAAA\u0007`
    // oxlint-disable-next-line no-control-regex
    expect(plainText(strange)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202e\u2028\u00ad\ud800]/)
    expect(plainText('rm -rf /\rls')).toBe('rm -rf /\\u{d}ls')
  })

  it('[T23] leaves ordinary text alone, and takes the line ends of a terminal as line ends', () => {
    expect(plainText('größer 你好 🎉\r\nnext')).toBe('größer 你好 🎉\nnext')
  })
})
