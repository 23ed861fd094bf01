import type { ReactNode } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { Markdown } from '../src/markdown/markdown.tsx'

const drawn = (text: string): string => renderToStaticMarkup((<Markdown text={text} />) satisfies ReactNode)
const count = (html: string, element: string): number => html.split(`<${element}`).length - 1

describe('Markdown as it is drawn', () => {
  it('[G60] has the elements of its blocks, and headings below those of the page', () => {
    expect(drawn('### a\n\n# b\n\n- [x] c\n\n> d')).toBe(
      '<div class="said marked">' +
        '<p role="heading" aria-level="2" class="heading h3">a</p>' +
        '<p role="heading" aria-level="2" class="heading h1">b</p>' +
        '<ul class="tasks"><li><span class="task" role="img" aria-label="done">☑</span>c</li></ul>' +
        '<blockquote><p>d</p></blockquote></div>',
    )
  })

  it('[T39] [U11] has no image, and links that say where they lead', () => {
    const html = drawn('![a](https://evil.example/i) [b](https://evil.example/l) <img src="https://evil.example/e">')
    expect(html).not.toContain('<img')
    // The third is the address in what only looks like an element.
    expect(count(html, 'a ')).toBe(3)
    expect(html.match(/rel="noreferrer noopener nofollow" target="_blank"/g)).toHaveLength(3)
    expect(html.match(/\(evil\.example\)/g)).toHaveLength(2)
  })

  it.each<[string, string, string, number]>([
    ['rows of a table', `|a|b|\n|-|-|\n${'|x|y|\n'.repeat(8_000)}`, 'tr', 201],
    ['items of a list', '- a\n'.repeat(12_000), 'li', 1_000],
    ['headings', '# a\n'.repeat(12_000), 'p', 2_000],
    ['paragraphs', 'a\n\n'.repeat(16_000), 'p', 2_000],
    ['levels of a list', Array.from({ length: 100 }, (_, at) => `${' '.repeat(2 * at)}- x`).join('\n'), 'li', 100],
    ['levels of a quote', '>'.repeat(49_000), 'blockquote', 0],
  ])('[U12] of many %s as many are drawn as are bearable, and the others on demand', (_, text, element, drawnOnes) => {
    expect(count(drawn(text), element)).toBe(drawnOnes)
  })
})
