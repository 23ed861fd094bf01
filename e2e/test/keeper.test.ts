import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, it } from 'vitest'
import { startHotline } from '../src/hotline.ts'
import { finishAndCompare, openScene } from '../src/scene.ts'

it('[R111] the runner is killed at random while five sessions stream, and their agents go on', async () => {
  const random = seededRandom(randomSeed('killing the runner'))
  const hotline = await startHotline()
  const scene = await openScene(hotline, 5)
  try {
    const first = scene.sessions[0] ?? ''
    await hotline.api.until(first, 'work', (state) => state.turn !== undefined)
    for (let kill = 0; kill < 2; kill += 1) {
      const oracle = scene.oracles[0]
      const stream = `session:${scene.sessions[random.int(0, 4)]}`
      const at = oracle?.at(stream) ?? 0
      const more = random.int(1, 12)
      let looks = random.int(1, 60)
      await waitFor(() => (oracle?.at(stream) ?? 0) >= at + more || --looks <= 0, { what: 'a moment to kill at' })
      const pid = hotline.pidOf('runner')
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
      await waitFor(() => hotline.pidOf('runner') !== undefined && hotline.pidOf('runner') !== pid, {
        deadlineMs: 30_000,
        what: 'another runner',
      })
    }
    await finishAndCompare(hotline, scene)
    expect(hotline.printed).toContain('Its agents go on')
  } finally {
    await scene.close()
    await hotline[Symbol.asyncDispose]()
  }
})
