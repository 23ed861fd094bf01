import { exitCodes } from '@hotline/protocol/error'
import { expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = startHotlineProcess(args, scene.env)
  hotline.endInput()
  return await hotline.ended
}

it('[DV10] recall takes back what was allowed, and says who was first where the agent had the answer', async () => {
  const hand = await scene.live.startSession('Taken back')
  const allow = async (): Promise<string> => {
    const asked = await hand.ask({ tool: 'bash', title: 'Drop it', input: 'drop it' })
    const outcome = await scene.live.link().command(hand.stream, 'approval.decide', { ...asked, verdict: 'allow' })
    expect(outcome).toMatchObject({ ok: true })
    return asked.approval
  }
  const taken = await allow()
  const answer = await run('recall', taken.slice(0, 8))
  expect(answer).toMatchObject({ code: 0, err: '' })
  expect(answer.out).toContain('Taken back. The agent is told no, unless')
  const again = await run('recall', taken)
  expect(again).toMatchObject({ code: exitCodes.conflict })
  expect(again.err).toContain('taken back already')
  await hand.report({ type: 'approval.dispatch_refused', data: { approval: taken, reason: 'recalled' } })

  const late = await allow()
  await hand.report({ type: 'approval.dispatched', data: { approval: late } })
  const refused = await run('recall', late)
  expect(refused).toMatchObject({ code: exitCodes.conflict })
  expect(refused.err).toContain('Too late')
  expect((await run('recall', 'f'.repeat(8))).code).toBe(exitCodes['not-found'])
  const { out } = await run('logs', hand.session)
  expect(out).toContain('@dana took back that it was allowed.')
  expect(out).toContain('The answer did not reach the agent: it was taken back before.')
  const audit = await run('audit', '--type', 'approval.recalled')
  expect(audit.out).toContain('dana: allowance taken back [Taken back · Drop it]')
})
