import { answerOf, checkAnswer, wordsOf } from '@hotline/core/question/answer'
import { formOf } from '@hotline/core/question/form'
import { describe, expect, it } from 'vitest'

const schema = {
  type: 'object',
  required: ['name', 'colour'],
  properties: {
    name: { type: 'string', title: 'Your name', minLength: 2, maxLength: 5 },
    age: { type: 'integer', minimum: 1, maximum: 10, default: 3 },
    height: { type: 'number' },
    sure: { type: 'boolean' },
    colour: { enum: ['red', '2', 'Red'], enumNames: ['Rot', 'Zwei', 'ROT'] },
    size: { oneOf: [{ const: 's', title: 'Small' }, { const: 'l' }] },
    tags: { type: 'array', items: { enum: ['a', 'b', 'c'] }, minItems: 1, maxItems: 2 },
    place: { type: 'object' },
    ['__proto__']: { type: 'string' },
  },
}
const fields = formOf(schema)
const given = (texts: Record<string, string>): unknown =>
  answerOf(fields, new Map([['name', 'Dana'], ['colour', 'red'], ...Object.entries(texts)]))
const valueOf = (name: string, text: string): unknown => {
  const answer = answerOf(
    fields,
    new Map([
      ['name', 'Dana'],
      ['colour', 'red'],
      [name, text],
    ]),
  )
  return answer.ok ? Object.entries(answer.content).find(([key]) => key === name)?.[1] : answer.why
}

describe('the form of a question', () => {
  it.each([
    ['name', 'Dané', 'Dané'],
    ['name', 'D', '"name" must be text of 2 to 5 characters, not "D".'],
    ['name', '😀😀😀😀😀', '😀😀😀😀😀'],
    ['age', '10', 10],
    ['age', '11', '"age" must be a whole number from 1 to 10, not 11.'],
    ['age', '1.5', '"age" must be a whole number from 1 to 10, not 1.5.'],
    ['age', '0x5', '"age" must be a whole number from 1 to 10, not "0x5".'],
    ['age', '', '"age" must be a whole number from 1 to 10, not "".'],
    ['height', '-1.5e3', -1500],
    ['height', '1e999', '"height" must be a number, not null.'],
    ['sure', 'Yes', true],
    ['sure', 'n', false],
    ['sure', '1', '"sure" must be yes or no, not "1".'],
    ['colour', '1', 'red'],
    // A name that looks like a number is that name.
    ['colour', '2', '2'],
    ['colour', '3', 'Red'],
    ['colour', 'zwei', '2'],
    // Two differ in their case alone: neither is guessed.
    ['colour', 'RED', expect.stringContaining('must be one of 1 red (Rot), 2 2 (Zwei), 3 Red (ROT), not "RED"')],
    ['colour', '4', expect.stringContaining('not "4"')],
    ['size', 'small', 's'],
    ['tags', 'a, 3', ['a', 'c']],
    ['tags', 'a,b,c', expect.stringContaining('2 of them')],
    ['tags', '', expect.stringContaining('"tags" must be some of')],
    ['place', '{"x":1}', { x: 1 }],
    ['place', 'here', '"place" must be JSON, not "here".'],
    ['__proto__', 'text', 'text'],
    ['nothing', 'x', expect.stringContaining('It does not ask for "nothing", but for "name", "age"')],
  ])('[B16] %s=%s', (name, text, expected) => {
    expect(valueOf(name, text)).toEqual(expected)
  })

  it('[B16] what is left out is no part of the answer, unless it is needed', () => {
    expect(given({})).toEqual({ ok: true, content: { name: 'Dana', colour: 'red' } })
    expect(answerOf(fields, new Map([['age', '3']]))).toEqual({ ok: false, why: 'It needs "name", "colour" too.' })
    expect(checkAnswer(fields, { name: 'Dana', colour: 'blue' })).toMatchObject({ ok: false })
    expect(checkAnswer(fields, { name: 'Dana', colour: 'Red', tags: ['a'] })).toMatchObject({ ok: true })
    expect(checkAnswer(fields, { name: 1, colour: 'Red' })).toMatchObject({ ok: false })
  })

  it.each([[undefined], [null], ['x'], [{ properties: [] }], [{ properties: null }], [{}]])(
    '[B16] %j asks for nothing',
    (odd) => expect(formOf(odd)).toEqual([]),
  )

  it('[B16] odd properties are what they can be', () => {
    const odd = formOf({ properties: { a: null, b: { enum: [{}] }, c: { enum: [] }, d: { type: ['string'] } } })
    expect(odd.map(({ form }) => wordsOf(form))).toEqual(['text', 'text', 'text', 'JSON'])
  })
})
