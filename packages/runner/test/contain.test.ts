import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { describe, expect, test } from 'vitest'
import { findWrapper } from '../src/process/namespace.ts'
import { openBench } from './bench.ts'
import { demoAgent, type Holds } from './compose.ts'
import { profileOf } from './profile-of.ts'

const touch = ['/bin/sh', '-c', 'touch ran; cat'] as const
const contain = 'processes'

const profiles = [
  { ...profileOf('agent', {}), argv: demoAgent, contain },
  { ...profileOf('piped', {}), adapter: 'pipe', argv: touch, contain },
  { ...profileOf('screened', {}), adapter: 'pty', argv: touch, contain },
  { ...profileOf('prepared', {}), argv: demoAgent, isolation: 'copy', setup: touch, contain },
] as const

describe.each(['itself', 'by keeper'] as const satisfies Holds[])(
  'a profile that asks to be contained, held %s',
  (holds) => {
    test.each(['agent', 'piped', 'screened', 'prepared'])(
      '[T52] %s does not begin where nothing keeps together what it starts, and it is said why',
      async (agent) => {
        await using bench = await openBench({ profiles, holds, reach: 'scan' })
        const { world, cwd } = bench
        const session = world.start(agent, { cwd, unasked: true })
        await world.until(session, 'the end', ({ status }) => status === 'failed')
        const [end] = world.events(session, 'session.state_changed').slice(-1)
        expect(end?.data).toMatchObject({ reason: 'start_failed' })
        expect(end?.body?.note).toContain('its profile says "contain: processes"')
        expect(existsSync(join(cwd, 'ran'))).toBe(false)
        const places = join(bench.dataDir, 'worktrees')
        expect(existsSync(places) && existsSync(join(places, session, 'ran'))).toBe(false)
        // Others are not touched by what one profile wants.
        const other = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'say', text: 'here' }]) })
        await world.until(other, 'a turn', ({ counts, turn }) => counts.turns === 1 && !turn)
      },
    )
  },
)

test('[T52] it begins where the kernel keeps it together, and how is said', async ({ skip }) => {
  if ((await findWrapper(process.env['PATH'])) === undefined) return skip('bubblewrap does not work here')
  await using bench = await openBench({ profiles, reach: 'namespace' })
  const { world, cwd } = bench
  const session = world.start('agent', { cwd, prompt: scriptPrompt([{ do: 'say', text: 'here' }]) })
  await world.until(session, 'a turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.state(session).reach).toBe('namespace')
  // A namespace is not made around a terminal.
  const screened = world.start('screened', { cwd, unasked: true })
  await world.until(screened, 'the end', ({ status }) => status === 'failed')
  expect(existsSync(join(cwd, 'ran'))).toBe(false)
})
