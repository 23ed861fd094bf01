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

describe('an agent that asks for much at once, from the command line', () => {
  it('[AQ8] [AQ3] shows what is open, how many wait behind, and why what waits cannot be decided', async () => {
    const runner = await scene.live.startSession()
    const asked = []
    for (let at = 1; at <= 7; at += 1)
      asked.push(await runner.ask({ tool: 'bash', title: `No ${at}`, input: `ls ${at}` }))
    const [first, last] = [asked[0], asked[6]]
    if (!first || !last) throw new Error('nothing was asked')
    const { out } = await run('asks', runner.session)
    expect(out.match(/No [0-9]/g)).toEqual(['No 1', 'No 2', 'No 3', 'No 4', 'No 5'])
    expect(out).toMatch(/\n\n2 more wait behind these; the next comes up when one is answered\.\n$/)
    expect((await run('ls')).out).toContain('and 2 more behind these')
    const early = await run('deny', last.approval, '--digest', last.digest)
    expect(early).toMatchObject({ code: exitCodes.conflict })
    expect(early.err).toContain('It waits for its turn: 5 are open and come first, after 1 that wait before it.')

    // Who looks on sees each card when it can be decided.
    const attached = startHotlineProcess(['attach', runner.session], scene.env)
    await attached.says('waits for its turn: No 7')
    expect(attached.out).toContain('asks as well, and waits for its turn: No 6')
    expect(attached.out).not.toContain('ls 6')
    expect(await run('deny', first.approval, '--digest', first.digest)).toMatchObject({ code: 0 })
    await attached.says('ls 6')
    expect(attached.out).not.toContain('ls 7')
    attached.type('/quit')
    expect((await attached.ended).code).toBe(0)
    expect((await run('asks', runner.session)).out).toContain('1 more waits behind these')
  })
})
