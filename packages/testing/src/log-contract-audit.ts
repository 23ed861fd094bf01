import type { NewEvent } from '@hotline/server/log/log-store'
import { describe, expect, test } from 'vitest'
import { accepted, agentEvent, type LogBench, type OpenLogBench } from './log-bench.ts'

type Wanted = Omit<Parameters<LogBench['lists']['audit']>[0], 'limit'>

function audited(type: string, at: string, actor: string, address?: string): NewEvent {
  return { v: 1, at: `2026-01-01T00:00:${at}.000Z`, type, actor: { kind: 'person', id: actor }, address, data: {} }
}

async function openFilled(open: OpenLogBench): Promise<LogBench> {
  const bench = await open()
  const p1 = { expect: 'any', project: 'p1' } as const
  accepted(
    await bench.store.append([
      {
        ...p1,
        stream: 'session:one',
        events: [
          audited('session.created', '01', 'ada', '192.0.2.7'),
          agentEvent('no line'),
          audited('approval.resolved', '05', 'bob'),
        ],
      },
      { stream: 'server:main', expect: 'any', events: [audited('key.created', '02', 'ada')] },
    ]),
  )
  accepted(
    await bench.store.append([
      { ...p1, stream: 'session:one', events: [audited('control.requested', '05', 'ada')] },
      { ...p1, stream: 'session:two', project: 'p2', events: [audited('session.created', '05', 'eve')] },
    ]),
  )
  return bench
}

/** The index of the audit: written with the events, in both stores alike. */
export function auditContract(open: OpenLogBench): void {
  describe('audit', () => {
    test('[AU1] [AU2] every event that it lists has one line, newest first, page by page, by what is asked for', async () => {
      await using bench = await openFilled(open)
      const places = async (wanted: Partial<Wanted> = {}): Promise<string[]> => {
        const query = { projects: 'all', ...wanted } as const
        const whole = await bench.lists.audit({ ...query, limit: 100 })
        const paged: (typeof whole)[number][] = []
        for (;;) {
          const page = await bench.lists.audit({ ...query, before: paged.at(-1) ?? query.before, limit: 2 })
          paged.push(...page)
          if (page.length < 2) break
        }
        expect(paged).toEqual(whole)
        return whole.map(({ stream, seq }) => `${stream} ${seq}`)
      }
      const all = ['session:two 1', 'session:one 4', 'session:one 3', 'server:main 1', 'session:one 1']
      expect(await places()).toEqual(all)
      expect(await places({ projects: ['p1'] })).toEqual(['session:one 4', 'session:one 3', 'session:one 1'])
      expect(await places({ projects: [] })).toEqual([])
      expect(await places({ stream: 'session:two' })).toEqual(['session:two 1'])
      expect(await places({ types: ['session.created'] })).toEqual(['session:two 1', 'session:one 1'])
      expect(await places({ actors: ['ada'], projects: ['p1', 'p2'] })).toEqual(['session:one 4', 'session:one 1'])
      const middle = { from: '2026-01-01T00:00:02.000Z', to: '2026-01-01T00:00:05.000Z' }
      expect(await places(middle)).toEqual(['server:main 1'])
      const [first] = await bench.lists.audit({ projects: ['p1'], types: ['session.created'], limit: 1 })
      expect(first).toEqual({
        stream: 'session:one',
        seq: 1,
        at: '2026-01-01T00:00:01.000Z',
        type: 'session.created',
        actor: 'ada',
        project: 'p1',
        address: '192.0.2.7',
      })
    })

    test('[AU1] where it came from is no part of the event', async () => {
      await using bench = await openFilled(open)
      const [event] = await bench.store.read('session:one', { after: 0, limit: 1, maxBytes: 1 })
      expect(Buffer.from(event?.bytes ?? []).toString()).not.toContain('192.0.2.7')
      expect(await bench.store.verify('session:one')).toBeUndefined()
    })

    test('[AU1] what is refused leaves no line', async () => {
      await using bench = await openFilled(open)
      const before = await bench.lists.audit({ projects: 'all', limit: 100 })
      const refused = await bench.store.append([
        { stream: 'session:one', expect: 1, events: [audited('control.requested', '09', 'ada')] },
      ])
      expect(refused).toMatchObject({ ok: false, reason: 'conflict' })
      expect(await bench.lists.audit({ projects: 'all', limit: 100 })).toEqual(before)
    })
  })
}
