import { expect, test } from 'vitest'
import { readCommandLine } from '../src/command-line.ts'

test.each([
  ['npm test', ['npm', 'test']],
  ['  git   commit -m  "two words"  ', ['git', 'commit', '-m', 'two words']],
  [`echo 'a "b" \\n' "c \\"d\\" \\n"`, ['echo', 'a "b" \\n', 'c "d" \\n']],
  [String.raw`touch a\ b`, ['touch', 'a b']],
  [`run ""  ''`, ['run', '', '']],
  ['echo $HOME | tee *.txt', ['echo', '$HOME', '|', 'tee', '*.txt']],
])('a typed command line is cut into its arguments, and nothing of it is read by a shell: %s', (text, argv) => {
  expect(readCommandLine(text)).toEqual({ ok: true, argv })
})

test.each([
  ['', 'Write the program first'],
  ['""', 'Write the program first'],
  ['--version', 'begins with an option'],
  [`echo 'open`, "A ' is not closed"],
  ['echo "open', 'A " is not closed'],
  ['echo \\', 'ends with a backslash'],
])('a command line that cannot be cut says why: %s', (text, words) => {
  expect(readCommandLine(text)).toMatchObject({ ok: false, problem: expect.stringContaining(words) as string })
})
