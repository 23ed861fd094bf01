import { describe, expect, it } from 'vitest'
import { type Block, type Reading, readBlocks } from '../src/markdown/blocks.ts'
import { plainText, readInline, type Span } from '../src/markdown/inline.ts'
import { findAddresses, readAddress } from '../src/text/address.ts'
import { legibleName, readLegibly } from '../src/text/legible.ts'

const whole = (text: string): readonly Block[] => readBlocks(text, 'whole').blocks
const paragraph = (text: string): Block => ({ kind: 'paragraph', text })

/** Every span, those inside of others too. */
function* walk(spans: readonly Span[]): Generator<Span> {
  for (const span of spans) {
    yield span
    if ('spans' in span) yield* walk(span.spans)
  }
}

describe('blocks', () => {
  it('[G60] headings, lists, tasks, tables, quotes, rules and code are read, and HTML stays text', () => {
    expect(whole('# Head\n\ntext\nmore')).toEqual([
      { kind: 'heading', depth: 1, text: 'Head' },
      paragraph('text\nmore'),
    ])
    expect(whole('3. c\n4. d')).toMatchObject([{ kind: 'list', ordered: true, start: 3 }])
    expect(whole('- a\n  - [x] b\n  - [ ] c')).toEqual([
      {
        kind: 'list',
        ordered: false,
        start: 1,
        items: [
          {
            blocks: [
              paragraph('a'),
              {
                kind: 'list',
                ordered: false,
                start: 1,
                items: [
                  { done: true, blocks: [paragraph('b')] },
                  { done: false, blocks: [paragraph('c')] },
                ],
              },
            ],
          },
        ],
      },
    ])
    expect(whole('|a|b|\n|-|-:|\n|x\\|y|z|')).toEqual([
      { kind: 'table', align: [null, 'right'], head: ['a', 'b'], rows: [['x|y', 'z']] },
    ])
    expect(whole('> said\n\n---\n\n~~~ts title\ncode\n~~~')).toEqual([
      { kind: 'quote', blocks: [paragraph('said')] },
      { kind: 'rule' },
      { kind: 'code', language: 'ts', text: 'code', open: false },
    ])
    expect(whole('<script>alert(1)</script>')).toEqual([{ kind: 'plain', text: '<script>alert(1)</script>' }])
    expect(whole('<div onclick="x">\n**no**\n</div>')).toEqual([
      { kind: 'plain', text: '<div onclick="x">\n**no**\n</div>' },
    ])
  })

  it('[G61] a text that grows keeps every block but the last as the same object, and ends as if it had come at once', () => {
    const text = Array.from({ length: 400 }, (_, at) =>
      at % 7 === 0 ? '' : at % 31 === 0 ? '```ts' : at % 31 === 5 ? '```' : `line ${at} with **bold** and \`code\``,
    ).join('\n')
    let reading: Reading | undefined
    for (let end = 13; end < text.length; end += 13) {
      const next = readBlocks(text.slice(0, end), 'streaming', reading)
      const kept = reading?.blocks.slice(0, reading.settled.blocks) ?? []
      for (const [at, block] of kept.entries()) expect(next.blocks[at]).toBe(block)
      reading = next
    }
    const last = readBlocks(text, 'whole', reading)
    expect(last.blocks).toEqual(whole(text))
    expect(last.settled.blocks).toBeGreaterThan(40)
  })

  it.each([
    ['a **bo', 'a **bo**'],
    ['a **', 'a '],
    ['a *x', 'a *x*'],
    ['a [label](https://exa', 'a label'],
    ['a ![alt](https://exa', 'a alt'],
    ['x `co', 'x `co`'],
    ['x `', 'x '],
    ['x ~~y', 'x ~~y~~'],
    ['words\n-', 'words'],
    ['words\n==', 'words'],
    ['words\n1.', 'words'],
  ])('[G61] half a mark at the end is not shown and taken back: %j', (text, shown) => {
    expect(readBlocks(text, 'streaming').blocks).toEqual([paragraph(shown)])
  })

  it('[G61] the head of a table is drawn as one from its first letter; nothing is changed inside of code', () => {
    for (const text of ['| a | b', '| a | b |', '| a | b |\n|--', '| a | b |\n|---|---|']) {
      expect(readBlocks(text, 'streaming').blocks).toMatchObject([{ kind: 'table', head: ['a', 'b'], rows: [] }])
    }
    expect(readBlocks('```js\nconst a = `x', 'streaming').blocks).toEqual([
      { kind: 'code', language: 'js', text: 'const a = `x', open: true },
    ])
  })

  // Each was, with some reader of Markdown, a page that stopped answering; the test's own time-out is the bound.
  it.each<[string, string]>([
    ['marks of emphasis', '*_*_a '.repeat(8_000)],
    ['a word before @', `${'a'.repeat(50_000)}@`],
    ['opened brackets', '['.repeat(50_000)],
    ['nested links', '['.repeat(300) + 'a' + '](https://a.b)'.repeat(300)],
    ['opened links', '[a]('.repeat(12_500)],
    ['nested quotes', '>'.repeat(50_000)],
    ['nested quotes, line by line', Array.from({ length: 1_000 }, (_, at) => `${'> '.repeat(at % 200)}x`).join('\n')],
    ['nested lists', Array.from({ length: 100 }, (_, at) => `${' '.repeat(2 * at)}- x`).join('\n')],
    ['a list in a list in one line', `${'- '.repeat(25_000)}a`],
    ['a large table', `|a|b|c|\n|-|-|-|\n${'|x|y **b**|z|\n'.repeat(10_000)}`],
    ['a large block of code', `\`\`\`\n${'abc def\n'.repeat(125_000)}`],
    ['backticks of all lengths', Array.from({ length: 300 }, (_, at) => `${'`'.repeat(at)} a`).join('')],
    ['elements', '<a '.repeat(16_000)],
    ['comments', '<!--'.repeat(12_000)],
    ['entities', '&a;'.repeat(16_000)],
  ])('[U12] %s are read in a bounded time', (_, text) => {
    let spans = 0
    const go = (blocks: readonly Block[]): void => {
      for (const block of blocks) {
        if (block.kind === 'paragraph' || block.kind === 'heading') spans += readInline(block.text).length
        else if (block.kind === 'quote') go(block.blocks)
        else if (block.kind === 'list') for (const item of block.items) go(item.blocks)
        else if (block.kind === 'table')
          spans += block.rows.flatMap((row) => row.map((cell) => readInline(cell))).length
        else spans += 1
      }
    }
    go(readBlocks(text, 'streaming').blocks)
    go(readBlocks(text, 'whole').blocks)
    expect(spans).toBeGreaterThan(0)
  })
})

describe('the inside of a paragraph', () => {
  it('[G60] emphasis, code, links, entities and escapes are read, and what only looks like them is left', () => {
    const kinds = (text: string): string =>
      readInline(text)
        .map(({ kind }) => kind)
        .join(' ')
    expect(kinds('a **b** *c* _d_ ~~e~~ `f`')).toBe('text strong text em text em text strike text code')
    expect(readInline('snake_case_name 2 * 3 * 4')).toEqual([{ kind: 'text', text: 'snake_case_name 2 * 3 * 4' }])
    expect(readInline('***both***')).toMatchObject([{ kind: 'em', spans: [{ kind: 'strong' }] }])
    expect(readInline('\\*a\\* &amp; &#60;b>')).toEqual([{ kind: 'text', text: '*a* & <b>' }])
    expect(readInline('a<br>b')).toMatchObject([{ kind: 'text' }, { kind: 'break' }, { kind: 'text' }])
    expect(readInline('[a][one]', new Map([['one', 'https://a.b/']]))).toMatchObject([
      { kind: 'link', address: { href: 'https://a.b/' } },
    ])
  })

  it('[U09] a link that reads like another address says where it leads', () => {
    const [link] = readInline('[https://good.example](https://evil.example/x)')
    expect(link).toMatchObject({ kind: 'link', address: { where: 'evil.example' }, honest: false })
    expect(readInline('https://a.example/b.')[0]).toMatchObject({
      address: { href: 'https://a.example/b' },
      honest: true,
    })
    expect(readInline('[https://a.example@evil.example](https://a.example@evil.example)')[0]).toMatchObject({
      address: { where: 'evil.example' },
      honest: false,
    })
    expect(readAddress('mailto:a@b.example?body=pay')).toEqual({ href: 'mailto:a@b.example', where: 'a@b.example' })
  })

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    'java\tscript:alert(1)',
    '&#106;avascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:msgbox(1)',
    'file:///etc/passwd',
    'vscode://file/x',
    'ssh://-oProxyCommand=x',
    'blob:null/y',
    '//evil.example/x',
    '/api/sessions',
    '#here',
  ])('[U10] nothing leads to %s', (target) => {
    for (const text of [`[x](${target})`, `[x](<${target}>)`, `![x](${target})`, `<${target}>`]) {
      const targets = [...walk(readInline(text))].flatMap((span) =>
        'address' in span && span.address ? [span.address.href] : [],
      )
      expect(targets).toEqual([])
    }
    expect(findAddresses(target).every((part) => typeof part === 'string')).toBe(true)
  })

  it('[U11] an image is words and an address, never more', () => {
    expect(readInline('![alt](https://evil.example/?q=SECRET)')).toEqual([
      {
        kind: 'image',
        alt: 'alt',
        address: { href: 'https://evil.example/?q=SECRET', where: 'evil.example' },
      },
    ])
    expect(readInline('[![alt](https://evil.example/i)](https://evil.example/o)')).toMatchObject([
      { kind: 'link', address: { href: 'https://evil.example/o' }, spans: [{ kind: 'text', text: 'image: alt' }] },
    ])
    expect(plainText(readInline('<img src="https://evil.example/x.png">'))).toContain('<img src="')
  })
})

describe('words of others', () => {
  it('[U06] what a terminal obeys, and what turns words around, is a code point wherever it stands', () => {
    expect(readLegibly('a\u001b[8mb\u009bc\u202ed', 'prose')).toEqual([
      'a',
      { odd: 'U+001B' },
      '[8mb',
      { odd: 'U+009B' },
      'c',
      { odd: 'U+202E' },
      'd',
    ])
    expect(readLegibly('👩‍💻 ok\nnext\t', 'prose')).toEqual(['👩‍💻 ok\nnext\t'])
  })

  it('[U13] [G64] a name is one line in which nothing hides', () => {
    expect(legibleName('<img onerror=x>\nb\u202egpj.exe\u200b')).toBe('<img onerror=x>[U+000A]b[U+202E]gpj.exe[U+200B]')
  })

  it('[G60] a person is shown as they typed, with web addresses that can be followed', () => {
    expect(findAddresses('**see** https://a.example/x, then <b>')).toEqual([
      '**see** ',
      { href: 'https://a.example/x', where: 'a.example', label: 'https://a.example/x' },
      ', then <b>',
    ])
  })
})
