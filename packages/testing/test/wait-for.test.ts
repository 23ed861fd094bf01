import { expect, test } from 'vitest'
import { waitFor } from '../src/wait-for.ts'

test('gives the first truthy value, after values and errors that are not it', async () => {
  const answers = [
    () => undefined,
    () => {
      throw new Error('not there yet')
    },
    () => 0,
    () => 'here',
  ]
  let looks = 0
  const found = await waitFor(() => answers[looks++]?.(), { what: 'the fourth answer', everyMs: 1 })
  expect(found).toBe('here')
  expect(looks).toBe(4)
})

test('says what it waited for and the last value', async () => {
  const waiting = waitFor(() => false, { what: 'a pig to fly', deadlineMs: 30, everyMs: 5 })
  await expect(waiting).rejects.toThrow('waited 30 ms for a pig to fly; last value: false')
})

test('says the last error and carries it as the cause', async () => {
  const cause = new Error('connection refused')
  const waiting = waitFor(() => Promise.reject(cause), { what: 'a server', deadlineMs: 30, everyMs: 5 })
  await expect(waiting).rejects.toThrow('waited 30 ms for a server; last error: connection refused')
  await expect(waiting).rejects.toMatchObject({ cause })
})

test('a condition that hangs does not hold up the deadline', async () => {
  const waiting = waitFor(() => new Promise<string>(() => 'never resolves'), { what: 'an answer', deadlineMs: 30 })
  await expect(waiting).rejects.toThrow('the condition itself had not answered')
})

test('a signal ends the wait with its reason', async () => {
  const stop = new AbortController()
  const waiting = waitFor(() => false, { what: 'nothing', signal: stop.signal })
  stop.abort(new Error('the test is over'))
  await expect(waiting).rejects.toThrow('the test is over')
})
