import { formOf } from '@hotline/core/question/form'
import { expect, it } from 'vitest'
import { answerText } from '../src/session/answer-text.ts'
import { moneyText } from '../src/text/amounts.ts'

it('[G51] an answer is told in the words of its form', () => {
  const fields = formOf({
    properties: {
      way: { title: 'Way', oneOf: [{ const: 'a', title: 'Mend the redirect' }] },
      sure: { type: 'boolean', title: 'Sure' },
      tags: { type: 'array', title: 'Tags', items: { enum: ['one', 'two'] } },
      count: { type: 'integer' },
    },
  })
  const content = { way: 'a', sure: false, tags: ['one', 'two'], count: 3, more: { a: 1 } }
  expect(answerText(fields, content)).toBe(
    'Way: Mend the redirect · Sure: No · Tags: one, two · count: 3 · more: {"a":1}',
  )
  expect(answerText([], {})).toBe('')
})

it('[G46] a cost that is not nothing is not told as nothing', () => {
  const of = (amount: number, currency = 'USD'): string => moneyText({ amount, currency })
  expect([of(0), of(0.001), of(0.32), of(0.4, 'JPY')]).toEqual(['$0.00', '< $0.01', '$0.32', '< ¥1'])
})
