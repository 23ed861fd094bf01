import { uuidV7 } from '@hotline/client/uuid'
import { Id } from '@hotline/protocol/ids'
import { describe, expect, it } from 'vitest'

describe('ids of commands', () => {
  it('[C3] are UUIDs of version 7 that sort by time and are ids of the wire', () => {
    const ids = Array.from({ length: 500 }, (_, at) => uuidV7(1_700_000_000_000 + at))
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(Id.safeParse(id).success).toBe(true)
    }
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(ids.length)
    const [first = ''] = ids
    expect(Number.parseInt(first.replaceAll('-', '').slice(0, 12), 16)).toBe(1_700_000_000_000)
  })
})
