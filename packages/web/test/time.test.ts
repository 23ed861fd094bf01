import { describe, expect, it } from 'vitest'
import { countdownText, durationText } from '../src/text/time.ts'

describe('how long something took', () => {
  it.each([
    [-1, '0s'],
    [0, '0s'],
    [450, '0.4s'],
    [1_000, '1s'],
    [45_000, '45s'],
    [303_000, '5m 3s'],
    [7_800_000, '2h 10m'],
  ])('[S13] of %i ms is %s', (ms, text) => {
    expect(durationText(ms)).toBe(text)
  })
})

describe('what is left of a time', () => {
  it.each([
    [-1, '0:00'],
    [61_000, '1:01'],
    [3_599_000, '59:59'],
    [86_399_000, '23 h 59 m'],
    [180_000_000, '2 d 2 h'],
  ])('[G32] of %i ms is %s', (ms, text) => {
    expect(countdownText(ms)).toBe(text)
  })
})
