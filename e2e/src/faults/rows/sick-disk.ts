import { execFile } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { uuidV7 } from '@hotline/client/uuid'
import { openOracleClient } from '@hotline/testing/oracle-client'
import { waitFor } from '@hotline/testing/wait-for'
import { type Crowd, expectSoundLog, openCrowd } from '../crowd.ts'
import type { DiskShim } from '../disk-shim.ts'
import { type Done, expectNothing, FaultFound, type FaultRow, type Ground } from '../fault-row.ts'
import { type ServerProcess, startServerProcess } from '../server-process.ts'

const run = promisify(execFile)

/** A way for a disk to fail, and to be well again. */
interface Ailment {
  name: string
  /** Whether a command that is refused meanwhile may be in the log all the same: only where a sync failed. */
  refused: 'absent' | 'unknown'
  begin(): void
  end(): Promise<void>
}

/** What must hold while the disk is sick and when it is well again, within this. */
const deadlineMs = 30_000

/** Row 6: the disk is full, read-only or fails, and is well again later. */
export const sickDisk: FaultRow = {
  row: 6,
  name: 'disk full, read-only, or failing to write and to sync; then well again',
  stores: ['sqlite'],
  run: async (ground: Ground): Promise<Done> => {
    const { random, amount, dir } = ground
    const shim = await ground.shim()
    const small = await mountSmall(join(dir, 'small'))
    const notes = [...('absent' in shim ? [shim.absent] : []), ...('absent' in small ? [small.absent] : [])]
    try {
      const place = 'absent' in small ? dir : small.path
      await using server = await startServerProcess({ dir: place, env: 'absent' in shim ? {} : shim.env })
      const ailments = [
        ...('absent' in shim ? [] : shimAilments(shim, () => random.int(0, 6))),
        ...('absent' in small ? [] : [fullDisk(small.path)]),
      ]
      const crowd = await openCrowd(server, random, {
        sessions: 3,
        readers: [server.link(), server.link(), server.link()],
        machine: server.link('runner'),
      })
      const counts = { ailments: 0, refused: 0, 'killed while sick': 0 }
      const rounds = amount === 'some' ? 1 : 3
      for (const ailment of Array.from({ length: rounds }, () => random.shuffle(ailments)).flat()) {
        const probes: string[] = []
        void crowd.work()
        ailment.begin()
        crowd.act()
        await waitFor(() => probe(server, probes), { what: `a refusal (${ailment.name})`, deadlineMs, everyMs: 2 })
        await expectReadable(server, crowd, ailment)
        const isKilled = random.chance(0.3)
        if (isKilled) {
          counts['killed while sick'] += 1
          await server.kill()
        }
        await ailment.end()
        if (isKilled && (await server.start()) === 'ended') {
          throw new FaultFound(`it does not start after ${ailment.name}: ${server.complaints}`)
        }
        await waitFor(async () => (await server.post(uuidStream(), 'session.start', start)).ok, {
          what: `commands to be taken again (${ailment.name})`,
          deadlineMs,
        })
        counts.ailments += 1
        counts.refused += probes.length
        expectNothing(await halfCommits(server, probes, ailment))
        // Nothing more happens in these sessions: what is in the log must be told all the same.
        await crowd.compare()
      }
      await server.kill()
      await expectSoundLog(
        server,
        crowd.sessions.map(({ stream }) => stream),
      )
      return { counts: { ...counts, reports: crowd.reported, commands: crowd.given }, notes }
    } finally {
      if (!('absent' in small)) await run('umount', [small.path])
    }
  },
}

const start = { project: 'default', agent: 'nobody', title: 'A probe', prompt: 'Hello.' }
const uuidStream = (): string => `session:${uuidV7()}`

/** Two events, a list row and a line in the project, in one command: true once it was refused. */
async function probe(server: ServerProcess, refused: string[]): Promise<boolean> {
  const session = uuidV7()
  const answer = await server.post(`session:${session}`, 'session.start', start)
  if (answer.ok) return false
  if (answer.problem.code !== 'storage_unavailable') {
    throw new FaultFound(`refused with ${answer.problem.code}: ${answer.problem.detail}`)
  }
  refused.push(session)
  return true
}

/** Everything that can be read can be read, also by somebody who comes now. */
async function expectReadable(server: ServerProcess, crowd: Crowd, ailment: Ailment): Promise<void> {
  const [{ session, stream } = { session: '', stream: '' }] = crowd.sessions
  for (const path of [`/api/sessions/${session}`, `/api/sessions/${session}/transcript`, '/api/sessions', '/api/me']) {
    const answer = await server.request('GET', path)
    if (!answer.ok) throw new FaultFound(`GET ${path} (${ailment.name}): ${answer.problem.code}`)
  }
  const newcomer = openOracleClient(server.link(), `somebody who came (${ailment.name})`)
  newcomer.follow(stream)
  await server.stored(session)
  // What a failed sync has left may be read and is not told before it is on the disk.
  const told = Math.max(...crowd.readers.map((reader) => reader.at(stream)))
  await waitFor(() => newcomer.at(stream) >= told, {
    what: `a newcomer to read everything (${ailment.name})`,
    deadlineMs,
  })
}

/** What was refused is absent, or where nobody could know, there whole. */
async function halfCommits(server: ServerProcess, refused: readonly string[], ailment: Ailment): Promise<string[]> {
  const found: string[] = []
  const lists = await server.request<{ sessions: { session: string }[] }>('GET', '/api/sessions?limit=1000')
  const listed = new Set(lists.ok ? lists.value.sessions.map(({ session }) => session) : [])
  for (const session of refused) {
    const snapshot = await server.request('GET', `/api/sessions/${session}`)
    if (!snapshot.ok && snapshot.problem.code === 'not_found') {
      if (listed.has(session)) found.push(`${session} is listed and not there (${ailment.name})`)
      continue
    }
    const types = (await server.stored(session)).map(({ type }) => type).join(' ')
    if (ailment.refused === 'absent') found.push(`${session} was refused and is there (${ailment.name})`)
    if (types !== 'session.created message.posted') found.push(`half of ${session}: ${types} (${ailment.name})`)
    if (!listed.has(session)) found.push(`${session} is there and not listed (${ailment.name})`)
  }
  return found
}

function shimAilments(shim: DiskShim, after: () => number): Ailment[] {
  const end = (): Promise<void> => Promise.resolve(shim.heal())
  const wal = 'hotline.db-wal'
  return [
    { name: 'full', refused: 'absent', begin: () => shim.fail(['write'], wal, 'ENOSPC', after()), end },
    { name: 'write error', refused: 'unknown', begin: () => shim.fail(['write'], wal, 'EIO', after()), end },
    { name: 'sync error', refused: 'unknown', begin: () => shim.fail(['sync'], '*hotline.db', 'EIO', after()), end },
    {
      name: 'read-only',
      refused: 'absent',
      begin: () => shim.fail(['write', 'open'], '*/data/hotline.db', 'EROFS'),
      end,
    },
  ]
}

/** Fills what is left of a file system. */
function fullDisk(path: string): Ailment {
  const ballast = join(path, 'ballast')
  return {
    name: 'a full file system',
    refused: 'absent',
    begin: () => {
      const file = openSync(ballast, 'w')
      try {
        for (let sizeBytes = 64 * 1024; sizeBytes >= 1024;) {
          try {
            writeSync(file, Buffer.alloc(sizeBytes))
          } catch {
            sizeBytes /= 2 // Until nothing more fits.
          }
        }
      } finally {
        closeSync(file)
      }
    },
    end: () => rm(ballast),
  }
}

/** A file system of its own, so small that it can be filled. */
async function mountSmall(path: string): Promise<{ path: string } | { absent: string }> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return { absent: 'a small tmpfs needs root' }
  await mkdir(path)
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', path])
    return { path }
  } catch (error) {
    return { absent: `a small tmpfs cannot be mounted here (${String(error)})` }
  }
}
