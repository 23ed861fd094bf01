import type { Risk } from '@hotline/protocol/risk'
import { describe, expect, it } from 'vitest'
import { fits, hold, inOrder, type Need, withHeadings } from '../src/needs/arrange-asks.ts'

function need(key: string, risk: Risk | null, minute: number, shape?: string): Need {
  const since = `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`
  const base = { key, kind: 'approval' as const, session: 's', project: 'p', agent: 'demo', title: 't', subAgent: null }
  return { ...base, since, risk, line: key, isExact: true, shape }
}
const keys = (needs: readonly Need[]): string[] => needs.map(({ key }) => key)

describe('what needs somebody', () => {
  it('[G120] stands by risk, then by age; one shape stands together, but not over what is riskier', () => {
    const needs = [
      need('low', 'low', 0),
      need('commit 2', 'medium', 5, 'git commit …'),
      need('test', 'medium', 3),
      need('commit 1', 'medium', 2, 'git commit …'),
      need('question', null, 0),
      need('push', 'high', 9, 'git push …'),
      need('commit high', 'high', 8, 'git commit …'),
    ]
    const sorted = inOrder(needs)
    expect(keys(sorted)).toEqual(['commit high', 'push', 'commit 1', 'commit 2', 'test', 'low', 'question'])
    const entries = withHeadings(sorted).map((entry) =>
      'need' in entry ? `${entry.isGrouped ? '  ' : ''}${entry.need.key}` : `${entry.heading} ×${entry.count}`,
    )
    expect(entries).toEqual([
      'commit high',
      'push',
      'git commit … ×2',
      '  commit 1',
      '  commit 2',
      'test',
      'low',
      'question',
    ])
  })

  it('[G120] is filtered by all that was chosen', () => {
    const one = need('one', 'high', 0)
    expect(fits(one, {})).toBe(true)
    expect(fits(one, { risk: 'high', kind: 'approval', project: 'p', agent: 'demo' })).toBe(true)
    for (const other of [{ risk: 'low' }, { kind: 'question' }, { project: 'q' }, { agent: 'claude' }] as const) {
      expect(fits(one, other)).toBe(false)
    }
  })

  it('[G120] holds still while somebody points at it, and keeps what is open in its place', () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((key, at) => need(key, 'low', at))
    if (!a || !b || !c || !d) throw new Error('four')
    const held = hold([a, b, c], [d, a, c], { holding: true, kept: undefined })
    expect([keys(held.needs), held.waiting]).toEqual([['a', 'b', 'c'], 1])
    expect(keys(hold([a, b, c], [d, a, c], { holding: false, kept: 'b' }).needs)).toEqual(['d', 'a', 'b', 'c'])
    expect(keys(hold([a, b, c], [a, b], { holding: false, kept: 'c' }).needs)).toEqual(['a', 'b', 'c'])
    expect(keys(hold([a, b, c], [d, a, c], { holding: false, kept: undefined }).needs)).toEqual(['d', 'a', 'c'])
  })
})
