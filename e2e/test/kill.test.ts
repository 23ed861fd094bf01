import { randomSeed, type SeededRandom, seededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { describe, expect, it } from 'vitest'
import { type Hotline, startHotline } from '../src/hotline.ts'
import { finishAndCompare, openScene, type Scene } from '../src/scene.ts'

/** One that every run has, and one that no run had. */
const seeds = process.env['HOTLINE_TEST_SEED'] ? [Number(process.env['HOTLINE_TEST_SEED'])] : [1, randomSeed('killing')]

async function killServer(hotline: Hotline): Promise<void> {
  const pid = hotline.pidOf('server')
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
  await waitFor(() => hotline.pidOf('server') !== undefined && hotline.pidOf('server') !== pid, {
    deadlineMs: 30_000,
    what: 'another server',
  })
}

function sendNow(random: SeededRandom, scene: Scene): void {
  const oracle = scene.oracles[random.int(0, scene.oracles.length - 1)]
  const session = scene.sessions[random.int(0, scene.sessions.length - 1)]
  void oracle?.command(`session:${session}`, 'message.send', { text: `help` })
}

describe('killing', () => {
  it.each(seeds)(
    '[K1] the server is killed at random while 20 sessions stream to five readers each (seed %i)',
    async (seed) => {
      const random = seededRandom(seed)
      const hotline = await startHotline()
      const scene = await openScene(hotline, 20)
      try {
        await hotline.api.until(scene.sessions[0] ?? '', 'work', (state) => state.turn !== undefined)
        for (let kill = 0; kill < 4; kill += 1) {
          for (let command = random.int(1, 6); command > 0; command -= 1) sendNow(random, scene)
          const stream = `session:${scene.sessions[random.int(0, 19)]}`
          const oracle = scene.oracles[0]
          const at = oracle?.at(stream) ?? 0
          const more = random.int(1, 12)
          // Drawn before, so that a seed draws the same however often it is looked.
          let looks = random.int(1, 60)
          await waitFor(() => (oracle?.at(stream) ?? 0) >= at + more || --looks <= 0, {
            what: 'a moment to kill at',
          })
          await killServer(hotline)
        }
        await finishAndCompare(hotline, scene)
      } finally {
        await scene.close()
        await hotline[Symbol.asyncDispose]()
      }
    },
  )

  it.each(['before_write', 'after_write_before_sync', 'after_commit_before_publish', 'after_publish_before_ack'])(
    '[K2] every life of the server ends at the failpoint %s, and nothing is lost or doubled',
    async (point) => {
      const hotline = await startHotline()
      await hotline.interrupt()
      const scene = await (async () => {
        await hotline.restart({ HOTLINE_FAILPOINT: `${point}:kill:90` })
        return openScene(hotline, 20)
      })()
      try {
        const random = seededRandom(7)
        for (let command = 0; command < 8; command += 1) sendNow(random, scene)
        await finishAndCompare(hotline, scene)
        expect(hotline.printed).toContain('starting it again')
      } finally {
        await scene.close()
        await hotline[Symbol.asyncDispose]()
      }
    },
  )
})
