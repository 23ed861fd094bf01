import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openApprovals } from '@hotline/core/session/state'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Hotline, startHotline } from '../src/hotline.ts'
import { readMemory } from '../src/process-memory.ts'

/** How long the floods run, and what a process may grow by meanwhile: three spools, a few times over. */
const floodMs = 10_000
const growthMaxMiB = 512

let hotline: Hotline
beforeAll(async () => {
  hotline = await startHotline()
})
afterAll(() => hotline[Symbol.asyncDispose]())

describe('agents that print without end', () => {
  it('[T53] cost a bounded part of the memory, and another agent is served meanwhile', async () => {
    const { api, dataDir: cwd } = hotline
    const server = hotline.pidOf('server') ?? 0
    const runner = hotline.pidOf('runner') ?? 0
    const before = { server: readMemory(server), runner: readMemory(runner) }
    const floods = [
      await api.start('command', '', { cwd, command: ['yes', 'x'.repeat(200)] }),
      await api.start('command', '', { cwd, command: ['cat', '/dev/zero'] }),
      await api.start('command', '', { cwd, command: ['cat', '/dev/urandom'] }),
    ]
    for (const flood of floods) await api.until(flood, 'output', ({ status }) => status === 'active')
    const pids = await Promise.all(floods.map(async (flood) => (await api.state(flood)).pid ?? 0))
    const until = performance.now() + floodMs
    let rounds = 0
    while (performance.now() < until) {
      const asking = await api.start(
        'demo',
        scriptPrompt([
          {
            do: 'ask',
            title: 'Go on?',
            kind: 'execute',
            input: { command: 'ls' },
            onAllow: [{ do: 'say', text: 'I did.' }],
          },
        ]),
      )
      const [open] = openApprovals(await api.until(asking, 'a question', (state) => openApprovals(state).length === 1))
      const { approval = '', digest = '' } = open ?? {}
      await api.command(`session:${asking}`, 'approval.decide', { approval, digest, verdict: 'allow' })
      await api.until(asking, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
      const said = (await api.events(asking)).filter(({ type }) => type === 'message.completed')
      expect(said.at(-1)?.body).toMatchObject({ text: 'I did.' })
      await api.command(`session:${asking}`, 'session.abort', {})
      rounds += 1
    }
    for (const flood of floods) {
      await api.command(`session:${flood}`, 'session.abort', {})
      await api.until(flood, 'its end', ({ status }) => status === 'aborted')
    }
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([])
    const grownMiB = {
      server: (readMemory(server).peakBytes - before.server.residentBytes) / 1024 ** 2,
      runner: (readMemory(runner).peakBytes - before.runner.residentBytes) / 1024 ** 2,
    }
    const logMiB = statSync(join(hotline.dataDir, 'hotline.db')).size / 1024 ** 2
    console.log(
      `${rounds} rounds beside the floods; log ${logMiB.toFixed(0)} MiB; grown by ` +
        `${grownMiB.server.toFixed(0)} (server) and ${grownMiB.runner.toFixed(0)} MiB (runner)`,
    )
    expect(rounds).toBeGreaterThan(0)
    expect(grownMiB.server).toBeLessThan(growthMaxMiB)
    expect(grownMiB.runner).toBeLessThan(growthMaxMiB)
  })
})
