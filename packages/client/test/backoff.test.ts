import { longestWaitMs, waitBefore } from '@hotline/client/backoff'
import { describe, expect, it } from 'vitest'

describe('how long to wait before a try', () => {
  it('[C1] the first five tries are drawn from nothing up to 1, 2, 4, 8 and 16 s', () => {
    for (const [index, ceilingMs] of [1_000, 2_000, 4_000, 8_000, 16_000].entries()) {
      expect(waitBefore(index + 1, () => 1)).toEqual({ waitMs: ceilingMs, slow: false })
      expect(waitBefore(index + 1, () => 0.5)).toEqual({ waitMs: ceilingMs / 2, slow: false })
      expect(waitBefore(index + 1, () => 0).waitMs).toBeGreaterThan(0)
    }
  })

  it('[C1] after them it goes on about every 30 s, and says that it is slow', () => {
    for (const attempt of [6, 7, 1_000]) {
      expect(waitBefore(attempt, () => 0)).toEqual({ waitMs: 22_500, slow: true })
      expect(waitBefore(attempt, () => 1)).toEqual({ waitMs: 37_500, slow: true })
    }
  })

  it('[C1] what the server told goes before, is never cut short, and has an end', () => {
    expect(waitBefore(1, () => 0, 7_000).waitMs).toBe(7_000)
    expect(waitBefore(9, () => 1, 7_000).waitMs).toBe(10_500)
    expect(waitBefore(1, () => 0, Number.MAX_SAFE_INTEGER).waitMs).toBe(600_000)
    expect(waitBefore(1, () => 0, -5).waitMs).toBeGreaterThan(0)
  })
  it('[C1] a runner tries a server on the same machine every second at the latest, each time drawn anew', () => {
    for (const url of ['http://localhost:4680', 'http://127.0.0.1:1', 'http://127.8.0.3', 'https://[::1]:7/x'])
      expect(longestWaitMs(url), url).toBe(1_000)
    for (const url of ['https://hotline.example', 'http://127.0.0.1.example', 'http://10.0.0.1', 'http://128.0.0.1'])
      expect(longestWaitMs(url), url).toBe(Number.POSITIVE_INFINITY)
    for (const attempt of [1, 2, 5, 6, 1_000]) {
      expect(waitBefore(attempt, () => 1, undefined, 1_000)).toEqual({ waitMs: 1_000, slow: false })
      expect(waitBefore(attempt, () => 0.25, undefined, 1_000)).toEqual({ waitMs: 250, slow: false })
    }
    expect(waitBefore(3, () => 0, 7_000, 1_000).waitMs).toBe(7_000)
  })
})
