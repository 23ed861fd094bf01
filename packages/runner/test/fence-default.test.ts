import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { openTempDir } from '@hotline/testing/temp-dir'
import { tempDirsIn } from '@hotline/testing/temp-dirs-in'
import { describe, expect, test } from 'vitest'
import { findFences } from '../src/process/namespace.ts'
import type { AgentProfile } from '../src/profiles/profile.ts'
import { type Bench, openBench } from './bench.ts'
import { demoAgent, type Holds } from './compose.ts'
import { profileOf } from './profile-of.ts'

// An agent behind a fence has a folder for temporary files of its own: what it must not reach lies elsewhere.
tempDirsIn('/var/tmp')

const { any, nesting } = await findFences(process.env['PATH'])
const speaking: AgentProfile = { ...profileOf('speaking', {}), argv: demoAgent }

/** Says whether it could write beside its folder. */
const beside = ['/bin/sh', '-c', 'if echo x > ../beside; then echo out; else echo in; fi 2>/dev/null'] as const

const program = (agent: string, more: Partial<AgentProfile> = {}): AgentProfile => ({
  ...profileOf(agent, {}),
  adapter: 'pipe',
  argv: beside,
  ...more,
})

async function fenceOf({ world, cwd }: Bench, agent: string, more: { unfenced?: true } = {}): Promise<unknown> {
  const prompt = scriptPrompt([{ do: 'say', text: 'here' }])
  const session = world.start(agent, { cwd, isolation: 'in_place', prompt, ...more })
  await world.until(session, 'a turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  const { fence } = world.state(session)
  world.send(session, 'session.abort', {})
  await world.until(session, 'its end', ({ status }) => status === 'aborted')
  return fence
}

describe.skipIf(!any)('where a machine can make fences', () => {
  test('[FE4] an agent is behind one without being told, and which is said before it starts', async () => {
    await using bench = await openBench({ profiles: [speaking, program('program')] })
    expect(await fenceOf(bench, 'speaking')).toBe('files')
    const rows = new Map(bench.world.announced.at(-1)?.agents.map((row) => [row.agent, row.fence]))
    expect(rows.get('speaking')).toBe('files')
    expect(rows.get('claude')).toBe('files')
    // Its own sandbox has to work inside.
    expect(rows.get('codex')).toBe(nesting ? 'files' : 'none')
    expect(rows.get('program')).toBe('none')
    expect(rows.get('log')).toBeUndefined()
  })

  test('[FE4] a start, a profile and a machine can each do without', async () => {
    await using bench = await openBench({ profiles: [speaking, { ...speaking, agent: 'free', contain: 'none' }] })
    expect(await fenceOf(bench, 'speaking', { unfenced: true })).toBe('none')
    expect(await fenceOf(bench, 'free')).toBe('none')
    await using without = await openBench({ profiles: [speaking], fences: false })
    expect(await fenceOf(without, 'speaking')).toBe('none')
    expect(without.world.announced.at(-1)?.agents.find(({ agent }) => agent === 'speaking')?.fence).toBe('none')
  })

  test('[FE4] a program is what its person made it, and is behind one where its profile says so', async () => {
    await using bench = await openBench({ profiles: [program('free'), program('fenced', { contain: 'auto' })] })
    const { world, cwd } = bench
    const says = async (agent: string): Promise<string> => {
      const session = world.start(agent, { cwd, unasked: true })
      await world.until(session, 'its end', ({ status }) => status === 'completed')
      return world.printed(session, 'stdout').trim()
    }
    expect(await says('free')).toBe('out')
    expect(await says('fenced')).toBe('in')
  })

  test('[FE3] what is to be behind one always is not started without', async () => {
    await using bench = await openBench({ profiles: [{ ...speaking, contain: 'files' }] })
    const session = bench.world.start('speaking', { cwd: bench.cwd, unfenced: true })
    await bench.world.until(session, 'the end', ({ status }) => status === 'failed')
    const [end] = bench.world.events(session, 'session.state_changed').slice(-1)
    expect(end?.body?.note).toContain('"contain: files"')
  })

  test('[FE5] an agent that works in the home folder has no keys there, and no data of Hotline', async () => {
    const look = 'cat .ssh/key .hotline/secret; echo mine > mine; ls .ssh; echo done'
    await using bench = await openBench({
      profiles: [program('looking', { argv: ['/bin/sh', '-c', `${look} 2>&1`], contain: 'files' })],
      before: ({ cwd, dataDir }) => {
        mkdirSync(join(cwd, '../.ssh'))
        writeFileSync(join(cwd, '../.ssh/key'), 'a key of a person')
        mkdirSync(dataDir, { recursive: true })
        writeFileSync(join(dataDir, 'secret'), 'of the runner')
      },
    })
    const { world, cwd } = bench
    const home = join(cwd, '..')
    const session = world.start('looking', { cwd: home, isolation: 'in_place', unasked: true })
    await world.until(session, 'its end', ({ status }) => status === 'completed')
    const printed = world.printed(session, 'stdout')
    expect(printed).toContain('done')
    expect(printed).not.toMatch(/a key of a person|of the runner/)
    expect(readFileSync(join(home, 'mine'), 'utf8')).toBe('mine\n')
  })

  test('[FE6] what an agent runs at each start stays as it is; the rest of its home is its own', async () => {
    const line = [
      'echo "{}" > $HOME/.claude/history.json && echo kept',
      'echo hooked > $HOME/.claude/settings.json || echo sealed',
      'echo hooked > $HOME/.claude/agents/mine.md || echo sealed',
      'mv $HOME/.claude/settings.json $HOME/.claude/old || echo sealed',
    ].join('; ')
    await using home = await openTempDir('hotline-home-')
    mkdirSync(join(home.path, '.claude/agents'), { recursive: true })
    // The home of an agent goes by the name of its program.
    mkdirSync(join(home.path, 'bin'))
    writeFileSync(join(home.path, 'bin/claude'), '#!/bin/sh\nexec /bin/sh "$@" 2>/dev/null\n', { mode: 0o755 })
    await using bench = await openBench({
      profiles: [program('claude-like', { argv: ['claude', '-c', line], contain: 'files' })],
      environment: { PATH: `${join(home.path, 'bin')}:${process.env['PATH']}`, HOME: home.path },
    })
    const { world, cwd } = bench
    const session = world.start('claude-like', { cwd, unasked: true })
    await world.until(session, 'its end', ({ status }) => status === 'completed')
    expect(world.printed(session, 'stdout')).toBe('kept\nsealed\nsealed\nsealed\n')
    expect(readFileSync(join(home.path, '.claude/settings.json'), 'utf8')).toBe('{}\n')
  })
})

describe.skipIf(!any).each(['itself', 'by keeper'] as const satisfies Holds[])(
  'a terminal behind a fence, held %s',
  (holds) => {
    test('[FE7] its keys reach the program and not the fence, and it changes nothing outside', async () => {
      const script = [
        'if echo x > ../beside; then echo out; else echo in; fi 2>/dev/null',
        'trap "echo heard" INT',
        'echo ready',
        'while read line; do [ "$line" = end ] && exit 3; echo "got $line"; stty size; done',
        'echo still; while read line; do [ "$line" = end ] && exit 3; done',
      ].join('\n')
      const screened = { ...program('screened', { argv: ['/bin/sh', '-c', script], contain: 'files' }) }
      await using bench = await openBench({ profiles: [{ ...screened, adapter: 'pty' }], holds })
      const { world, cwd } = bench
      const session = world.start('screened', { cwd, unasked: true })
      const printed = (text: string) => world.until(session, text, () => world.printed(session).includes(text))
      await printed('ready')
      expect(world.printed(session)).toContain('in\r\n')
      expect(world.state(session)).toMatchObject({ fence: 'files', status: 'active' })
      const { pid = 0 } = world.state(session)
      expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('sh\n')
      expect(() => process.kill(pid, 0)).not.toThrow()
      const type = (text: string): unknown => world.send(session, 'input.send', { text, encoding: 'utf8' })
      type('hello\r')
      await printed('got hello')
      await printed('40 120')
      type('\u0003')
      await printed('heard')
      type('end\r')
      await world.until(session, 'its end', ({ status }) => status === 'failed')
      expect(world.state(session).exit).toEqual({ code: 3, signal: null })
    })
  },
)
