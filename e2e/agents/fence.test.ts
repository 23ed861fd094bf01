import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findWrapper } from '@hotline/runner/process/namespace'
import { scripted } from '@hotline/testing/model/script'
import { tempDirsIn } from '@hotline/testing/temp-dirs-in'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, describe, expect, test } from 'vitest'
import { type AgentPlace, openAgentPlace, type RealAgent } from '../src/agents/agent-place.ts'
import { AgentTalk } from '../src/agents/agent-talk.ts'
import { claudeCode } from '../src/agents/claude-code.ts'
import { codexAgent } from '../src/agents/codex-home.ts'
import { openCode } from '../src/agents/open-code.ts'

// Behind a fence there is another folder for temporary files: homes are elsewhere here, as they are with people.
tempDirsIn('/var/tmp')

describe.each<RealAgent>([claudeCode, openCode, codexAgent])('$agent behind a fence', (real) => {
  let place: AgentPlace | { why: string } | undefined
  afterEach(async () => {
    if (place && !('why' in place)) await place[Symbol.asyncDispose]()
  })

  test('[T52] [AG17] works as ever in its folder, and what it was allowed to run changes nothing outside of it', async (context) => {
    if ((await findWrapper(process.env['PATH'], 'files')) === undefined)
      return context.skip('bubblewrap does not work here')
    place = await openAgentPlace(real)
    if ('why' in place) return context.skip(place.why)
    const { hotline, model, work, home } = place
    mkdirSync(join(hotline.dataDir, 'agents'), { recursive: true, mode: 0o700 })
    const profile = `extends: ${real.agent}\nname: Fenced\ncontain: files\n`
    writeFileSync(join(hotline.dataDir, 'agents/fenced.yaml'), profile, { mode: 0o600 })
    const known = async (): Promise<boolean> => {
      const { agents } = await hotline.api.get<{ agents: { agent: string }[] }>('/api/agents')
      return agents.some(({ agent }) => agent === 'fenced')
    }
    await waitFor(known, { what: 'the profile' })
    const cwd = join(work, 'project')
    mkdirSync(cwd)
    const line = `echo out > ${home}/escaped; echo out > ${work}/beside; echo in > ${cwd}/inside.txt`
    // Codex asks only for what its own sandbox would refuse.
    const out = { sandbox_permissions: 'require_escalated', justification: 'to make files' }
    const call = { run: line, ...(real.agent === 'codex' ? { with: out } : {}) }
    const prompt = scripted('go', { calls: [call] }, { text: 'Done.' })
    const session = await hotline.api.start('fenced', prompt, { cwd, isolation: 'in_place' })
    const talk = new AgentTalk({ api: hotline.api, model, session, cwd })
    await talk.decide(await talk.ask(), 'allow')
    await talk.turns(1)
    expect(readFileSync(join(cwd, 'inside.txt'), 'utf8')).toBe('in\n')
    expect(existsSync(join(home, 'escaped'))).toBe(false)
    expect(existsSync(join(work, 'beside'))).toBe(false)
    expect((await hotline.api.state(session)).fence).toBe('files')
    await talk.send(scripted('more', { text: 'Here I am.' }))
    await talk.turns(2)
    expect(await talk.said()).toContain('Here I am.')
    await hotline.api.command(talk.stream, 'session.abort', {})
    await talk.until('its end', ({ status }) => status === 'aborted')
  })
})
