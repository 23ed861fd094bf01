import { beforeAll, describe, expect, it } from 'vitest'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()
let hand: HandRunner

beforeAll(async () => {
  hand = await scene.live.startSession('Taken away')
  const data = { message: 'm1', role: 'agent', chars: 1, queued: false } as const
  await hand.report({ type: 'message.posted', data, body: { text: 'hello\u001b[2J there' } })
})

function run(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  return startHotlineProcess(['export', ...args], scene.env).ended
}

describe('hotline export', () => {
  it('[B113] prints a whole session, with nothing that moves a cursor', async () => {
    const { out, err, code } = await run(hand.session)
    expect({ err, code }).toEqual({ err: '', code: 0 })
    expect(out).toMatch(/^# Taken away\n\n- Session: /)
    expect(out).toContain('\n> hello\\u{1b}[2J there\n')
  })

  it('[B113] prints every event as one JSON document, and says what formats there are', async () => {
    const whole = JSON.parse((await run('--format', 'json', hand.session)).out) as { events: unknown }
    expect(whole.events).toEqual(await scene.live.stored(hand.session))
    const wrong = await run('--format', 'pdf', hand.session)
    expect(wrong.code).toBe(2)
    expect(wrong.err).toContain('markdown')
  })
})
