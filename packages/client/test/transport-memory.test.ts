import { afterEach, expect, test, vi } from 'vitest'
import { openStoredTransportMemory, openTransportMemory } from '../src/transport-memory.ts'

afterEach(() => vi.useRealTimers())

/** A storage of a page, as far as it is used. */
function storage(): Pick<Storage, 'getItem' | 'setItem'> {
  const kept = new Map<string, string>()
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) }
}

test('[C16] what served last is known for the life of a link', () => {
  const memory = openTransportMemory()
  expect(memory.recall()).toBeUndefined()
  memory.remember('poll')
  expect(memory.recall()).toBe('poll')
})

test('[C16] what served last outlives the page, for ten minutes', () => {
  vi.useFakeTimers({ now: 1_000_000 })
  const kept = storage()
  expect(openStoredTransportMemory(kept).recall()).toBeUndefined()
  openStoredTransportMemory(kept).remember('stream')
  vi.advanceTimersByTime(9 * 60_000)
  expect(openStoredTransportMemory(kept).recall()).toBe('stream')
  vi.advanceTimersByTime(60_000)
  expect(openStoredTransportMemory(kept).recall()).toBeUndefined()
})

test('[C16] what is no transport, and a storage that takes nothing, are passed over', () => {
  const kept = storage()
  kept.setItem('hotline.transport', `pigeon ${Date.now()} `)
  expect(openStoredTransportMemory(kept).recall()).toBeUndefined()
  kept.setItem('hotline.transport', '')
  expect(openStoredTransportMemory(kept).recall()).toBeUndefined()
  const full = openStoredTransportMemory({
    getItem: () => null,
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError')
    },
  })
  expect(() => full.remember('websocket')).not.toThrow()
})
