import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitCodes } from '@hotline/protocol/error'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'

let home: TempDir
let place: string
let count = 0

beforeAll(async () => {
  home = await openTempDir('hotline-agents-test-')
})
afterAll(async () => await home.remove())
beforeEach(() => {
  place = join(home.path, `place-${(count += 1)}`)
  mkdirSync(join(place, 'data/agents'), { recursive: true, mode: 0o700 })
  mkdirSync(join(place, 'bin'))
  mkdirSync(join(place, 'home'))
})

/** The real command, on a machine that has what lies in `bin`, and no server. */
async function hotline(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const started = startHotlineProcess(args, {
    PATH: `${join(place, 'bin')}:/usr/bin:/bin`,
    HOME: join(place, 'home'),
    HOTLINE_DATA_DIR: join(place, 'data'),
    HOTLINE_URL: 'http://127.0.0.1:9',
  })
  started.endInput()
  return await started.ended
}

function writeProfile(name: string, text: string): string {
  const file = join(place, 'data/agents', name)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

function plant(name: string, ...lines: readonly string[]): void {
  writeFileSync(join(place, 'bin', name), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 })
}

const wrong = exitCodes.invalid

describe('agents', () => {
  it('[B70] --here says how things stand on this machine, without a server', async () => {
    plant('gemini', 'echo 0.61.0')
    plant('qwen', 'echo "qwen 0.24.4"')
    mkdirSync(join(place, 'home/.qwen'))
    writeFileSync(join(place, 'home/.qwen/oauth_creds.json'), '')
    writeProfile('guide.yaml', 'extends: demo\ndescription: Shows around\ninteractive:\n  enabled: true\n')
    writeProfile('later.yaml', 'extends: demo\ninteractive: {}\n')
    writeProfile('bad.yaml', 'command: 5\n')
    const { code, out } = await hotline('agents', '--here')
    expect(code).toBe(0)
    expect(out).toMatch(/^gemini +not signed in +0\.61\.0 +Nobody has signed in with it here\. Run gemini/m)
    expect(out).toMatch(/^qwen +ready +0\.24\.4 +Qwen Code$/m)
    expect(out).toMatch(/^copilot +not installed +Install it with: npm install -g @github\/copilot$/m)
    expect(out).toMatch(
      /^guide +ready +Shows around\n +takes messages · asks: allow, deny · has questions( · behind a fence)?$/m,
    )
    expect(out).toMatch(/^later +turned off +It is turned off/m)
    expect(out).toMatch(/^bad +profile wrong +Its profile is wrong: bad\.yaml:1:10: "command" has to be text/m)
    expect(out).toMatch(/^command +ready +Any program, in a terminal\n +takes keys · asks nobody$/m)
    const json = JSON.parse((await hotline('--json', 'agents', '--here')).out) as { agent: string; state: string }[]
    expect(json.find(({ agent }) => agent === 'gemini')).toMatchObject({ state: 'signed_out', version: '0.61.0' })
  })

  it('[B71] check says all that is wrong, and where', async () => {
    expect(await hotline('agents', 'check')).toMatchObject({
      code: 0,
      out: expect.stringContaining('No profile lies in'),
    })
    const good = writeProfile('good.yaml', 'command: cat\n')
    expect(await hotline('agents', 'check')).toMatchObject({ code: 0, out: 'The profile is right.\n' })
    const bad = writeProfile('bad.yaml', 'command: cat\nenv: [NODE_OPTIONS]\ninteractive:\n  resume_comand: x\n')
    const said = [
      `${bad}:2:7: The variable NODE_OPTIONS is never handed to an agent.`,
      `${bad}:4:3: There is no key "resume_comand" here. Did you mean "resume_cmd"?`,
    ]
    expect(await hotline('agents', 'check')).toMatchObject({ code: wrong, out: `${said.join('\n')}\n` })
    expect(await hotline('agents', 'check', good)).toMatchObject({ code: 0 })
    const { code, out } = await hotline('--json', 'agents', 'check', bad)
    expect(code).toBe(wrong)
    expect(JSON.parse(out)).toMatchObject({
      files: [bad],
      problems: [
        { line: 2, column: 7 },
        { line: 4, column: 3 },
      ],
    })
    expect(await hotline('agents', 'check', join(place, 'nowhere.yaml'))).toMatchObject({
      code: wrong,
      out: expect.stringContaining(':1:1: The file cannot be read: ENOENT.'),
    })
  })

  it('[B72] test tries the demonstration agent by itself, and a profile that is made of it', async () => {
    writeProfile('guide.yaml', 'extends: demo\ninteractive:\n  enabled: true\n')
    for (const agent of ['demo', 'guide']) {
      const { code, out } = await hotline('agents', 'test', agent)
      expect(out.replace(/It is at .*/, 'It is here.').split('\n')).toEqual([
        'ok     It is here.',
        'ok     It starts in the mode "ask".',
        'ok     It takes a message.',
        'ok     It asks before it acts: Write hotline-test.txt',
        'ok     It hears a no.',
        'ok     It ends its turn.',
        'ok     Nothing happened after the no.',
        'ok     It ends, with everything that it started.',
        `${agent} works.`,
        '',
      ])
      expect(code).toBe(0)
    }
  })

  it('[B72] test asks before it uses a model, and finds out what does not work', async () => {
    plant('gemini', 'case "$1" in --version) echo 0.61.0;; *) echo "no key: $GEMINI_API_KEY" >&2; exit 3;; esac')
    const unasked = await hotline('agents', 'test', 'gemini')
    expect(unasked).toMatchObject({ code: wrong, out: '', err: expect.stringContaining('Say --yes if it may.') })
    const { code, out } = await hotline('agents', 'test', 'gemini', '--yes')
    expect(code).toBe(1)
    expect(out).toMatch(/^ok +It is version 0\.61\.0\.$/m)
    expect(out).toMatch(/^\? +No sign-in was found\. Nobody has signed in with it here\./m)
    expect(out).toMatch(/^FAIL +It does not start\..*no key:/m)
    expect(out).toContain('gemini does not work as it should.')
    // Nothing has to be agreed to where nothing can be started.
    expect(await hotline('agents', 'test', 'copilot')).toMatchObject({ code: 1, out: expect.stringContaining('FAIL') })
    const unknown = await hotline('agents', 'test', 'copilto')
    expect(unknown).toMatchObject({ code: exitCodes['not-found'], err: expect.stringContaining('"copilot"') })
  })

  it('[B72] test sees that an agent acts without asking', async () => {
    const agent = join(import.meta.dirname, '../../demo-agent/bin/demo-agent.js')
    const script = join(place, 'script.json')
    const write = [{ do: 'write', path: 'hotline-test.txt', content: 'x' }]
    writeFileSync(script, JSON.stringify(write))
    const command = JSON.stringify([process.execPath, agent, '--script', script])
    writeProfile('rash.yaml', `command: ${command}\nadapter: acp\nasking: [ask]\n`)
    const { code, out } = await hotline('agents', 'test', 'rash', '--yes')
    expect(out).toMatch(/^FAIL +It has written hotline-test\.txt without asking\.$/m)
    expect(code).toBe(1)
  })

  it('[B72] test starts a program, shows what it prints, and ends it', async () => {
    plant('talk', `echo "I am here"; echo $$ > ${join(place, 'pid')}; exec sleep 1000`)
    writeProfile('talk.yaml', 'command: talk\ninteractive:\n  enabled: true\n  output_capture: pty\n')
    const { code, out } = await hotline('agents', 'test', 'talk')
    expect(out).toMatch(/^ok +It prints: I am here$/m)
    expect(code).toBe(0)
    const pid = Number(readFileSync(join(place, 'pid'), 'utf8'))
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })
})
