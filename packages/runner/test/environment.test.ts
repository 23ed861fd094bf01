import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { expect, test } from 'vitest'
import { buildEnvironment, mayPass } from '../src/process/environment.ts'
import { openBench } from './bench.ts'

/** Everything that a careless server might hand over. */
const hostile = {
  HOTLINE_RUNNER_KEY: 'hl_run_secret',
  HOTLINE_URL: 'http://localhost:4680',
  LD_PRELOAD: '/tmp/evil.so',
  LD_LIBRARY_PATH: '/tmp',
  DYLD_INSERT_LIBRARIES: '/tmp/evil.dylib',
  NODE_OPTIONS: '--require /tmp/evil.js',
  NODE_EXTRA_CA_CERTS: '/tmp/evil.pem',
  GIT_SSH_COMMAND: 'evil',
  GIT_CONFIG_COUNT: '1',
  BASH_ENV: '/tmp/evil.sh',
  ENV: '/tmp/evil.sh',
  PYTHONSTARTUP: '/tmp/evil.py',
  PYTHONPATH: '/tmp',
  PROMPT_COMMAND: 'evil',
  IS_SANDBOX: 'yes',
  SSH_AUTH_SOCK: '/tmp/agent',
  DATABASE_URL: 'postgres://secret',
  AWS_SECRET_ACCESS_KEY: 'secret',
  SOME_NEW_SETTING: 'secret',
}

test('[R10] [T45] the environment of an agent is exactly the list, whatever the runner itself was started with', async () => {
  const given = { PATH: process.env['PATH'], HOME: '/tmp', LANG: 'C.UTF-8', TZ: 'UTC', USER: 'dana', ...hostile }
  await using bench = await openBench({ environment: given, fences: false })
  const { world, cwd } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'env', file: 'env.json' }]) })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  const env = JSON.parse(readFileSync(join(cwd, 'env.json'), 'utf8')) as Record<string, string>
  // Node hands its own on to every child, whatever environment it is given, where lines are counted.
  const { HOTLINE_RUN: run, HOTLINE_SESSION: desk, NODE_V8_COVERAGE: _, ...rest } = env
  expect(desk).toMatch(/\/desks\/[0-9a-f]{16}\.json$/)
  expect(run).toMatch(/^[0-9a-f]{32}$/)
  expect(rest).toEqual({ PATH: process.env['PATH'], HOME: '/tmp', LANG: 'C.UTF-8', TZ: 'UTC', USER: 'dana', PWD: cwd })
})

test('[R10] settings of the demonstration reach the demonstration', async () => {
  const demo = { HOTLINE_DEMO_PACE: '0', HOTLINE_DEMO_SCRIPT: '[{"do":"env","file":"env.json"}]' }
  await using bench = await openBench({ environment: { PATH: process.env['PATH'], HOME: '/tmp', ...hostile, ...demo } })
  const { world, cwd } = bench
  const session = world.start('demo', { cwd, prompt: 'go' })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  const env = JSON.parse(readFileSync(join(cwd, 'env.json'), 'utf8')) as Record<string, string>
  expect(env).toMatchObject(demo)
  expect(
    Object.keys(env)
      .filter((name) => name.startsWith('HOTLINE_'))
      .toSorted(),
  ).toEqual(['HOTLINE_DEMO_PACE', 'HOTLINE_DEMO_SCRIPT', 'HOTLINE_RUN', 'HOTLINE_SESSION'])
})

test('[R10] a program in a terminal gets the same list', async () => {
  const demo = { HOTLINE_DEMO_PACE: '0' }
  await using bench = await openBench({ environment: { PATH: process.env['PATH'], HOME: '/tmp', ...hostile, ...demo } })
  const { world, cwd } = bench
  const session = world.start('command', { cwd, command: ['env'] })
  await world.until(session, 'the end', ({ status }) => status === 'completed')
  const names = world
    .printed(session)
    .trim()
    .split('\r\n')
    .map((line) => line.replace(/=.*/, ''))
  expect(names.toSorted()).toEqual(['HOME', 'HOTLINE_RUN', 'HOTLINE_SESSION', 'PATH', 'PWD', 'TERM'])
})

test('[R11] [T45] what makes a loader, a shell or git run something else is refused even where a profile asks for it', () => {
  const { env, refused } = buildEnvironment({
    from: { ...hostile, ANTHROPIC_API_KEY: 'sk-ant-1' },
    names: [...Object.keys(hostile), 'ANTHROPIC_API_KEY'],
    set: { NODE_OPTIONS: '--inspect', CODEX_HOME: '/tmp/codex', 'BAD NAME': 'x', LD_AUDIT: 'x', ODD: 'a\0b' },
    cwd: '/tmp',
    run: 'r',
  })
  const wanted = ['DATABASE_URL', 'AWS_SECRET_ACCESS_KEY', 'SOME_NEW_SETTING', 'ANTHROPIC_API_KEY', 'CODEX_HOME']
  expect(Object.keys(env).toSorted()).toEqual([...wanted, 'HOTLINE_RUN', 'PWD'].toSorted())
  expect(refused).toContain('LD_PRELOAD')
  expect(refused).toContain('NODE_OPTIONS')
  expect(refused).not.toContain('ANTHROPIC_API_KEY')
})

test.each(['ld_preload', 'Git_Dir', 'BASH_FUNC_x%%', 'A=B', '', 'A\0B', 'hotline_token', '1A', 'É'])(
  '%j never passes',
  (name) => {
    expect(mayPass(name)).toBe(false)
  },
)
