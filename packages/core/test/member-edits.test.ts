import { changeMembers, faultOfMember, writtenMembers } from '@hotline/core/member-edits'
import { faultOfEdit } from '@hotline/core/edited-input'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const text = '{ "command":"npm test",\n  "timeout": 1.50, "quiet": true,"deep": {"a": [1, 2e2]}, "none": null }'

describe('the members of an input', () => {
  it('[G152] are told one by one as they are written', () => {
    expect(writtenMembers(text)).toEqual([
      { name: 'command', kind: 'text', source: '"npm test"' },
      { name: 'timeout', kind: 'number', source: '1.50' },
      { name: 'quiet', kind: 'yes or no', source: 'true' },
      { name: 'deep', kind: 'object', source: '{"a": [1, 2e2]}' },
      { name: 'none', kind: 'null', source: 'null' },
    ])
    for (const other of ['npm test', '[1]', '{}', '{"a": ', '"a"', `{"a": "${'x'.repeat(70_000)}"}`]) {
      expect(writtenMembers(other), other.slice(0, 20)).toBeUndefined()
    }
    const many = Object.fromEntries(Array.from({ length: 41 }, (_, at) => [`m${at}`, at]))
    expect(writtenMembers(JSON.stringify(many))).toBeUndefined()
  })

  it('[G152] one is changed and the rest stays as it was, byte for byte', () => {
    const { text: changed } = changeMembers(text, new Map([['command', '"npm run lint"']]))
    expect(changed).toBe(text.replace('"npm test"', '"npm run lint"'))
    expect(faultOfEdit(text, changed)).toBeUndefined()
    expect(changeMembers(text, new Map())).toMatchObject({ text })
    expect(changeMembers(text, new Map([['other', '1']]))).toMatchObject({ text })
  })

  it('[G155] what is typed for a number and is none is said to be none', () => {
    for (const source of ['soon', '', '1.', '.5', '05', '1,5', '"5"', '0x10', '5, "command": "rm"']) {
      expect(faultOfMember('number', source), source).toMatch(/must be a number/)
      expect(faultOfMember('text', source)).toBeUndefined()
    }
    for (const source of ['5', ' -1.5e3 ', '0', '9007199254740993']) {
      expect(faultOfMember('number', source), source).toBeUndefined()
    }
  })

  it('[G152] any value of any member is changed alone', () => {
    const keys = fc.string({ maxLength: 5 }).filter((name) => name.isWellFormed() && name !== '__proto__')
    const values = fc.jsonValue({ maxDepth: 2 })
    fc.assert(
      fc.property(fc.dictionary(keys, values, { minKeys: 1, maxKeys: 5 }), values, fc.nat(), (before, value, pick) => {
        const written = JSON.stringify(before, null, pick % 3)
        const members = writtenMembers(written)
        // Numbers and texts that not every reader reads alike are edited as a text.
        if (!members) return
        const { name = '' } = members[pick % members.length] ?? {}
        const { text: changed } = changeMembers(written, new Map([[name, JSON.stringify(value)]]))
        expect(JSON.parse(changed)).toEqual({ ...JSON.parse(written), [name]: JSON.parse(JSON.stringify(value)) })
        expect(Object.keys(JSON.parse(changed) as object)).toEqual(Object.keys(JSON.parse(written) as object))
      }),
    )
  })

  it('[G152] what is wrong is said of the member in which it is', () => {
    for (const [name, source] of [
      ['timeout', 'abc'],
      ['timeout', '"5"'],
      ['timeout', ''],
      ['deep', '{"a": '],
      ['deep', '[]'],
    ] as const) {
      const { text: changed, memberAt } = changeMembers(text, new Map([[name, source]]))
      const fault = faultOfEdit(text, changed)
      expect(fault, source).toBeDefined()
      expect(memberAt(fault?.at ?? -1), source).toBe(name)
    }
  })
})
