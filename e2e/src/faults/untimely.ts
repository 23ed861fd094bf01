import { failpointNames } from '@hotline/server/log/failpoints'
import type { SeededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import type { Crowd } from './crowd.ts'
import type { DiskShim } from './disk-shim.ts'
import type { ServerProcess } from './server-process.ts'

/** Places in the way of a commit. */
export const commitFailpoints = failpointNames.slice(0, 4)

/** How a life of the server ends: from outside, at a failpoint, or at some write to its files. */
export type Death = 'random' | 'failpoint' | 'write'

/** A life that was to end by itself and does not is ended from outside. */
const deathDeadlineMs = 20_000

/**
 * Lets the crowd work until this life of the server has ended. A death at a failpoint needs a life of its own, so the
 * present one is ended first. What was under way is delivered to the next life.
 */
export async function untilKilled(
  server: ServerProcess,
  crowd: Crowd,
  random: SeededRandom,
  death: Death,
  shim: DiskShim | { absent: string },
): Promise<void> {
  if (death === 'failpoint') {
    await server.kill()
    const failpoint = `${random.pick(commitFailpoints)}:kill:${random.int(1, 60)}`
    if ((await server.start({ HOTLINE_FAILPOINT: failpoint })) === 'ended') return
  }
  if (death === 'write' && !('absent' in shim)) {
    shim.fail(['write', 'sync'], random.pick(['hotline.db-wal', '*hotline.db']), 'kill', random.int(0, 80))
  }
  const { lives } = server
  const over = new AbortController()
  const ended = server.ended().then(() => over.abort())
  const working = (async () => {
    while (!over.signal.aborted) {
      for (let acts = random.int(0, 4); acts > 0; acts -= 1) crowd.act()
      await Promise.race([ended, crowd.work()])
    }
  })()
  if (death === 'random') {
    const wanted = crowd.reported + random.int(1, 60)
    await waitFor(() => crowd.reported >= wanted, {
      what: 'a moment to kill at',
      everyMs: random.int(1, 7),
      deadlineMs: deathDeadlineMs,
    })
    await server.kill()
  } else {
    await Promise.race([
      ended,
      waitFor(() => over.signal.aborted, { what: 'its own end', deadlineMs: deathDeadlineMs }).catch(() =>
        server.kill(),
      ),
    ])
  }
  await working
  if (!('absent' in shim)) shim.heal()
  if (lives !== server.lives) throw new Error('somebody else started the server')
}
