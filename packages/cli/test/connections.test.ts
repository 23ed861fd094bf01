import { waitFor } from '@hotline/testing/wait-for'
import { describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

function run(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  return startHotlineProcess([...args, 'connections'], scene.env).ended
}

describe('hotline connections', () => {
  it('[B114] says who is connected, from where, since when and with how many streams', async () => {
    expect(await run()).toMatchObject({ code: 0, out: 'Nobody is connected.\n' })
    const hand = await scene.live.startSession('Followed')
    const link = scene.live.link()
    link.follow(hand.stream, 'now', { events: () => undefined })
    await waitFor(
      async () => JSON.parse((await run('--json')).out).some(({ streams }: { streams: number }) => streams === 1),
      {
        what: 'the follower',
      },
    )
    const { out } = await run()
    expect(out).toMatch(/^dana \(person\) {2}127\.0\.0\.1 {2}api:\S+ {2}since \d+s {2}heard \d+s ago {2}1 stream$/m)
    expect(out).toMatch(/ \(runner\) {2}127\.0\.0\.1 /)
  })
})
