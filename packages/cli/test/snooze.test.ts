import { exitCodes } from '@hotline/protocol/error'
import { describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = startHotlineProcess(args, scene.env)
  hotline.endInput()
  return await hotline.ended
}

describe('putting something aside from the command line', () => {
  it('[B98] [B105] snooze puts it aside for oneself and brings it back, and asks says so', async () => {
    const runner = await scene.live.startSession()
    const asked = await runner.ask({ tool: 'bash', title: 'Run the tests', input: 'npm test' })
    await runner.report({ type: 'question.asked', data: { question: 'q-region' }, body: { text: 'Which region?' } })
    expect(await run('snooze', asked.approval, '--for', '15m')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^It comes back (\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\n$/) as string,
    })
    expect((await run('snooze', 'q-region', '--until', 'tomorrow')).code).toBe(0)
    const { out } = await run('asks', runner.session)
    expect(out.match(/snoozed by you until /g)).toHaveLength(2)
    const lines = (await run('--json', 'asks', runner.session)).out.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as { snoozedUntil?: string })).toMatchObject([
      { approval: asked.approval, snoozedUntil: expect.any(String) as string },
      { question: 'q-region', snoozedUntil: expect.any(String) as string },
    ])
    expect((await run('ls')).out).toMatch(
      / 2 snoozed .*\n +asks: \S+ \(snoozed\)\n +asks: q-region \(a question, snoozed\)\n/,
    )
    expect(await run('snooze', 'q-region', '--back')).toMatchObject({ code: 0, out: 'It is back.\n' })
    expect((await run('asks', 'q-region')).out).not.toContain('snoozed')

    // Longer than its own time: it says that it comes back before.
    expect((await run('snooze', asked.approval, '--for', '100h')).out).toContain('its own time ends soon after')
    // It is open as before.
    expect(await run('deny', asked.approval, '--digest', asked.digest)).toMatchObject({ code: 0 })
    expect(await run('snooze', asked.approval)).toMatchObject({ code: exitCodes['not-found'] })
  })

  it('[B98] what it cannot mean is refused, and nothing is put aside', async () => {
    const runner = await scene.live.startSession()
    const one = await runner.ask({ tool: 'bash', title: 'One', input: 'ls 1' })
    await runner.ask({ tool: 'bash', title: 'Two', input: 'ls 2' })
    const invalid = exitCodes.invalid
    for (const [why, ...args] of [
      ['--for takes a time', one.approval, '--for', 'long'],
      ['--until takes', one.approval, '--until', '8'],
      ['over already', one.approval, '--until', '2020-01-01T08:00'],
      ['30 days', one.approval, '--for', '1000h'],
      ['Only one of', one.approval, '--for', '1h', '--back'],
      ['name one of', runner.session],
    ] as const) {
      const { code, err, out } = await run('snooze', ...args)
      expect([why, code, out, err.includes(why)]).toEqual([why, invalid, '', true])
    }
    expect((await run('asks', runner.session)).out).not.toContain('snoozed')
  })
})
