import { describe, expect, it } from 'vitest'
import { durationText } from '../src/text/time.ts'

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
