import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openApprovals } from '@hotline/core/session/state'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { openTempDir } from '@hotline/testing/temp-dir'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Hotline, startHotline } from '../src/hotline.ts'
import { readMemory } from '../src/process-memory.ts'

/** The least number of approval rounds beside floods, for one without them in the same time: a tenth would be felt. */
const roundsShareMin = 0.05
const quietMs = 4_000

/** How long the floods run, and what a process may grow by meanwhile: three spools, a few times over. */
const floodMs = 10_000
const growthMaxMiB = 512

let hotline: Hotline
beforeAll(async () => {
  hotline = await startHotline()
})
afterAll(() => hotline[Symbol.asyncDispose]())

/** An agent asks, is allowed, and does it: over and over for so long. Answers how often. */
async function roundsIn(ms: number): Promise<number> {
  const { api } = hotline
  const prompt = scriptPrompt([
    {
      do: 'ask',
      title: 'Go on?',
      kind: 'execute',
      input: { command: 'ls' },
      onAllow: [{ do: 'say', text: 'I did.' }],
    },
  ])
  const until = performance.now() + ms
  let rounds = 0
  while (performance.now() < until) {
    const asking = await api.start('demo', prompt)
    const [open] = openApprovals(await api.until(asking, 'a question', (state) => openApprovals(state).length === 1))
    const { approval = '', digest = '' } = open ?? {}
    await api.command(`session:${asking}`, 'approval.decide', { approval, digest, verdict: 'allow' })
    await api.until(asking, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
    const said = (await api.events(asking)).filter(({ type }) => type === 'message.completed')
    expect(said.at(-1)?.body).toMatchObject({ text: 'I did.' })
    await api.command(`session:${asking}`, 'session.abort', {})
    rounds += 1
  }
  return rounds
}

/** Reads everything that a counting program printed; answers how far it came. Throws where a number is missing or doubled. */
async function countedTo(session: string): Promise<number> {
  interface Page {
    events: { type: string; seq: number; data: Record<string, unknown>; body?: { text?: string } }[]
    next: string
  }
  let [after, rest, last, seq] = ['0', '', 0, 0]
  for (;;) {
    const page: Page = await hotline.api.get(`/api/sessions/${session}/events?after=${after}`)
    if (page.events.length === 0) return last
    for (const { type, seq: at, data, body } of page.events) {
      if (at !== (seq += 1)) throw new Error(`event ${at} after ${seq - 1}`)
      if (type !== 'output.appended') continue
      // Where something of it was dropped, the runner would say so in a line of its own.
      if (data['source'] !== 'pty') throw new Error(`not everything was kept: ${body?.text}`)
      if (data['bytes'] !== Buffer.byteLength(body?.text ?? '')) throw new Error(`${seq} says another length`)
      const lines = `${rest}${body?.text}`.split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (Number(line) !== (last += 1)) throw new Error(`"${line}" after ${last - 1}`)
    }
    after = page.next
  }
}

describe('agents that print without end', () => {
  it('[T53] cost a bounded part of the memory, and another agent is served meanwhile; nothing of theirs is dropped in silence', async () => {
    const { api } = hotline
    await using dir = await openTempDir()
    const server = hotline.pidOf('server') ?? 0
    const runner = hotline.pidOf('runner') ?? 0
    const quiet = (await roundsIn(quietMs)) / quietMs
    const before = { server: readMemory(server), runner: readMemory(runner) }
    const floods: string[] = []
    const commands = [
      ['seq', '1', '1000000000'],
      ['cat', '/dev/zero'],
      ['cat', '/dev/urandom'],
    ]
    for (const command of commands) {
      // Where two work in one folder, the second is told so in a line of its own.
      const cwd = join(dir.path, String(floods.length))
      mkdirSync(cwd)
      floods.push(await api.start('command', '', { cwd, command }))
    }
    for (const flood of floods) await api.until(flood, 'output', ({ status }) => status === 'active')
    const pids = await Promise.all(floods.map(async (flood) => (await api.state(flood)).pid ?? 0))
    const rounds = await roundsIn(floodMs)
    for (const flood of floods) {
      await api.command(`session:${flood}`, 'session.abort', {})
      await api.until(flood, 'its end', ({ status }) => status === 'aborted')
    }
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([])
    const grownMiB = {
      server: (readMemory(server).peakBytes - before.server.residentBytes) / 1024 ** 2,
      runner: (readMemory(runner).peakBytes - before.runner.residentBytes) / 1024 ** 2,
    }
    const counted = await countedTo(floods[0] ?? '')
    const logMiB = statSync(join(hotline.dataDir, 'hotline.db')).size / 1024 ** 2
    const share = rounds / floodMs / quiet
    console.log(
      `${rounds} rounds beside the floods, ${share.toFixed(2)} of what it is without; counted to ${counted}; ` +
        `log ${logMiB.toFixed(0)} MiB; grown by ${grownMiB.server.toFixed(0)} (server) and ` +
        `${grownMiB.runner.toFixed(0)} MiB (runner)`,
    )
    expect(share).toBeGreaterThan(roundsShareMin)
    expect(counted).toBeGreaterThan(100_000)
    expect(grownMiB.server).toBeLessThan(growthMaxMiB)
    expect(grownMiB.runner).toBeLessThan(growthMaxMiB)
  })
})
