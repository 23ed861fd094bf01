import type { HandRunner } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'
import { beforeAll, describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()
let hand: HandRunner

beforeAll(async () => {
  hand = await scene.live.startSession('Mend the gate')
  const said = (message: string, text: string) =>
    ({ type: 'message.posted', data: { message, role: 'agent', chars: 1, queued: false }, body: { text } }) as const
  await hand.report(said('m1', 'The quince\u001b[2J gate\nis mended'), said('m2', 'The quince fence is not'))
  await waitFor(async () => (await run(['quince', '--limit', '5'])).out.includes('fence') || undefined, {
    what: 'the index to be where the log is',
  })
})

function run(args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  return startHotlineProcess(['search', ...args], scene.env).ended
}

describe('hotline search', () => {
  it('[B108] prints where each place is, who said it and what, with nothing that moves a cursor', async () => {
    const { out, err, code } = await run(['quince', 'gate'])
    expect({ err, code }).toEqual({ err: '', code: 0 })
    const place = `(session ${hand.session.slice(0, 8)}, event \\d+)`.replaceAll(/[()]/g, String.raw`\$&`)
    expect(out).toMatch(
      new RegExp(String.raw`^\S+Z {2}Mend the gate ${place} demo, message\n {4}The quince gate is mended\n$`),
    )
  })

  it('[B108] is narrowed by what is given, and answers as JSON', async () => {
    const asJson = await run(['--json', 'quince', '--not', 'is mended', '--session', hand.session.slice(0, 8)])
    expect(JSON.parse(asJson.out)).toMatchObject([
      { session: hand.session, kind: 'message', snippet: 'The quince fence is not', ranges: [[4, 10]] },
    ])
    expect((await run(['quince', '--kind', 'output'])).out).toBe('Nothing was found.\n')
    expect((await run(['"fence quince"'])).out).toBe('Nothing was found.\n')
    expect((await run(['--kind', 'all', 'x'])).code).toBe(2)
    expect((await run(['x', '--limit', 'many'])).code).toBe(2)
    expect((await run([])).code).toBe(2)
  })
})
