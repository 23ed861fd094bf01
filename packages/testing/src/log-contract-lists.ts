import type { TaskColumn } from '@hotline/protocol/task'
import type { TaskListPage } from '@hotline/server/log/lists'
import type { RowChange } from '@hotline/server/log/tables'
import { describe, expect, test } from 'vitest'
import { accepted, agentEvent, freely } from './log-bench.ts'
import type { LogBench, OpenLogBench } from './log-bench.ts'
import { sessionRow } from './log-contract-append.ts'

function day(of: number): string {
  return `2026-01-${String(of).padStart(2, '0')}T00:00:00.000Z`
}

async function put(bench: LogBench, ...rows: RowChange[]): Promise<void> {
  accepted(await bench.store.append([{ ...freely('server:main', agentEvent('x')), rows }]))
}

/** The reads that views and timers are made of. */
export function listsContract(open: OpenLogBench): void {
  describe('lists', () => {
    test('[L7] sessions come newest first, filtered, page by page', async () => {
      await using bench = await open()
      const { lists } = bench
      const rows = Array.from({ length: 20 }, (_, at) =>
        sessionRow(`s${String(at).padStart(2, '0')}`, {
          project: at % 4 === 0 ? 'p2' : 'p1',
          status: at % 2 === 0 ? 'active' : 'completed',
          needs: at % 5 === 0 ? 1 : 0,
          updated_at: day(1 + Math.floor(at / 3)),
        }),
      )
      await put(bench, ...rows.map((row): RowChange => ({ table: 'sessions', put: row })))
      const newestFirst = rows.toReversed().map(({ session }) => session)
      const paged: string[] = []
      let after: { updatedAt: string; session: string } | undefined
      do {
        const page = await lists.sessions({ projects: ['p1', 'p2'], after, limit: 7 })
        paged.push(...page.sessions.map(({ session }) => session))
        after = page.next
      } while (after !== undefined)
      expect(paged).toEqual(newestFirst)
      const names = async (query: { projects: string[]; statuses?: string[]; needs?: 'open' }) =>
        (await lists.sessions({ ...query, limit: 100 })).sessions.map(({ session }) => session)
      expect(await names({ projects: ['p2'] })).toEqual(['s16', 's12', 's08', 's04', 's00'])
      expect(await names({ projects: ['p1'], statuses: ['active'], needs: 'open' })).toEqual(['s10'])
      expect(await names({ projects: [] })).toEqual([])
      expect(await names({ projects: ['p1'], statuses: [] })).toEqual([])
      expect(await lists.sessions({ projects: ['p2'], limit: 5 })).toMatchObject({ next: undefined })
    })

    test('[L7] sessions are counted by their state', async () => {
      await using bench = await open()
      const statuses = ['active', 'completed', 'active', 'paused', 'completed', 'active']
      const rows = statuses.map((status, at): RowChange => ({
        table: 'sessions',
        put: sessionRow(`s${at}`, { status }),
      }))
      await put(bench, ...rows)
      const sessions = [
        { status: 'active', count: 3 },
        { status: 'completed', count: 2 },
        { status: 'paused', count: 1 },
      ]
      expect(await bench.lists.counts()).toEqual({ sessions, openApprovals: 0 })
    })

    test('[L7] a runner finds what waits for it and what it holds', async () => {
      await using bench = await open()
      const { lists } = bench
      const wanted = [
        ['a', 'queued', null],
        ['b', 'starting', 'r1'],
        ['c', 'interrupted', 'r2'],
        ['d', 'active', 'r1'],
        ['e', 'paused', 'r1'],
        ['f', 'completed', 'r1'],
        ['g', 'interrupted', 'r1', 1],
        // Nobody wants it back: however many there are, they keep no work from a runner.
        ['h', 'interrupted', 'r1'],
        // It is over, and something of it shall be taken back.
        ['i', 'completed', 'r1', 1],
      ] as const
      await put(
        bench,
        ...wanted.map(([session, status, runner, resuming = 0], at): RowChange => ({
          table: 'sessions',
          put: sessionRow(session, { status, runner, resuming, created_at: day(20 - at) }),
        })),
      )
      const names = (rows: readonly { session: string }[]) => rows.map(({ session }) => session)
      expect(names(await lists.waitingSessions('r1', 10))).toEqual(['i', 'g', 'b'])
      expect(names(await lists.waitingSessions('r1', 2))).toEqual(['i', 'g'])
      expect(names(await lists.heldSessions('r1'))).toEqual(['h', 'g', 'e', 'd', 'b'])
    })

    test('[L7] [SQ1] what waits is found with the priority of its card, and what is at work is counted', async () => {
      await using bench = await open()
      const { lists } = bench
      const rows = [
        ['late', 'queued', null, null],
        ['for a card', 'queued', 'r1', 'urgent card'],
        ['begins', 'starting', 'r1', null],
        ['works', 'active', 'r1', null],
        ['is paused', 'paused', 'r2', null],
        ['is over', 'completed', 'r1', null],
        ['is gone', 'interrupted', 'r1', null],
      ] as const
      await put(
        bench,
        {
          table: 'tasks',
          insert: {
            task: 'urgent card',
            project: 'p',
            title: 'Urgent',
            column_name: 'todo',
            position: 'a0',
            priority: 'urgent',
            labels: '[]',
            assignee: null,
            sessions: '[]',
            created_at: day(1),
            updated_at: day(1),
          },
        },
        ...rows.map(([session, status, runner, task], at): RowChange => ({
          table: 'sessions',
          put: sessionRow(session, { status, runner, task, created_at: day(20 - at) }),
        })),
      )
      expect(await lists.queuedSessions(10)).toMatchObject([
        { session: 'for a card', priority: 'urgent', runner: 'r1' },
        { session: 'late', priority: null, runner: null },
      ])
      expect(await lists.queuedSessions(1)).toMatchObject([{ session: 'for a card' }])
      const busy = (await lists.busySessions()).map(({ runner, count }) => [runner, count])
      expect(Object.fromEntries(busy)).toEqual({ r1: 2, r2: 1 })
    })

    test('[L7] [PO14] sessions in which something is not asked, the oldest first, until everything is', async () => {
      await using bench = await open()
      const mode = '{"mode":"hands_free","until":"2026-01-01T00:30:00.000Z"}'
      const rowOf = (session: string, changes: Parameters<typeof sessionRow>[1]): RowChange => ({
        table: 'sessions',
        put: sessionRow(session, changes),
      })
      await put(
        bench,
        rowOf('young', { policy_mode: mode, created_at: day(2) }),
        rowOf('old', { policy_mode: '{"mode":"edits_free"}', created_at: day(1) }),
        rowOf('none', {}),
      )
      const found = async () => (await bench.lists.sessionsWithMode()).map((row) => [row.session, row.policy_mode])
      expect(await found()).toEqual([
        ['old', '{"mode":"edits_free"}'],
        ['young', mode],
      ])
      await put(bench, rowOf('young', { policy_mode: null }))
      expect(await found()).toEqual([['old', '{"mode":"edits_free"}']])
    })

    test('[L7] accounts, projects, members, tasks and keys', async () => {
      await using bench = await open()
      const { lists } = bench
      const account = (id: string, name: string) => ({
        account: id,
        name,
        name_key: name.toLowerCase(),
        password: 'phc',
        admin: 0,
        disabled: 0,
        access_version: 1,
        created_at: day(1),
      })
      const key = (id: string, owner: string | null, at: string) => ({
        key: id,
        kind: owner === null ? ('run' as const) : ('pat' as const),
        account: owner,
        name: id,
        secret_hash: 'ab',
        scopes: '["read"]',
        projects: null,
        created_at: at,
        expires_at: day(28),
        idle_expires_at: null,
        last_used_at: null,
        last_used_from: null,
        revoked_at: null,
      })
      await put(
        bench,
        { table: 'accounts', insert: account('1', 'Zoe') },
        { table: 'accounts', insert: account('2', 'adam') },
        { table: 'projects', insert: { project: 'p1', name: 'One', created_at: day(1) } },
        { table: 'projects', insert: { project: 'p2', name: 'Alpha', created_at: day(1) } },
        { table: 'members', put: { project: 'p1', account: '1', role: 'viewer' } },
        { table: 'members', put: { project: 'p1', account: '1', role: 'owner' } },
        { table: 'members', put: { project: 'p2', account: '1', role: 'viewer' } },
        { table: 'members', put: { project: 'p1', account: '2', role: 'operator' } },
        { table: 'keys', insert: key('k1', '1', day(1)) },
        { table: 'keys', insert: key('k2', '1', day(2)) },
        { table: 'keys', insert: key('k3', null, day(3)) },
      )
      const taken = await bench.store.append([
        { ...freely('server:main', agentEvent('x')), rows: [{ table: 'accounts', insert: account('3', 'ADAM') }] },
      ])
      expect(taken).toEqual({ ok: false, reason: 'conflict', what: 'accounts' })
      expect((await lists.accounts()).map(({ name }) => name)).toEqual(['adam', 'Zoe'])
      expect(await lists.accountByName('zoe')).toMatchObject({ account: '1', access_version: 1 })
      expect(await lists.account('9')).toBeUndefined()
      expect((await lists.projects()).map(({ project }) => project)).toEqual(['p2', 'p1'])
      expect(await lists.project('p1')).toMatchObject({ name: 'One' })
      expect(await lists.projectsOf('1')).toEqual([
        { project: 'p2', name: 'Alpha', role: 'viewer' },
        { project: 'p1', name: 'One', role: 'owner' },
      ])
      expect(await lists.roleOf('p1', '2')).toBe('operator')
      expect(await lists.roleOf('p2', '2')).toBeUndefined()
      expect(await lists.members('p1')).toEqual([
        { account: '2', name: 'adam', role: 'operator' },
        { account: '1', name: 'Zoe', role: 'owner' },
      ])
      expect((await lists.keysOf('1')).map((row) => row.key)).toEqual(['k2', 'k1'])
      expect((await lists.keysOf(null)).map((row) => row.key)).toEqual(['k3'])
      await lists.noteKeyUse({ key: 'k1', usedAt: day(4), usedFrom: '192.0.2.1', idleExpiresAt: day(5) })
      await lists.noteKeyUse({ key: 'k1', usedAt: day(5), usedFrom: '192.0.2.2' })
      expect(await lists.key('k1')).toMatchObject({
        last_used_at: day(5),
        last_used_from: '192.0.2.2',
        idle_expires_at: day(5),
      })
      await put(bench, { table: 'keys', set: { revoked_at: day(6) }, where: { key: 'k1' } })
      await lists.noteKeyUse({ key: 'k1', usedAt: day(7), usedFrom: '192.0.2.3' })
      expect(await lists.key('k1')).toMatchObject({ last_used_at: day(5), revoked_at: day(6) })
    })

    test('[L7] cards come by column and place, in pages; of one place the id decides', async () => {
      await using bench = await open()
      const { lists } = bench
      const card = (task: string, column_name: TaskColumn, position: string, project = 'p1'): RowChange => ({
        table: 'tasks',
        insert: {
          task,
          project,
          title: `Card ${task}`,
          column_name,
          position,
          priority: 'high',
          labels: '["a","b"]',
          assignee: null,
          sessions: '[]',
          created_at: day(1),
          updated_at: day(1),
        },
      })
      const cards = [
        card('c', 'todo', 'a1'),
        card('a', 'todo', 'a0'),
        card('b', 'todo', 'Zz'),
        card('e', 'todo', 'a1'),
        card('d', 'review', 'a0'),
        card('x', 'todo', 'a0', 'p2'),
      ]
      await put(bench, ...cards)
      const names = ({ tasks }: TaskListPage): string[] => tasks.map(({ task }) => task)
      expect(names(await lists.tasks({ project: 'p1', limit: 10 }))).toEqual(['d', 'b', 'a', 'c', 'e'])
      const first = await lists.tasks({ project: 'p1', limit: 4 })
      expect(names(first)).toEqual(['d', 'b', 'a', 'c'])
      const rest = await lists.tasks({ project: 'p1', limit: 4, after: first.next })
      expect(names(rest)).toEqual(['e'])
      expect(rest.next).toBeUndefined()
      expect(names(await lists.tasks({ project: 'p1', column: 'review', limit: 10 }))).toEqual(['d'])
      expect(await lists.lastPlace('p1', 'todo')).toBe('a1')
      expect(await lists.lastPlace('p1', 'done')).toBeUndefined()
      expect(await lists.nextPlace('p1', 'todo', '')).toBe('Zz')
      expect(await lists.nextPlace('p1', 'todo', 'a0')).toBe('a1')
      expect(await lists.nextPlace('p1', 'todo', 'a1')).toBeUndefined()
      expect(await lists.task('c')).toMatchObject({ priority: 'high', labels: '["a","b"]', column_name: 'todo' })
      expect(await lists.task('none')).toBeUndefined()
    })

    test('[L7] sessions of which their cards were not told are found until they were', async () => {
      await using bench = await open()
      const { lists } = bench
      const rows: RowChange[] = [
        { table: 'sessions', put: sessionRow('s1', { task: 't1', untold: 3 }) },
        { table: 'sessions', put: sessionRow('s2') },
      ]
      await put(bench, ...rows)
      expect(await lists.untoldSessions(10)).toEqual([{ session: 's1', untold: 3 }])
      expect(await lists.untold('s2')).toBeUndefined()
      // Told of an earlier place: what came since stays.
      await put(bench, { table: 'sessions', set: { untold: 0 }, where: { session: 's1', untold: 2 } })
      expect(await lists.untold('s1')).toEqual({ session: 's1', untold: 3 })
      await put(bench, { table: 'sessions', set: { untold: 0 }, where: { session: 's1', untold: 3 } })
      expect(await lists.untold('s1')).toBeUndefined()
    })

    test('[L7] what a channel was sent is kept by channel, session and approval, until it is dropped', async () => {
      await using bench = await open()
      const sent = { channel: 'webhook:a', session: 's1', approval: 'a1', state: 'sending' } as const
      // Rows alone: nothing of it is an event.
      const write = async (row: RowChange): Promise<void> => {
        accepted(await bench.store.append([{ stream: 'server:main', expect: 'any', events: [], rows: [row] }]))
      }
      await write({ table: 'deliveries', put: sent })
      await write({ table: 'deliveries', put: { ...sent, approval: 'a0' } })
      await write({ table: 'deliveries', put: { ...sent, channel: 'webhook:b' } })
      await write({ table: 'deliveries', put: { ...sent, state: 'shown' } })
      expect(await bench.lists.deliveries('webhook:a')).toEqual([
        { ...sent, approval: 'a0' },
        { ...sent, state: 'shown' },
      ])
      await bench.reopen()
      await write({ table: 'deliveries', drop: { channel: 'webhook:a', session: 's1', approval: 'a1' } })
      expect(await bench.lists.deliveries('webhook:a')).toEqual([{ ...sent, approval: 'a0' }])
      expect(await bench.lists.deliveries('webhook:b')).toHaveLength(1)
      expect((await bench.store.head('server:main'))?.head ?? 0).toBe(0)
    })

    test('[L7] open approvals come in the order of their deadlines', async () => {
      await using bench = await open()
      const { lists } = bench
      const approval = (id: string, session: string, project: string, expires: number): RowChange => ({
        table: 'approvals',
        insert: { approval: id, session, project, expires_at: day(expires), requested_at: day(1) },
      })
      await put(bench, approval('a', 's1', 'p1', 9), approval('b', 's2', 'p2', 3), approval('c', 's1', 'p1', 5))
      const names = (rows: readonly { approval: string }[]) => rows.map((row) => row.approval)
      expect(names(await lists.approvals('all', 10))).toEqual(['b', 'c', 'a'])
      expect(names(await lists.approvals('all', 1))).toEqual(['b'])
      expect(names(await lists.approvals({ projects: ['p1'] }, 10))).toEqual(['c', 'a'])
      expect(await lists.approvals({ projects: [] }, 10)).toEqual([])
      expect(await lists.counts()).toEqual({ sessions: [], openApprovals: 3 })
      await put(bench, { table: 'approvals', drop: { session: 's1' } })
      expect(names(await lists.approvals('all', 10))).toEqual(['b'])
    })
  })
}
