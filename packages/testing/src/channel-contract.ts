import type { Card, Channel, Withdrawal } from '@hotline/server/channels/channel'
import { describe, expect, test } from 'vitest'
import type { Mood, Told } from './fake-channel.ts'

/** A channel under test with its other side. Disposing closes both. */
export interface ChannelBench extends AsyncDisposable {
  readonly channel: Channel
  /** What its other side was told, and knew to be new. */
  readonly told: readonly Told[]
  /** From now on its other side does this. */
  feels(mood: Mood): void
}

/** A request as a channel gets it. */
export function sampleCard(key = 'fake:one:s1/a1:show'): Card {
  return {
    key,
    request: {
      id: 's1/a1',
      toolName: 'Bash',
      input: { command: 'npm test' },
      context: {
        session: 's1',
        title: 'A session',
        project: 'default',
        agent: 'demo',
        subAgent: null,
        summary: 'npm test',
        cwd: null,
        reason: 'wörds\nof “several” kinds',
        redacted: false,
      },
      expiresAt: '2026-01-02T03:04:05.678Z',
      timeStands: false,
      digest: '0'.repeat(64),
      risk: 'medium',
      decisions: ['allow', 'deny'],
      scopes: ['once'],
    },
  }
}

const withdrawal: Withdrawal = {
  key: 'fake:one:s1/a1:withdraw',
  ending: { type: 'permission-timeout', requestId: 's1/a1', toolName: 'Bash' },
  words: 'Nobody answered in time',
}

/** What every channel has to hold. */
export function channelContract(name: string, open: () => Promise<ChannelBench>): void {
  const never = new AbortController().signal
  describe(`channel: ${name}`, () => {
    test('[DV1] shows a request and takes it back', async () => {
      await using bench = await open()
      expect(await bench.channel.deliver(sampleCard(), never)).toBe('taken')
      expect(await bench.channel.withdraw(withdrawal, never)).toBe('taken')
      expect(bench.told).toEqual([
        { key: sampleCard().key, what: 'show', requestId: 's1/a1' },
        { key: withdrawal.key, what: 'withdraw', requestId: 's1/a1', words: 'Nobody answered in time' },
      ])
    })

    test('[DV1] what is told twice is known by its key', async () => {
      await using bench = await open()
      for (let time = 0; time < 3; time += 1) expect(await bench.channel.deliver(sampleCard(), never)).toBe('taken')
      expect(bench.told).toHaveLength(1)
      await bench.channel.deliver(sampleCard('fake:one:s1/a2:show'), never)
      expect(bench.told).toHaveLength(2)
    })

    test('[DV1] says whether a failure is worth another try, and never rejects', async () => {
      await using bench = await open()
      bench.feels('is away')
      expect(await bench.channel.deliver(sampleCard(), never)).toMatchObject({ failed: 'for now' })
      expect(await bench.channel.withdraw(withdrawal, never)).toMatchObject({ failed: 'for now' })
      bench.feels('refuses')
      expect(await bench.channel.deliver(sampleCard(), never)).toMatchObject({ failed: 'for good' })
      bench.feels('takes')
      expect(await bench.channel.deliver(sampleCard(), never)).toBe('taken')
      expect(bench.told).toHaveLength(1)
    })

    test('[DV1] lets go when it is told to', async () => {
      await using bench = await open()
      bench.feels('is silent')
      const closing = new AbortController()
      const delivering = bench.channel.deliver(sampleCard(), closing.signal)
      closing.abort()
      expect(await delivering).toMatchObject({ failed: 'for now' })
      expect(await bench.channel.deliver(sampleCard(), closing.signal)).toMatchObject({ failed: 'for now' })
    })

    test('[DV1] has a name for the audit, and says where it leads without what is secret', async () => {
      await using bench = await open()
      expect(bench.channel.name).toMatch(/^[a-z]+:[A-Za-z0-9][\w-]*$/)
      expect(bench.channel.target).not.toMatch(/[/?@]/)
    })
  })
}
