import { describe, expect, it } from 'vitest'
import { activeLog, dana } from './fixtures.ts'

const goalsIn = ({ events }: ReturnType<typeof activeLog>): unknown[] =>
  events.flatMap(({ type, data, body }) => (type === 'goal.completed' ? [{ ...data, ...body }] : []))

describe('a goal', () => {
  it('[MC4] is reached by the word of its agent, or of a program that has no turns; a runner speaks for nobody else', () => {
    const log = activeLog()
    const tell = (data: Record<string, unknown>, summary = 'done'): void =>
      void log.report({ type: 'goal.completed', data, body: { summary } })
    tell({ by: 'person' })
    tell({})
    tell({ by: 'program' })
    tell({ by: 'agent' }, 'x'.repeat(2_001))
    expect(goalsIn(log)).toEqual([])
    tell({ by: 'agent' })
    expect(goalsIn(log)).toEqual([{ by: 'agent', summary: 'done' }])
    if (!log.state?.capabilities) throw new Error('there is no session')
    log.state = { ...log.state, capabilities: { ...log.state.capabilities, input: 'lines' } }
    tell({ by: 'program' })
    log.send(dana, 'session.complete', { summary: 'enough' })
    // It is ending: what its agent says of a goal now counts for nothing.
    tell({ by: 'agent' })
    expect(goalsIn(log).slice(1)).toEqual([
      { by: 'program', summary: 'done' },
      { by: 'person', summary: 'enough' },
    ])
  })
})
