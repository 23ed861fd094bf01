import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AnnounceBody } from '@hotline/protocol/http'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { openLog } from '../src/log.ts'
import { findProgram } from '../src/process/find-program.ts'
import { builtinProfiles } from '../src/profiles/builtin.ts'
import { resolveAgents } from '../src/profiles/resolve.ts'
import { noFences } from '../src/process/namespace.ts'
import { Survey } from '../src/profiles/survey.ts'
import { secretsAmong } from '../src/profiles/variables.ts'

test('settings have defaults, and a wrong one is named with what is wrong', async () => {
  await using temp = await openTempDir()
  const key = join(temp.path, 'key')
  writeFileSync(key, 'hl_run_x\n')
  const config = readConfig({ HOTLINE_RUNNER_KEY_FILE: key, HOTLINE_DATA_DIR: temp.path, HOTLINE_DEBUG: 'link, wire' })
  expect(config).toMatchObject({
    url: 'http://localhost:4680',
    token: 'hl_run_x',
    debug: ['link', 'wire'],
    stopGraceMs: 2_000,
    reach: 'best',
    hasKeeper: true,
  })
  expect(() => readConfig({})).toThrow('A runner needs a key: set HOTLINE_RUNNER_KEY_FILE or HOTLINE_RUNNER_KEY.')
  expect(() => readConfig({ HOTLINE_RUNNER_KEY_FILE: '/nowhere' })).toThrow('There is none in "/nowhere"')
  expect(() => readConfig({ HOTLINE_RUNNER_KEY: 'k', HOTLINE_URL: 'file:///etc' })).toThrow('HOTLINE_URL must be')
  expect(() => readConfig({ HOTLINE_RUNNER_KEY: 'k', HOTLINE_DATA_DIR: 'here' })).toThrow('HOTLINE_DATA_DIR must be')
  expect(() => readConfig({ HOTLINE_RUNNER_KEY: 'k', HOTLINE_STOP_GRACE_MS: 'soon' })).toThrow(
    'HOTLINE_STOP_GRACE_MS must be a whole number of milliseconds, not "soon".',
  )
  expect(() => readConfig({ HOTLINE_RUNNER_KEY: 'k', HOTLINE_REACH: 'all' })).toThrow('HOTLINE_REACH takes "best"')
  expect(() => readConfig({ HOTLINE_RUNNER_KEY: 'k', HOTLINE_KEEPER: 'yes' })).toThrow('must be "on" or "off"')
  for (const HOTLINE_SPOOL_BYTES of ['0x10', '1e9', '-1', ' 5', '5.0']) {
    expect(() => readConfig({ HOTLINE_RUNNER_KEY: 'k', HOTLINE_SPOOL_BYTES })).toThrow('HOTLINE_SPOOL_BYTES must be')
  }
})

test('what is announced is what can be started here, with a hint for the rest', async () => {
  await using temp = await openTempDir()
  const program = join(temp.path, 'gemini')
  writeFileSync(program, '#!/bin/sh\n')
  chmodSync(program, 0o755)
  writeFileSync(join(temp.path, 'qwen'), 'not to be run')
  mkdirSync(join(temp.path, 'copilot'), { mode: 0o755 })
  const report = (demo: readonly string[] | undefined, PATH: string) =>
    new Survey({ PATH }).report(resolveAgents(builtinProfiles(demo), []), noFences)
  const agents = report([process.execPath], temp.path)
  expect(AnnounceBody.shape.agents.parse(agents)).toEqual(agents)
  const can = Object.fromEntries(agents.map(({ agent, available }) => [agent, available]))
  expect(can).toEqual({
    demo: true,
    mcp: false,
    command: true,
    pipe: true,
    log: true,
    claude: false,
    'claude-acp': false,
    codex: false,
    'codex-acp': false,
    opencode: false,
    gemini: true,
    qwen: false,
    copilot: false,
  })
  expect(agents.find(({ agent }) => agent === 'claude-acp')?.hint).toContain('npm install')
  expect(report(undefined, '')[0]).toMatchObject({ agent: 'demo', available: false })
})

test.each(['-x', '', 'a\0b', './here', '../up', 'relative/path'])('%j is no program without a folder', (name) => {
  expect(findProgram(name, '/usr/bin:/bin')).toBeUndefined()
})

test('a program is found on absolute folders of the path alone, or where it says it is', () => {
  expect(findProgram('sh', '.:relative:/bin')).toBe('/bin/sh')
  expect(findProgram('/bin/sh', undefined)).toBe('/bin/sh')
  expect(findProgram('./sh', undefined, '/bin')).toBe('/bin/sh')
  expect(findProgram('sh', undefined)).toBeUndefined()
})

test('values of names that sound like secrets are secrets, and so are passwords in addresses', () => {
  const secretsOf = (name: string, value: string): string[] =>
    secretsAmong([[name, value]]).map((secret) => `${secret.name}=${secret.value}`)
  for (const name of [
    'ANTHROPIC_API_KEY',
    'GH_TOKEN',
    'GITHUB_PAT',
    'API_KEY_2',
    'TOKEN_PROD',
    'MYSQL_PWD',
    'JIRA_AUTH',
  ]) {
    expect(secretsOf(name, 'x')).toEqual([`${name}=x`])
  }
  for (const name of [
    'ANTHROPIC_BASE_URL',
    'PATH',
    'PWD',
    'KEY_FILE',
    'AWS_ACCESS_KEY_ID',
    'MAX_OUTPUT_TOKENS',
    'AUTHOR',
  ]) {
    expect(secretsOf(name, 'x')).toEqual([])
  }
  expect(secretsOf('HTTPS_PROXY', 'http://proxy:3128')).toEqual([])
  expect(secretsOf('HTTPS_PROXY', 'dana:pw@proxy:3128')).toEqual(['HTTPS_PROXY=dana:pw@proxy:3128'])
  const url = 'postgres://app:pass-word@db/app'
  expect(secretsOf('DATABASE_URL', url)).toEqual([`DATABASE_URL=${url}`, 'DATABASE_URL=pass-word'])
  expect(secretsOf('HOMEPAGE', 'https://example.org/a:b@c')).toEqual([])
})

test('the log is one JSON object a line, and details only where they were asked for', () => {
  const lines: string[] = []
  const log = openLog((line) => lines.push(line), ['link'])
  log.info('hello', { a: 1 })
  log.debug('link', 'shown')
  log.debug('work', 'not shown')
  expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(['hello', 'shown'])
})

test('[SQ6] labels are words, each once', async () => {
  await using temp = await openTempDir()
  const key = join(temp.path, 'key')
  writeFileSync(key, 'hl_run_x')
  const read = (labels: string): readonly string[] =>
    readConfig({ HOTLINE_RUNNER_KEY_FILE: key, HOTLINE_DATA_DIR: temp.path, HOTLINE_RUNNER_LABELS: labels }).labels
  expect(read('')).toEqual([])
  expect(read(' gpu, linux,gpu,,eu-west.1 ')).toEqual(['gpu', 'linux', 'eu-west.1'])
  expect(() => read('gpu,two words')).toThrow('HOTLINE_RUNNER_LABELS takes words of 1 to 40')
  expect(() => read(Array.from({ length: 21 }, (_, at) => `l${at}`).join(','))).toThrow('takes 20 labels at most')
})
