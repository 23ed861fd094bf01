import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findProgram } from '@hotline/runner/process/find-program'
import { agentPath, installAgent } from '@hotline/testing/agents/install-agent'
import { type ModelServer, startModelServer } from '@hotline/testing/model/model-server'
import { type Intent, scripted } from '@hotline/testing/model/script'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest'
import type { RealAgent } from '../src/agents/agent-place.ts'
import { claudeCode } from '../src/agents/claude-code.ts'
import { codexAgent } from '../src/agents/codex-home.ts'

// `hotline agents test` on agents' own programs. Its message is fixed, so the script for the model is in the notes that
// each of them reads in the home of its person.
let model: ModelServer
let temp: TempDir
beforeAll(async () => {
  model = await startModelServer()
  temp = await openTempDir('hotline-trial-')
})
afterAll(async () => {
  await model[Symbol.asyncDispose]()
  await temp.remove()
})

/** The agent's environment, in a home of its own; skips the test where the agent cannot be installed. */
async function install(context: TestContext, { agent, packages }: RealAgent): Promise<Record<string, string>> {
  const installed = []
  for (const name of packages) {
    const found = await installAgent(name)
    if (!found.ok) return context.skip(found.why)
    installed.push(found)
  }
  const home = join(await realpath(temp.path), `${agent}-${context.task.id}`)
  mkdirSync(home)
  return { PATH: agentPath(installed), HOME: home, HOTLINE_DATA_DIR: join(home, 'data'), LANG: 'C.UTF-8' }
}

function hotline(args: readonly string[], env: Record<string, string>): Promise<{ code: number | null; out: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../packages/cli/bin/hotline.js'), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out })))
}

const notes = (call: Intent): string => scripted('notes', { calls: [call] }, { text: 'I was not allowed to.' })

test('[B72] claude: it is tried out with its own program, asks, hears a no, and ends', async (context) => {
  const env = await install(context, claudeCode)
  const home = env['HOME'] ?? ''
  mkdirSync(join(home, '.claude'))
  writeFileSync(join(home, '.claude/CLAUDE.md'), notes({ run: 'echo hello > hotline-test.txt' }))
  const own = await claudeCode.prepare({ home, url: model.url, openaiUrl: model.openaiUrl })
  const { code, out } = await hotline(['agents', 'test', 'claude', '--yes'], { ...env, ...own })
  expect(out).toMatch(/^ok {5}There is a sign-in, or a key, for it\.$/m)
  expect(out).toMatch(/^ok {5}It asks before it acts: /m)
  expect(out).toMatch(/^ok {5}Nothing happened after the no\.$/m)
  expect(out).toMatch(/^ok {5}It ends, with everything that it started\.$/m)
  expect([out.split('\n').at(-2), code]).toEqual(['claude works.', 0])
})

test('[B72] codex: it is tried out with its own program; where its models are is its own affair', async (context) => {
  const env = await install(context, codexAgent)
  const home = env['HOME'] ?? ''
  const own = await codexAgent.prepare({ home, url: model.url, openaiUrl: model.openaiUrl })
  writeFileSync(join(home, '.codex/AGENTS.md'), notes({ write: { path: 'hotline-test.txt', text: 'hello\n' } }))
  const { code, out } = await hotline(['agents', 'test', 'codex', '--yes'], { ...env, ...own })
  // Its settings name a provider of their own.
  expect(out).toMatch(/^\? {6}Whether somebody has signed in cannot be seen from outside\.$/m)
  expect(out).toMatch(/^ok {5}It asks before it acts: /m)
  expect(out).toMatch(/^ok {5}Nothing happened after the no\.$/m)
  expect([out.split('\n').at(-2), code]).toEqual(['codex works.', 0])
})

test('[AP13] codex: a key in the environment alone is no sign-in, as codex itself says', async (context) => {
  const env = await install(context, codexAgent)
  const keys = { OPENAI_API_KEY: 'sk-test', CODEX_API_KEY: 'sk-test' }
  const app = spawn(findProgram('codex', env['PATH']) ?? '', ['app-server'], {
    env: { ...env, ...keys },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const lines = createInterface({ input: app.stdout })
  const ask = (id: number, method: string, params: object): boolean =>
    app.stdin.write(`${JSON.stringify({ id, method, params })}\n`)
  ask(1, 'initialize', { clientInfo: { name: 'hotline-test', title: 'test', version: '1' } })
  for await (const line of lines) {
    const { id, result } = JSON.parse(line) as {
      id?: number
      result?: { account: unknown; requiresOpenaiAuth: boolean }
    }
    if (id === 1) ask(2, 'account/read', { refreshToken: false })
    if (id !== 2) continue
    expect(result).toMatchObject({ account: null, requiresOpenaiAuth: true })
    break
  }
  const ended = new Promise((resolve) => app.once('exit', resolve))
  app.kill()
  await ended
  const { out } = await hotline(['--json', 'agents', '--here'], { ...env, ...keys })
  const rows = JSON.parse(out) as { agent: string; state: string; hint?: string }[]
  expect(rows.find(({ agent }) => agent === 'codex')).toMatchObject({
    state: 'signed_out',
    hint: expect.stringContaining('codex login --with-api-key') as string,
  })
})
