import { httpRequest } from '@hotline/client/http-request'
import type { PolicyPage } from '@hotline/protocol/policy'
import { serverStream } from '@hotline/protocol/stream'
import { describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()
const cwd = '/w/app'
const asked = (command: string) => ({ tool: 'execute', title: command, input: JSON.stringify({ command }), cwd })

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = startHotlineProcess(args, scene.env)
  hotline.endInput()
  return await hotline.ended
}

describe('mode', () => {
  it('[B95] says what a session does not ask, switches it on and off, and status and ls say it too', async () => {
    const agent = await scene.live.startSession('Goes on alone')
    const { session } = agent
    expect((await run('mode', session)).out).toBe('everything is asked\n')
    expect(await run('mode', session, 'hands-free', '--minutes', '12')).toMatchObject({
      code: 0,
      out: expect.stringContaining('For 12 minutes.') as string,
    })
    expect((await run('mode', session)).out).toBe('hands-free, 12 min left, by @dana\n')
    expect((await run('status', session)).out).toMatch(/^not asked +hands-free, 12 min left$/m)
    expect((await run('ls')).out).toMatch(/Goes on alone\n +hands-free, 12 min left\n/)
    await agent.ask(asked('npm test'))
    const logs = (await run('logs', session)).out
    expect(logs).toMatch(/allowed: hands-free, by @?dana/)
    expect(logs).toMatch(/dana: Hands-free\./)
    expect((await run('mode', session, 'edits')).code).toBe(0)
    expect((await run('mode', session)).out).toBe('edits are free, by @dana\n')
    expect((await run('mode', session, 'ask')).code).toBe(0)
    expect(JSON.parse((await run('--json', 'mode', session)).out)).toBeNull()
  })

  it('[B95] what is no mode is refused, and says what there is', async () => {
    const { session } = await scene.live.startSession()
    const refused: readonly [string[], string][] = [
      [['free'], 'ask, edits or hands-free'],
      [['hands-free', '--minutes', '0'], 'from 1 to 480'],
      [['hands-free', '--minutes', '481'], 'from 1 to 480'],
      [['edits', '--minutes', '5'], 'hands-free'],
      [['--minutes', '5'], 'hands-free'],
    ]
    for (const [args, why] of refused) {
      const { code, err } = await run('mode', session, ...args)
      expect([args, code]).toEqual([args, 2])
      expect(err).toContain(why)
    }
    expect((await run('mode', session)).out).toBe('everything is asked\n')
  })
})

describe('approve --always', () => {
  const rules = async (): Promise<PolicyPage['rules']> =>
    (JSON.parse((await run('--json', 'policy', 'ls')).out) as PolicyPage).rules

  it('[B96] shows the narrowest rule and writes it with the answer; the next one is not asked', async () => {
    const agent = await scene.live.startSession('Runs its tests')
    const { approval, digest } = await agent.ask(asked('cargo test'))
    const allowed = await run('approve', approval, '--digest', digest, '--always')
    expect(allowed).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^allowed, from now on by the rule /) as string,
    })
    expect(allowed.err).toMatch(/\| Allow exactly: cargo test, with the tool "execute", asked by "demo", until 2/)
    expect(await rules()).toMatchObject([
      { effect: 'allow', match: { agent: 'demo', tool: 'execute', does: 'run', command: ['cargo', 'test'] } },
    ])
    const answers = async () =>
      (await scene.live.stored(agent.session)).flatMap(({ type, actor }) =>
        type === 'approval.resolved' ? [actor.kind] : [],
      )
    expect(await answers()).toEqual(['person'])
    await agent.ask(asked('cargo test'))
    expect(await answers()).toEqual(['person', 'system'])
  })

  it('[B104] says before anything is written that a rule of the server goes on asking', async () => {
    const password = 'a long walk over the wet meadow'
    const { url, token } = scene.live
    const credential = { kind: 'token', token } as const
    await httpRequest(url, credential, 'POST', '/api/auth/confirm', { password })
    const link = scene.live.link()
    const asks = await link.command(serverStream, 'policy.set_rule', { effect: 'ask', match: { command: ['cargo'] } })
    if (!asks.ok) throw new Error(asks.problem.detail)
    const agent = await scene.live.startSession('Is asked all the same')
    const { approval, digest } = await agent.ask(asked('cargo clippy'))
    const { err, code } = await run('approve', approval, '--digest', digest, '--always')
    expect(code).toBe(0)
    expect(err).toMatch(
      /\| Allow exactly: cargo clippy.*\nIt would not count here\. A rule of this server goes on asking/,
    )
    await link.command(serverStream, 'policy.revoke_rule', { rule: asks.accepted.id, effect: 'ask' })
  })

  it('[B96] where no rule can say it nothing is decided, and why is said', async () => {
    const agent = await scene.live.startSession()
    const before = (await rules()).length
    const unsayable = [
      asked('rm -rf x'),
      asked('npm test; npm run x'),
      { tool: 'launch', title: 'Launch', input: '{"rocket":1}', cwd },
    ]
    for (const request of unsayable) {
      const { approval, digest } = await agent.ask(request)
      const refused = await run('approve', approval, '--digest', digest, '--always')
      expect(refused.err).toContain('It cannot be allowed always')
      expect(refused.code).not.toBe(0)
    }
    const { approval, digest } = await agent.ask(asked('cargo build'))
    for (const more of [
      ['--for', 'once'],
      ['--input', '/dev/null'],
    ]) {
      expect(await run('approve', approval, '--digest', digest, '--always', ...more)).toMatchObject({ code: 2 })
    }
    expect(await rules()).toHaveLength(before)
    const resolved = (await scene.live.stored(agent.session)).filter(({ type }) => type === 'approval.resolved')
    expect(resolved).toEqual([])
  })
})
