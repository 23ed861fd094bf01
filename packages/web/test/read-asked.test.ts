import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Asked, readAsked, textsOf, type Value } from '../src/session/read-asked.ts'

const read = (input: unknown, shown: Partial<Parameters<typeof readAsked>[1]> = {}): Asked =>
  readAsked(typeof input === 'string' ? input : JSON.stringify(input, null, 2), { tool: 'x', ...shown })
const edit = { path: 'a.ts', oldText: 'one\n', newText: 'two\n', partial: true }
const nothing = { kind: 'parts', command: undefined, url: undefined, edits: [], rest: {} }

describe('what a request would do', () => {
  it('[G2] a command, and beside it what else is in the input', () => {
    expect(read({ command: 'npm test', timeout: 5 })).toEqual({ ...nothing, command: 'npm test', rest: { timeout: 5 } })
    // A list of arguments is no line of a shell.
    expect(read({ command: ['npm', 'test'] })).toEqual({ ...nothing, rest: { command: ['npm', 'test'] } })
    expect(read({ url: 'https://example.com', prompt: 'x' })).toMatchObject({ url: 'https://example.com' })
  })

  it.each([
    { file_path: 'a.ts', old_string: 'one\n', new_string: 'two\n' },
    { path: 'a.ts', oldText: 'one\n', newText: 'two\n' },
    { file_path: 'a.ts', edits: [{ old_string: 'one\n', new_string: 'two\n' }] },
    { changes: [{ path: 'a.ts', oldText: 'one\n', newText: 'two\n' }] },
  ])('[G2] a change of a file: %j', (input) => {
    expect(read(input)).toEqual({ ...nothing, edits: [{ change: edit, compared: 'with the input' }] })
  })

  it('[G2] an edit that holds more than its texts stays as it is, so that nothing of it is left out', () => {
    const input = { path: 'a.ts', edits: [{ old_string: 'one', new_string: 'two', everywhere: true }] }
    expect(read(input)).toEqual({ ...nothing, rest: input })
    const all = read({ file_path: 'a.ts', old_string: 'one\n', new_string: 'two\n', replace_all: true })
    expect(all).toMatchObject({ edits: [{ change: edit }], rest: { replace_all: true } })
  })

  it('[G2] a whole file, against what the agent says is there only where that is about the same bytes', () => {
    const input = { path: 'a.ts', content: 'two\n' }
    expect(read(input)).toEqual({ ...nothing, rest: input })
    const whole = { path: 'a.ts', newText: 'two\n' }
    expect(read(input, { tool: 'Write' })).toMatchObject({ edits: [{ change: whole, compared: 'with nothing' }] })
    const told = { path: '/src/a.ts', oldText: 'one\n', newText: 'two\n' }
    expect(read(input, { changes: [told] })).toMatchObject({
      edits: [{ change: { ...whole, oldText: 'one\n' }, compared: 'with what the agent tells' }],
    })
    expect(read(input, { changes: [{ ...told, newText: 'harmless\n' }] })).toEqual({ ...nothing, rest: input })
  })

  it.each([
    'npm test',
    '[1]',
    '{"a":1,"a":2}',
    '{"a":12345678901234567890}',
    '{"a":{"b":{"c":{"d":{"e":{"f":{}}}}}}}',
    '',
  ])('[G2] what another reader may understand otherwise, or nobody would take apart, stands as it came: %s', (text) => {
    expect(read(text)).toEqual({ kind: 'words', text })
  })

  it('[G2] a patch is one as a whole', () => {
    const text = '--- a.ts\n+++ a.ts\n@@ -1 +1 @@\n-one\n+two\n'
    expect(read(text)).toEqual({ kind: 'patch', text })
  })

  it('[G2] every text and every name of an input is in what is shown', () => {
    const name = fc.constantFrom(...names)
    const { value } = fc.letrec<{ value: Value }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(name, tie('value'), { maxKeys: 4 }),
      ),
    }))
    const input = fc.dictionary(name, value, { maxKeys: 5 })
    fc.assert(
      fc.property(input, fc.constantFrom('x', 'Edit'), (given, tool) => {
        const shown = textsOf(read(given, { tool }))
        for (const text of textsIn(given)) expect(shown.some((one) => one.includes(text))).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

const names = [
  'command',
  'url',
  'path',
  'file_path',
  'content',
  'old_string',
  'new_string',
  'newText',
  'edits',
  'changes',
  'z',
]

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
