import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import type { CommandInput } from '@hotline/protocol/command'
import { startLiveServer } from '@hotline/testing/live-server'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { openBench } from './bench.ts'
import { composeBench } from './compose.ts'
import type { Oddness } from './odd-agent.ts'
import { profileOf } from './profile-of.ts'

/** Inputs that are JSON and that the server's strict reader takes in no frame, as they come from an agent. */
const rawInputs: readonly string[] = [
  '{"__proto__":{"isAdmin":true}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"id":9223372036854775807,"small":-9007199254740993}',
  '{"half":"\\ud800","\\udfff":1}',
  '{"zero":-0,"huge":1e400}',
  `{"many":[${'0,'.repeat(25_000)}0]}`,
  `{"deep":${'['.repeat(55)}${']'.repeat(55)}}`,
  '{"twice":1,"twice":2}',
]

test('[R35] odd values of one agent reach the log in another form, and cost nobody else anything', async () => {
  await using live = await startLiveServer()
  await using temp = await openTempDir('hotline-odd-')
  const update = (at: number, rawInput: string): string =>
    `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"$SESSION","update":{"sessionUpdate":"tool_call",` +
    `"toolCallId":"t${at}","title":"Step ${at} \\ud800","rawInput":${rawInput}}}}`
  const odd: Oddness = { modes: ['ask'], say: rawInputs.map((input, at) => update(at, input)) }
  const key = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
  const link = live.link({ credential: { kind: 'token', token: key }, client: 'runner' })
  let opened = 0
  link.connection.watch(({ status }) => {
    if (status === 'open') opened += 1
  })
  const logged: string[] = []
  const profiles = [profileOf('odd', odd)]
  const supervisor = composeBench({ folder: temp.path, link, write: (line) => logged.push(line), profiles })
  await supervisor.start()
  await supervisor.announced
  const credential = { kind: 'token', token: live.token } as const
  const start = async (more: Omit<CommandInput<'session.start'>, 'project'>): Promise<string> => {
    const session = uuidV7()
    const data = { project: 'default', cwd: temp.path, ...more }
    const command = { id: uuidV7(), stream: `session:${session}`, type: 'session.start', data }
    expect(await httpRequest(live.url, credential, 'POST', '/api/commands', command)).toMatchObject({ ok: true })
    return session
  }
  const stepsOf = async (session: string, type: string) =>
    (await live.stored(session)).filter((event) => event.type === type)
  try {
    const session = await start({ agent: 'odd', prompt: 'go' })
    await waitFor(async () => (await stepsOf(session, 'turn.ended')).length === 1, { what: 'the end of the turn' })
    const steps = await stepsOf(session, 'step.started')
    expect(steps.map(({ body }) => body?.['title'])).toEqual(rawInputs.map((_, at) => `Step ${at} \ufffd`))
    const shown: unknown[] = [
      { '[__proto__]': { isAdmin: true } },
      { constructor: { '[prototype]': { x: 1 } } },
      { id: '9223372036854776000', small: '-9007199254740992' },
      { half: '\ufffd', '\ufffd': 1 },
      { zero: 0, huge: null },
      expect.stringMatching(/^\{"many":\[0,0,.* \(\d+ characters in all\)$/),
      { deep: expect.anything() },
      { twice: 2 },
    ]
    expect(steps.map(({ body }) => body?.['input'])).toMatchObject(shown)
    expect(logged.filter((line) => line.includes('report refused'))).toEqual([])
    // Somebody else's agent on the same line: it works, and the line was never lost.
    const other = await start({ agent: 'demo', prompt: scriptPrompt([{ do: 'say', text: 'I am well.' }]) })
    await waitFor(async () => (await stepsOf(other, 'turn.ended')).length === 1, { what: 'the other one' })
    expect(opened).toBeLessThanOrEqual(1)
  } finally {
    await supervisor.stop(AbortSignal.timeout(5_000))
  }
})

test('[T53] what a tool prints beyond what a step shows is cut at its beginning, and says so', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const output = Array.from({ length: 20_000 }, (_, at) => `${at}\n`).join('')
  await bench.script([{ do: 'tool', title: 'Count', kind: 'execute', output }])
  const session = world.start('scripted', { cwd, prompt: 'go' })
  await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  const shown = world.events(session, 'step.finished').at(-1)?.body?.output ?? ''
  expect(shown).toMatch(/^…[\s\S]*\n19999\s*$/)
  expect(shown.length).toBeLessThan(output.length)
})
