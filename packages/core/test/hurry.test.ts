import { expect, it } from 'vitest'
import { activeLog, code, dana, eli } from './fixtures.ts'

it('[M8] what shall be read now goes before all others that wait, once, in the order in which it was hurried', () => {
  const log = activeLog()
  log.send(dana, 'message.send', { text: 'go' })
  const [{ message: go } = { message: '' }] = log.state?.queue ?? []
  expect(code(log.send(dana, 'message.hurry', { message: go }))).toBe('invalid_transition')
  log.report(
    { type: 'message.delivered', data: { message: go, turn: 't1' } },
    { type: 'turn.started', data: { turn: 't1', message: go } },
  )
  for (const text of ['one', 'two', 'three']) log.send(dana, 'message.send', { text })
  const [one = '', two = '', three = ''] = log.state?.queue.map(({ message }) => message) ?? []
  const order = (): string[] => log.state?.queue.map(({ message }) => message) ?? []
  // Whoever may write may say so, as they may move what others wrote.
  expect(code(log.send(eli, 'message.hurry', { message: three }))).toBe('ok')
  expect(order()).toEqual([three, one, two])
  expect(log.send(dana, 'message.hurry', { message: three })).toEqual({ ok: true, events: [] })
  log.send(dana, 'message.hurry', { message: two })
  expect(order()).toEqual([three, two, one])
  log.send(dana, 'message.send', { text: 'now', now: true })
  expect(order()).toEqual([three, two, expect.any(String), one])
  expect(code(log.send(dana, 'message.hurry', { message: go }))).toBe('not_queued')
  const claim = log.report({ type: 'message.delivered', data: { message: three, turn: 't1' } })
  expect(claim).toMatchObject({ ok: true, facts: {} })
  expect(log.state?.queue.map(({ hurried }) => hurried ?? false)).toEqual([true, true, false])
})

it('[M8] into a turn that is paused a message is hurried as well: it is said when that goes on', () => {
  const log = activeLog()
  log.report({ type: 'turn.started', data: { turn: 't1' } })
  log.send(dana, 'message.send', { text: 'one' })
  log.report({ type: 'session.state_changed', data: { from: 'active', to: 'paused', reason: 'requested' }, body: {} })
  const [{ message } = { message: '' }] = log.state?.queue ?? []
  expect(code(log.send(dana, 'message.hurry', { message }))).toBe('ok')
  expect(log.state).toMatchObject({ status: 'paused', queue: [{ message, hurried: true }] })
})

it('[M8] an agent that takes nothing in the middle of a turn is not hurried, and nothing is sent to it then', () => {
  const log = activeLog()
  const { capabilities } = log.state ?? {}
  log.report({ type: 'session.profile_changed', data: { capabilities: { ...capabilities, steer: undefined } } })
  expect(code(log.send(dana, 'message.send', { text: 'at rest', now: true }))).toBe('ok')
  const [{ message: first } = { message: '' }] = log.state?.queue ?? []
  log.report(
    { type: 'message.delivered', data: { message: first, turn: 't1' } },
    { type: 'turn.started', data: { turn: 't1', message: first } },
  )
  log.send(dana, 'message.send', { text: 'waits' })
  const before = log.events.length
  const [{ message } = { message: '' }] = log.state?.queue ?? []
  expect(code(log.send(dana, 'message.hurry', { message }))).toBe('unsupported')
  expect(code(log.send(dana, 'message.send', { text: 'now', now: true }))).toBe('unsupported')
  expect(log.events).toHaveLength(before)
})
