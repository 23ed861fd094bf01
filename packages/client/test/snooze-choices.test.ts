import { snoozeChoices } from '@hotline/client/snooze-choices'
import { expect, test } from 'vitest'

test('[SN5] what is offered: a quarter of an hour, an hour, and the next morning of the clock here', () => {
  const at = (hours: number, minutes = 0): number => new Date(2026, 10, 30, hours, minutes).getTime()
  const morningAfter = (nowMs: number): number | undefined => snoozeChoices(nowMs)[2]?.atMs
  expect(snoozeChoices(at(12)).map(({ atMs }) => (atMs - at(12)) / 60_000)).toEqual([15, 60, 20 * 60])
  expect(morningAfter(at(7, 59))).toBe(new Date(2026, 11, 1, 8).getTime())
  // In the night it is the morning that comes next.
  expect(morningAfter(at(0, 30))).toBe(at(8))
  expect(morningAfter(at(3, 59))).toBe(at(8))
  expect(morningAfter(at(4))).toBe(new Date(2026, 11, 1, 8).getTime())
})
