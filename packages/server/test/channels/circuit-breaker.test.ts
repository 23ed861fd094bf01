import { handClock } from '@hotline/testing/hand-clock'
import { describe, expect, it } from 'vitest'
import { CircuitBreaker } from '../../src/channels/circuit-breaker.ts'

describe('a circuit breaker', () => {
  it('[DV5] opens after five failures in a row, lets one try through, and rests twice as long each time', () => {
    const clock = handClock()
    const breaker = new CircuitBreaker(clock, () => 0.5)
    const fail = (): boolean => {
      breaker.begin()
      return breaker.failed()
    }
    for (let time = 0; time < 4; time += 1) expect(fail()).toBe(false)
    expect(breaker.state).toBe('closed')
    expect(breaker.succeeded()).toBe(false)
    for (let time = 0; time < 4; time += 1) expect(fail()).toBe(false)
    expect(fail()).toBe(true)
    let rest = 30_000
    for (let time = 0; time < 8; time += 1) {
      expect([breaker.state, breaker.waitMs]).toEqual(['open', rest])
      clock.advance(rest - 1)
      expect(breaker.state).toBe('open')
      clock.advance(1)
      expect([breaker.state, breaker.waitMs]).toEqual(['half_open', 0])
      breaker.begin()
      expect(breaker.state).toBe('half_open')
      expect(breaker.failed()).toBe(false)
      rest = Math.min(600_000, rest * 2)
    }
    clock.advance(rest)
    breaker.begin()
    expect(breaker.succeeded()).toBe(true)
    expect([breaker.state, breaker.failures, breaker.waitMs]).toEqual(['closed', 0, 0])
  })
})
