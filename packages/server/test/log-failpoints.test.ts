import { expect, test } from 'vitest'
import { noFailpoints, parseFailpoint } from '../src/log/failpoints.ts'

test('[L29] a failpoint acts once, when its place is passed for the given time', () => {
  const failpoints = parseFailpoint('before_write:throw:3')
  const passes = Array.from({ length: 5 }, () => {
    try {
      failpoints.hit('after_write_before_sync')
      failpoints.hit('before_write')
      return 'passed'
    } catch {
      return 'failed'
    }
  })
  expect(passes).toEqual(['passed', 'passed', 'failed', 'passed', 'passed'])
  expect(() => parseFailpoint('during_migration:disk_full').hit('during_migration')).toThrow('no space left')
  expect(() => parseFailpoint('after_sync:io_error').hit('after_sync')).toThrow('disk I/O error')
  expect(() => noFailpoints.hit('before_write')).not.toThrow()
})

test('[L29] whatever is not a failpoint is refused with what would be one', () => {
  const wrong = [
    '',
    'before_write',
    'nowhere:kill',
    'before_write:explode',
    'before_write:kill:0',
    'before_write:kill:1:2',
    'before_write:kill:x',
  ]
  for (const text of wrong) expect(() => parseFailpoint(text), text).toThrow(/before_write.*kill/)
})
