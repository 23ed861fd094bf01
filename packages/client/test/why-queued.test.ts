import { expect, test } from 'vitest'
import { whyQueued } from '../src/why-queued.ts'

const row = { agent: 'demo', name: 'Demo', description: '', runner: 'desk', runnerId: 'r1', available: true }
const cases = [
  ['no machine', [], { agent: 'demo' }, 'No machine is connected'],
  ['its machine is away', [row], { agent: 'demo', runner: 'r2' }, 'Its machine is not connected'],
  ['nobody offers it', [row], { agent: 'other' }, 'No connected machine offers “other”'],
  ['its machine does not offer it', [row], { agent: 'other', runner: 'r1' }, 'Its machine does not offer “other”'],
  ['not installed', [{ ...row, available: false, hint: 'Install it.' }], { agent: 'demo' }, 'Install it.'],
  ['not to be started', [{ ...row, available: false }], { agent: 'demo' }, 'cannot be started yet.'],
] as const

test.each(cases)('why a session waits: %s', (_name, agents, session, words) => {
  expect(whyQueued(agents, session)).toContain(words)
})

test('nothing is said where somebody can begin it', () => {
  expect(whyQueued([{ ...row, available: false }, row], { agent: 'demo' })).toBeUndefined()
})
