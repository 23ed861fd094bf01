import { faultOfEdit } from '@hotline/core/edited-input'
import { readPlaced } from '@hotline/core/placed-json'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const seed = Number(process.env['HOTLINE_TEST_SEED'] ?? Date.now() % 2 ** 31)

const asked = JSON.stringify(
  { command: 'npm test', timeout: 5, flags: { quiet: true }, files: ['a', 'b'], any: null },
  null,
  2,
)

describe(`an edited input (seed ${seed})`, () => {
  it.each<[what: string, edited: string]>([
    ['another text', asked.replace('npm test', 'npm run lint')],
    ['another number', asked.replace('5', '-1.5e3')],
    ['something in place of null', asked.replace('null', '{"a": 1}')],
    ['less of it, and more', '{"command": "ls", "description": "look"}'],
    ['an empty list', asked.replace(/\[[^\]]*\]/, '[]')],
    ['other blanks', '\r\n\t{ "command" :"a\\u0022\\\\b" }  \n'],
  ])('[G11] %s is fine', (_what, edited) => {
    expect(faultOfEdit(asked, edited)).toBeUndefined()
  })

  it('[G11] what was asked as words may be any words', () => {
    for (const words of ['npm publish', '"npm publish"', '12', '{ not: json']) {
      expect(faultOfEdit(words, '{"command": ')).toBeUndefined()
    }
  })

  it.each<[edited: string, line: number, column: number, why: RegExp]>([
    ['', 1, 1, /a value is missing/],
    ['ls', 1, 1, /double quotes/],
    ["{'command': 'ls'}", 1, 2, /name of a member/],
    ['{"command": \'ls\'}', 1, 13, /double quotes/],
    ['{"command" "ls"}', 1, 12, /colon/],
    ['{\n  "command": "ls"\n  "timeout": 5\n}', 3, 3, /comma or "}"/],
    ['{"command": "ls",\n}', 1, 17, /no comma/],
    ['{"command": "ls"', 1, 17, /ends before its "}"/],
    ['{"command": "l\ns"}', 1, 13, /line break/],
    ['{"command": "C:\\q"}', 1, 13, /written as/],
    ['{"command": "\\ud800"}', 1, 13, /half a character/],
    ['{"command": "ls", "command": "rm"}', 1, 19, /there twice/],
    ['{"command": "ls"} and more', 1, 19, /after the end/],
    ['{"timeout": 9007199254740993}', 1, 13, /too long/],
    ['{"timeout": 1e400}', 1, 13, /too long/],
    ['{"timeout": 05}', 1, 14, /comma/],
    ['{"timeout": "5"}', 1, 13, /"timeout" was a number, and now it is a text/],
    ['{"command": 5}', 1, 13, /"command" was a text/],
    ['{"command": True}', 1, 13, /value is missing/],
    ['{"command": null}', 1, 13, /now it is null/],
    ['{"flags": {"quiet": "yes"}}', 1, 21, /"quiet" was true or false/],
    ['{"flags": []}', 1, 11, /now it is a list/],
    ['{"files": ["a", 5]}', 1, 17, /All in this list were a text/],
    ['["ls"]', 1, 1, /The whole was an object/],
    [`{"a": ${'['.repeat(80)}`, 1, 71, /deeper than 64/],
  ])('[G11] %j is refused where it is wrong', (edited, line, column, why) => {
    expect(faultOfEdit(asked, edited)).toMatchObject({ line, column, why: expect.stringMatching(why) as string })
  })

  it('[G11] takes what JSON.parse takes of what was written by a machine, and nothing that it refuses', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom('', '"', ',', '}', '\\', '\n', ' '), (text, place, mark) => {
        const at = place % (text.length + 1)
        for (const one of [text, text.slice(0, at) + mark + text.slice(at + 1)]) {
          const isJson = (() => {
            try {
              JSON.parse(one)
              return true
            } catch {
              return false
            }
          })()
          const read = readPlaced(one)
          // It refuses more: what is there twice, and what cannot be kept.
          const isStricter = !read.ok && /twice|kept as it is|half a character|deeper/.test(read.why)
          if (read.ok) expect(isJson, one).toBe(true)
          if (isJson) expect(read.ok || isStricter, one).toBe(true)
        }
      }),
      { numRuns: 300, seed, verbose: 1 },
    )
  })
})
