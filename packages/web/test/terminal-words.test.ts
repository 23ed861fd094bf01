import { expect, it } from 'vitest'
import { withoutControls } from '../src/text/terminal-words.ts'

it.each([
  ['\x1b[?2004hbash-5.2# ', 'bash-5.2# '],
  ['\x1b]0;a title\x07\x1b[1;32mgreen\x1b[0m\r\n', 'green\n'],
  ['\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\', 'link'],
  ['\x1b(Bplain \x1b7\x1b8[x] \x1b', 'plain [x] \x1b'],
])('[G59] the line of what a terminal printed is its words: %j', (printed, words) => {
  expect(withoutControls(printed)).toBe(words)
})
