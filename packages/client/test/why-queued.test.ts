import { expect, test } from 'vitest'
import { whyQueued } from '../src/why-queued.ts'

const row = { agent: 'demo', name: 'Demo', description: '', runner: 'desk', runnerId: 'r1', available: true }
const cases = [
  ['no machine', [], { agent: 'demo' }, 'No machine is connected'],
  ['its machine is away', [row], { agent: 'demo', runner: 'r2' }, 'Its machine is not connected'],
  ['nobody offers it', [row], { agent: 'other' }, 'No connected machine offers “other”'],
  ['its machine does not offer it', [row], { agent: 'other', runner: 'r1' }, 'Its machine does not offer “other”'],
  [
    'nobody has the label',
    [{ ...row, labels: ['linux'] }],
    { agent: 'demo', labels: ['gpu', 'linux'] },
    'has the labels',
  ],
  ['its machine has none', [row], { agent: 'demo', runner: 'r1', labels: ['gpu'] }, 'does not have the label gpu'],
  ['not installed', [{ ...row, available: false, hint: 'Install it.' }], { agent: 'demo' }, 'Install it.'],
  ['not to be started', [{ ...row, available: false }], { agent: 'demo' }, 'cannot be started yet.'],
] as const

test.each(cases)('[SQ6] why a session waits: %s', (_name, agents, session, words) => {
  expect(whyQueued(agents, session)).toContain(words)
})

test('nothing is said where somebody can begin it', () => {
  expect(whyQueued([{ ...row, available: false }, row], { agent: 'demo' })).toBeUndefined()
  expect(whyQueued([{ ...row, labels: ['gpu', 'x'] }], { agent: 'demo', labels: ['gpu'] })).toBeUndefined()
})
