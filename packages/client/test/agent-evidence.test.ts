import { watchEvidence } from '@hotline/client/agent-evidence'
import type { ConnectionState, Ephemeral } from '@hotline/client/link'
import { watchable } from '@hotline/client/readable'
import { handClock } from '@hotline/testing/hand-clock'
import { describe, expect, it } from 'vitest'

function scene() {
  const clock = handClock()
  const connection = watchable<ConnectionState>({ status: 'open', since: 0, transport: 'websocket' })
  const ears = new Set<(frame: Ephemeral) => void>()
  const ephemeral = (hear: (frame: Ephemeral) => void): (() => void) => {
    ears.add(hear)
    return () => ears.delete(hear)
  }
  const watching = watchEvidence({ connection, ephemeral }, 's1', clock)
  const tell = (seconds: number, cpuMs: number, stream = 'session:s1'): void => {
    const at = new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString()
    const tree = { at, reach: 'scan', frozen: false, count: 1, cpuMs, memoryBytes: 1, processes: [] } as const
    for (const ear of ears) ear({ kind: 'evidence', stream, evidence: { tree: { ...tree, processes: [] } } })
  }
  return { clock, connection, ears, watching, tell }
}

describe('how an agent stands', () => {
  it('[S17] two looks tell what share of a processor it uses; where processes have gone meanwhile nothing is said', () => {
    const { watching, tell } = scene()
    tell(0, 1_000, 'session:other')
    expect(watching.seen.value).toBeUndefined()
    tell(0, 1_000)
    expect(watching.seen.value?.cpuShare).toBeUndefined()
    tell(4, 3_000)
    expect(watching.seen.value?.cpuShare).toBe(0.5)
    tell(8, 2_000)
    expect(watching.seen.value).toMatchObject({ tree: { cpuMs: 2_000 } })
    expect(watching.seen.value?.cpuShare).toBeUndefined()
  })

  it('[S17] what is not told again is no longer shown, nor what was told before contact was lost', () => {
    const { clock, connection, ears, watching, tell } = scene()
    tell(0, 1)
    clock.advance(14_999)
    tell(3, 2)
    clock.advance(14_999)
    expect(watching.seen.value).toBeDefined()
    clock.advance(1)
    expect(watching.seen.value).toBeUndefined()
    tell(6, 3)
    connection.set({ status: 'connecting', attempt: 1 })
    expect(watching.seen.value).toBeUndefined()
    watching[Symbol.dispose]()
    expect(ears.size).toBe(0)
  })
})
