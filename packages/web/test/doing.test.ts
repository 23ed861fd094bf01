import type { Item, StepItem } from '@hotline/core/transcript/item'
import { emptyTranscript, type Transcript } from '@hotline/core/transcript/transcript'
import { describe, expect, it } from 'vitest'
import { doingNow } from '../src/session/doing.ts'

const step = (more: Partial<StepItem>): StepItem => ({
  kind: 'step',
  key: 'step:s1',
  seq: 1,
  at: '2026-01-01T10:00:00.000Z',
  step: 's1',
  stepKind: 'edit',
  title: 'Edit the file',
  changes: [],
  locations: ['src/auth.ts'],
  ...more,
})
const turn: Item = { kind: 'turn', key: 'turn:t1', seq: 9, at: '2026-01-01T10:01:00.000Z', turn: 't1', end: 'end' }
const having = (...items: Item[]): Transcript => ({ ...emptyTranscript, items })

describe('what goes on now', () => {
  it('[G32] is the last step that runs, by its verb and its file, or by its command', () => {
    const running = step({})
    expect(doingNow(having(running))).toEqual({ words: 'editing src/auth.ts', since: running.at })
    expect(doingNow(having(running, step({ outcome: 'done' })))?.words).toBe('editing src/auth.ts')
    expect(doingNow(having(step({ stepKind: 'execute', title: 'npm test\nin two lines' })))?.words).toBe(
      'running npm test',
    )
    expect(doingNow(having(step({ stepKind: 'search', locations: [], title: 'redirect' })))?.words).toBe(
      'searching redirect',
    )
    const long = `/home/dana/${'deep/'.repeat(30)}auth.ts`
    expect(doingNow(having(step({ locations: [long] })))?.words).toBe('editing …/deep/auth.ts')
  })

  it('[G32] is nothing between steps, and nothing from before the end of a turn', () => {
    expect(doingNow(having(step({ outcome: 'done' })))).toBeUndefined()
    expect(doingNow(having(step({}), turn))).toBeUndefined()
    expect(doingNow(emptyTranscript)).toBeUndefined()
  })
})
