import type { Report } from '@hotline/protocol/commands/agent'
import { expect, test } from 'vitest'
import { Screen } from '../src/terminal/screen.ts'
import { openSequence } from '../src/terminal/open-sequence.ts'
import { shownBy } from './shown-by.ts'

const size = { cols: 40, rows: 12 }
/** As many reports as make a picture due. */
const enough = 64

function openScreen() {
  const pictures: string[] = []
  const put = ({ type, body }: Report): void => {
    if (type === 'screen.saved') pictures.push(String(body?.['text']))
  }
  const screen = new Screen(size, { put, ask: () => Promise.resolve('kept') }, () => undefined)
  const print = async (text: string): Promise<void> => {
    const data = { source: 'pty', encoding: 'utf8', bytes: Buffer.byteLength(text) }
    screen.sink.put({ type: 'output.appended', data, body: { text } })
    await screen.settle()
  }
  return { screen, pictures, print }
}

test.each([
  ['a colour', '\u001b[3', '1mred'],
  ['an escape alone', '\u001b', '[31mred'],
  ['a title', '\u001b]2;the ti', 'tle\u0007after'],
  ['a title, in the middle of its end', '\u001b]2;title\u001b', '\\after'],
  ['a character set', '\u001b(', '0lqk\u001b(B'],
])('[R119] no picture is taken in the middle of %s', async (_what, half, rest) => {
  const { screen, pictures, print } = openScreen()
  const texts = Array.from({ length: enough - 1 }, (_, n) => `line ${n}\r\n`)
  for (const text of texts) await print(text)
  await print(half)
  expect(pictures).toEqual([])
  await print(rest)
  expect(pictures).toHaveLength(1)
  const more = 'and on'
  const late = await shownBy(size, [pictures[0] ?? '', more])
  expect(late).toEqual(await shownBy(size, [...texts, half, rest, more]))
  screen[Symbol.dispose]()
})

test.each([
  ['of the screen', '', ''],
  ['of the screen that a program took', '\u001b[?1049h', ''],
  ['of the screen that it left', '', '\u001b[?1049h\u001b[2;4r\u001b[?1049l'],
])('[R119] the rows that scroll %s are in the picture, and the cursor where it was', async (_of, before, after) => {
  const { screen, pictures, print } = openScreen()
  const texts = [
    before,
    '\u001b[3;6r',
    after,
    '\u001b[6;1H',
    ...Array.from({ length: enough }, (_, n) => `row ${n}\r\n`),
  ]
  for (const text of texts) await print(text)
  expect(pictures).toHaveLength(1)
  const more = ['here\r\n', 'there\r\n', '\u001b[r', 'all of it']
  const seen = texts.slice(0, enough)
  const late = await shownBy(size, [pictures[0] ?? '', ...more])
  expect(late).toEqual(await shownBy(size, [...seen, ...more]))
  screen[Symbol.dispose]()
})

test('[R119] a sequence without an end does not keep pictures from being taken for ever', () => {
  const long = openSequence('', `\u001b]${'x'.repeat(60_000)}`)
  expect(long).not.toBe('')
  expect(openSequence(long, 'x'.repeat(10_000))).toBe('')
  expect(openSequence('\u001b[', '0m done')).toBe('')
})
