import type { ConnectionState, Ephemeral, Link } from '@hotline/client/link'
import { openPresence } from '@hotline/client/presence'
import { watchable } from '@hotline/client/readable'
import { describe, expect, it } from 'vitest'
import { handClock } from '@hotline/testing/hand-clock'

/** The far edge: frames as a server sends them, and what is said to it. */
function scene(hideAfterMs = 30_000) {
  const clock = handClock()
  const connection = watchable<ConnectionState>({ status: 'open', since: 0, transport: 'websocket' })
  const ears = new Set<(frame: Ephemeral) => void>()
  const told: string[] = []
  const link = {
    connection,
    ephemeral: (hear: (frame: Ephemeral) => void) => {
      ears.add(hear)
      return () => ears.delete(hear)
    },
    typing: (stream: string) => told.push(stream),
  } as unknown as Link
  const presence = openPresence(link, 's1', { hideAfterMs, clock })
  const hear = (frame: Ephemeral): void => {
    for (const ear of ears) ear(frame)
  }
  const types = (by: string): void => hear({ kind: 'typing', stream: 'session:s1', by })
  return { clock, connection, presence, hear, types, told, ears }
}

describe('who else is here', () => {
  it('[G27] who types is shown until the time is over, their message has come, or contact is lost', () => {
    const { clock, connection, presence, hear, types } = scene()
    types('ada')
    clock.advance(20_000)
    types('ada')
    types('bob')
    hear({ kind: 'typing', stream: 'session:s2', by: 'eve' })
    clock.advance(29_999)
    expect(presence.present.value.typing).toEqual(['ada', 'bob'])
    presence.said('ada')
    expect(presence.present.value.typing).toEqual(['bob'])
    clock.advance(1)
    expect(presence.present.value.typing).toEqual([])
    types('bob')
    hear({ kind: 'watching', stream: 'session:s1', people: ['ada', 'bob'] })
    expect(presence.present.value).toEqual({ typing: ['bob'], watching: ['ada', 'bob'] })
    connection.set({ status: 'connecting', attempt: 1 })
    expect(presence.present.value).toEqual({ typing: [], watching: [] })
  })

  it('[G27] with a time of nothing nobody is shown to type; one says that one writes no more often than needed', () => {
    const { clock, presence, types, told, ears } = scene(0)
    types('ada')
    expect(presence.present.value.typing).toEqual([])
    for (let at = 0; at < 10; at += 1) {
      presence.wrote()
      clock.advance(1_000)
    }
    expect(told).toEqual(Array.from({ length: 4 }, () => 'session:s1'))
    clock.setBack(3_600_000)
    clock.advance(3_000)
    presence.wrote()
    expect(told).toHaveLength(5)
    presence[Symbol.dispose]()
    expect(ears.size).toBe(0)
    expect(clock.pending).toBe(0)
  })
})
