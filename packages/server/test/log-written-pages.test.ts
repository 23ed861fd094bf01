import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { machine, openMiddle, person } from '@hotline/testing/middle'
import { expect, test } from 'vitest'
import { systemPrincipal } from '../src/scheduler/approval-timer.ts'

const stream = 'session:s1'
const logHeaderBytes = 32
const frameHeaderBytes = 24

/** Tables and indexes of which a page is in the last commit of the write-ahead log (file format, 4). */
function lastWritten(dir: string): Set<string> {
  const path = join(dir, 'hotline.db')
  const log = readFileSync(`${path}-wal`)
  const frameBytes = frameHeaderBytes + log.readUInt32BE(8)
  const salt = log.subarray(16, 24)
  let commit: number[] = []
  let open: number[] = []
  for (let at = logHeaderBytes; at + frameBytes <= log.length; at += frameBytes) {
    if (!log.subarray(at + 8, at + 16).equals(salt)) break
    open.push(log.readUInt32BE(at))
    if (log.readUInt32BE(at + 4) === 0) continue
    commit = open
    open = []
  }
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const names = new Map(
      db
        .prepare('SELECT pageno, name FROM dbstat')
        .all()
        .map(({ pageno, name }) => [Number(pageno), String(name)]),
    )
    return new Set(commit.map((page) => names.get(page) ?? 'free'))
  } finally {
    db.close()
  }
}

test('[L41] a new title writes no index of the list in which nothing moves', async () => {
  const middle = await openMiddle()
  try {
    await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'dana', role: 'owner' })
    await middle.send(systemPrincipal, stream, 'session.start', { project: 'p1', agent: 'demo' })
    expect([...lastWritten(middle.dir)]).toEqual(expect.arrayContaining(['sessions_by_status', 'sessions_by_runner']))
    const taken = await middle.send(machine, stream, 'lease.take', {})
    const fence = taken.ok ? (taken.accepted.fence ?? 0) : 0
    const active = { from: 'starting', to: 'active', reason: 'agent_ready' } as const
    const ready = { type: 'session.state_changed', data: active, body: {} } as const
    expect(await middle.send(machine, stream, 'agent.report', { fence, events: [ready] })).toMatchObject({ ok: true })
    expect([...lastWritten(middle.dir)]).toEqual(expect.arrayContaining(['sessions_by_status', 'sessions_by_runner']))

    const renamed = await middle.send(person('dana'), stream, 'session.rename', { title: 'Another' })
    expect(renamed).toMatchObject({ ok: true })
    const written = lastWritten(middle.dir)
    expect(written).toContain('sessions_by_project')
    expect([...written]).not.toContain('sessions_by_status')
    expect([...written]).not.toContain('sessions_by_runner')
    expect([...written]).not.toContain('sqlite_autoindex_sessions_1')
  } finally {
    await middle.close()
  }
})
