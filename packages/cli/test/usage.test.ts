import { describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

function run(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  return startHotlineProcess(['usage', ...args], scene.env).ended
}

describe('hotline usage', () => {
  it('[B119] tells what agents used up, added up as one likes', async () => {
    expect(await run()).toMatchObject({ code: 0, out: 'No agent told of any usage.\n' })
    for (const [title, amount] of [
      ['Mend it', 0.25],
      ['Paint it', 0.5],
    ] as const) {
      const hand = await scene.live.startSession(title)
      const cost = { amount, currency: 'USD' }
      await hand.report({ type: 'usage.reported', data: { inputTokens: 100, outputTokens: 10, cost } })
    }
    const { out } = await run()
    expect(out).toMatch(/^Paint it {2}\S+ {2}1 session {2}100 in {2}10 out {2}0\.50 USD\nMend/)
    expect((await run('--by', 'person')).out).toMatch(/^dana {2}\S+ {2}2 sessions {2}200 in {2}20 out {2}0\.75 USD\n$/)
    expect((await run('--by', 'day', '--days', '1')).out).toMatch(/^\d{4}-\d\d-\d\d {2}2 sessions/)
    expect((await run('--days', 'many')).err).toContain('--days is a number')
    expect((await run('--by', 'colour')).code).not.toBe(0)
    expect((await run('--project', 'nobodys')).code).toBe(4)
  })
})
