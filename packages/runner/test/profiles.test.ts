import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { AnnounceBody } from '@hotline/protocol/http'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { lookForLogin } from '../src/profiles/login.ts'
import { logins } from '../src/profiles/logins.ts'
import { profilesFolder } from '../src/profiles/read-folder.ts'
import { type Bench, openBench } from './bench.ts'

/** Puts a profile where the runner reads it. */
function writeProfile(dataDir: string, name: string, text: string): void {
  mkdirSync(profilesFolder(dataDir), { recursive: true, mode: 0o700 })
  writeFileSync(join(profilesFolder(dataDir), name), text, { mode: 0o600 })
}

/** A runner that finds these profiles at its start. */
function openWith(profiles: Readonly<Record<string, string>>, environment?: Record<string, string | undefined>) {
  return openBench({
    ...(environment === undefined ? {} : { environment }),
    before: ({ dataDir }) => {
      for (const [name, text] of Object.entries(profiles)) writeProfile(dataDir, name, text)
    },
  })
}

/** What the server was told of an agent last. */
function told({ world }: Bench, agent: string): AnnounceBody['agents'][number] | undefined {
  return world.announced.at(-1)?.agents.find((row) => row.agent === agent)
}

const helper = 'extends: demo\nname: Helper\ninteractive:\n  enabled: true\n'
const program = 'interactive:\n  enabled: true\n  output_capture: pty\n'

test('[AP7] a profile that comes, changes, breaks and goes holds within seconds; what runs keeps its own', async () => {
  await using bench = await openBench()
  const { world, cwd, dataDir, logged } = bench
  expect(told(bench, 'helper')).toBeUndefined()
  writeProfile(dataDir, 'helper.yaml', helper)
  await waitFor(() => told(bench, 'helper')?.available, { what: 'the profile' })
  expect(AnnounceBody.parse(world.announced.at(-1))).toEqual(world.announced.at(-1))
  const first = world.start('helper', { cwd, prompt: scriptPrompt([{ do: 'say', text: 'one' }]) })
  await world.until(first, 'its word', ({ counts, turn }) => counts.turns === 1 && !turn)

  writeProfile(dataDir, 'helper.yaml', 'comand: x\n')
  await waitFor(() => told(bench, 'helper')?.state === 'broken', { what: 'that it is wrong' })
  expect(told(bench, 'helper')).toMatchObject({
    available: false,
    hint: 'Its profile is wrong: helper.yaml:1:1: There is no key "comand" here. Did you mean "command"?',
  })
  expect(logged.join('')).toContain('There is no key \\"comand\\" here. Did you mean \\"command\\"?')
  const refused = world.start('helper', { runner: world.runner.id, cwd })
  await world.until(refused, 'a refusal', ({ status }) => status === 'failed')
  expect(world.events(refused, 'session.state_changed').at(-1)?.body?.note).toContain('helper.yaml:1:1')
  // The first one works on.
  world.send(first, 'message.send', { text: scriptPrompt([{ do: 'say', text: 'two' }]) })
  await world.until(first, 'its word', ({ counts, turn }) => counts.turns === 2 && !turn)

  writeProfile(dataDir, 'helper.yaml', `${helper}  allow_human_input: false\n`)
  await waitFor(() => told(bench, 'helper')?.can?.input === 'none', { what: 'what it says now' })
  expect(told(bench, 'demo')?.available).toBe(true)
})

test('[AP8] what lies in a project defines no agent', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  for (const folder of ['.hotline/agents', 'agents']) {
    mkdirSync(join(cwd, folder), { recursive: true })
    writeFileSync(join(cwd, folder, 'evil.yaml'), `command: touch ${join(cwd, 'canary')}\n${program}`)
  }
  const session = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'say', text: 'here' }]) })
  await world.until(session, 'its word', ({ counts, turn }) => counts.turns === 1 && !turn)
  const evil = world.start('evil', { runner: world.runner.id, cwd, unasked: true })
  await world.until(evil, 'a refusal', ({ status }) => status === 'failed')
  expect(world.events(evil, 'session.state_changed').at(-1)?.body?.note).toBe('This runner has no agent "evil".')
  expect(existsSync(join(cwd, 'canary'))).toBe(false)
  expect(told(bench, 'evil')).toBeUndefined()
})

test('[AP9] an agent that is turned off is known and not started', async () => {
  await using bench = await openWith({ 'a.yaml': 'extends: demo\ninteractive: {}\n' })
  const { world, cwd } = bench
  expect(told(bench, 'a')).toMatchObject({ available: false, state: 'off' })
  expect(told(bench, 'a')?.hint).toContain('interactive.enabled is not true')
  const session = world.start('a', { cwd })
  await world.until(session, 'a refusal', ({ status }) => status === 'failed')
  expect(world.events(session, 'session.state_changed').at(-1)?.body?.note).toContain('is turned off')
})

test('[AP9] without human input nothing reaches an agent but what it was started with', async () => {
  await using bench = await openWith({ 'a.yaml': `${helper}  allow_human_input: false\nid: a\n` })
  const { world, cwd } = bench
  const session = world.start('a', {
    cwd,
    prompt: scriptPrompt([{ do: 'ask', title: 'Go on', kind: 'execute', input: { command: 'true' } }]),
  })
  // Sent before anybody knew what this agent takes.
  world.send(session, 'message.send', { text: 'from a person' })
  const ask = await world.ask(session)
  expect(world.state(session).capabilities).toMatchObject({ input: 'none', verdicts: ['allow', 'deny'] })
  expect(() => world.send(session, 'message.send', { text: 'more' })).toThrow(
    'unsupported Nothing can be sent to this agent; it is only watched.',
  )
  expect(() => world.send(session, 'input.send', { text: 'k' })).toThrow('unsupported Nothing can be typed')
  // A request is still answered, and the reason, which would be a message, stays here.
  world.decide(session, ask, 'deny', 'because I say so')
  await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  world.send(session, 'session.abort', {})
  await world.until(session, 'the end', ({ status }) => status === 'aborted')
  expect(world.events(session, 'message.delivered')).toHaveLength(1)
  expect(world.state(session).counts.turns).toBe(1)
  expect(world.printed(session, 'log')).not.toContain('because I say so')
})

test('[AP10] goal_complete ends a session when its agent has done what it was told, and no sooner', async () => {
  await using bench = await openWith({ 'a.yaml': `id: a\n${helper}  auto_exit_on: goal_complete\n` })
  const { world, cwd } = bench
  const session = world.start('a', { cwd })
  await world.until(session, 'active', ({ status }) => status === 'active')
  const ask = { do: 'ask', title: 'Go on', kind: 'execute', input: { command: 'true' } } as const
  const message = world.send(session, 'message.send', { text: scriptPrompt([ask, { do: 'say', text: 'done' }]) })
  world.send(session, 'message.send', { text: scriptPrompt([{ do: 'say', text: 'that too' }]) })
  world.decide(session, await world.ask(session), 'allow')
  await world.until(session, 'the end', ({ status }) => status === 'completed')
  expect(message).not.toBe('')
  expect(world.said(session)).toContain('that too')
  expect(world.state(session)).toMatchObject({ reason: 'goal_reached', counts: { turns: 2 } })
  expect(world.events(session, 'session.state_changed').at(-1)?.body?.note).toContain('has done what it was told')
})

test('[AP10] idle_timeout ends a session in which nothing happens, and none in which somebody is waited for', async () => {
  await using bench = await openWith({
    'a.yaml': `id: a\n${helper}  auto_exit_on: "idle_timeout: 1s"\n`,
    'b.yaml': `command: cat\n${program}  auto_exit_on: "idle_timeout: 1s"\n`,
  })
  const { world, cwd } = bench
  const ask = { do: 'ask', title: 'Go on', kind: 'execute', input: { command: 'true' } } as const
  const asking = world.start('a', { cwd, prompt: scriptPrompt([ask]) })
  const request = await world.ask(asking)
  const idle = world.start('a', { cwd, prompt: scriptPrompt([{ do: 'say', text: 'done' }]) })
  const still = world.start('b', { cwd, unasked: true })
  await world.until(idle, 'the end', ({ status }) => status === 'completed')
  await world.until(still, 'the end', ({ status }) => status === 'completed')
  for (const session of [idle, still]) {
    expect(world.state(session)).toMatchObject({ reason: 'idle' })
    expect(world.events(session, 'session.state_changed').at(-1)?.body?.note).toContain('Nothing happened for 1 s')
  }
  expect(world.state(asking).status).toBe('active')
  world.decide(asking, request, 'allow')
  await world.until(asking, 'the end', ({ status }) => status === 'completed')
})

test('[AP11] a program that is gone is taken up again by the command line for that, without a shell', async () => {
  const say = `/bin/sh -c 'echo "$0 $1" >> said; exec sleep 1000'`
  await using bench = await openWith({
    'a.yaml': `command: ${say} first {session_id}\n${program}  resume_cmd: ${say} again {session_id}\n`,
  })
  const { world, cwd } = bench
  const session = world.start('a', { cwd, unasked: true })
  await world.until(session, 'active', ({ status }) => status === 'active')
  const said = (): string => (existsSync(join(cwd, 'said')) ? readFileSync(join(cwd, 'said'), 'utf8') : '')
  await waitFor(() => said() !== '', { what: 'its first life' })
  expect(world.state(session)).toMatchObject({ native: session, capabilities: { resume: true, input: 'keys' } })
  process.kill(world.state(session).pid ?? 0, 'SIGKILL')
  await world.until(session, 'interrupted', ({ status }) => status === 'interrupted')
  world.send(session, 'session.resume', {})
  await world.until(session, 'active again', ({ status }) => status === 'active')
  await waitFor(() => said().split('\n').length === 3, { what: 'its second life' })
  expect(said()).toBe(`first ${session}\nagain ${session}\n`)
  world.send(session, 'session.abort', {})
  await world.until(session, 'the end', ({ status }) => status === 'aborted')
})

test('[AP11] an agent that speaks is taken up with the command line for that, and goes on with its own session', async () => {
  await using bench = await openBench()
  const { world, cwd, dataDir } = bench
  const note = join(cwd, 'note.sh')
  writeFileSync(note, '#!/bin/sh\necho "$1" > resumed\nshift\nexec "$@"\n', { mode: 0o755 })
  const demo = world.announced.at(-1)?.agents.some(({ agent }) => agent === 'demo')
  expect(demo).toBe(true)
  const { argv } = await import('./compose.ts').then(({ demoAgent }) => ({ argv: demoAgent }))
  writeProfile(
    dataDir,
    'a.yaml',
    `extends: demo\ninteractive:\n  enabled: true\n  resume_cmd: ${JSON.stringify([note, '{session_id}', ...argv])}\n`,
  )
  await waitFor(() => told(bench, 'a')?.available, { what: 'the profile' })
  const session = world.start('a', { cwd, prompt: scriptPrompt([{ do: 'say', text: 'one' }]) })
  await world.until(session, 'its word', ({ counts, turn }) => counts.turns === 1 && !turn)
  const { native, pid = 0 } = world.state(session)
  process.kill(pid, 'SIGKILL')
  await world.until(session, 'interrupted', ({ status }) => status === 'interrupted')
  world.send(session, 'session.resume', {})
  await world.until(session, 'active again', ({ status }) => status === 'active')
  expect(readFileSync(join(cwd, 'resumed'), 'utf8')).toBe(`${native}\n`)
  expect(world.state(session).native).toBe(native)
})

test('[AP2] what a program says comes from its terminal, its pipes or the file that it writes', async () => {
  await using bench = await openBench()
  const { world, cwd, dataDir } = bench
  const file = join(cwd, 'agent.log')
  writeFileSync(file, 'from before\n')
  const enabled = 'interactive:\n  enabled: true\n'
  writeProfile(dataDir, 'lines.yaml', `command: cat\n${enabled}`)
  writeProfile(dataDir, 'screen.yaml', `command: cat\n${enabled}  output_capture: pty\n`)
  writeProfile(dataDir, 'file.yaml', `log_file: ${file}\n${enabled}  output_capture: log\n`)
  await waitFor(() => told(bench, 'screen') && told(bench, 'file'), { what: 'the profiles' })
  const [lines, screen, log] = ['lines', 'screen', 'file'].map((agent) => world.start(agent, { cwd, unasked: true }))
  for (const session of [lines, screen, log]) {
    await world.until(session ?? '', 'active', ({ status }) => status === 'active')
  }
  for (const session of [lines, screen]) world.send(session ?? '', 'message.send', { text: 'a word' })
  appendFileSync(file, 'a word\n')
  await waitFor(() => world.printed(lines ?? '', 'stdout') === 'a word\n', { what: 'its lines' })
  await waitFor(() => world.printed(screen ?? '').includes('a word\r\na word'), { what: 'its screen' })
  await waitFor(() => world.printed(log ?? '', 'file') === 'a word\n', { what: 'its file' })
  expect(world.state(log ?? '').capabilities).toMatchObject({ input: 'none' })
  for (const session of [lines, screen, log]) world.send(session ?? '', 'session.abort', {})
  for (const session of [lines, screen, log]) {
    await world.until(session ?? '', 'the end', ({ status }) => status === 'aborted')
  }
})

test('[AP12] a program is started only by who knew that nobody is asked about it', async () => {
  await using bench = await openWith({ 'a.yaml': `command: /bin/sh -c 'touch canary; exec cat'\n${program}` })
  const { world, cwd } = bench
  expect(told(bench, 'a')).toMatchObject({ asks: false, can: { input: 'keys', verdicts: [] } })
  expect(told(bench, 'demo')?.asks).toBeUndefined()
  const session = world.start('a', { cwd })
  await world.until(session, 'a refusal', ({ status }) => status === 'failed')
  expect(world.events(session, 'session.state_changed').at(-1)?.body?.note).toContain('asks nobody before it acts')
  expect(existsSync(join(cwd, 'canary'))).toBe(false)
  world.start('a', { cwd, unasked: true })
  await waitFor(() => existsSync(join(cwd, 'canary')), { what: 'what it does' })
})

test('[AP13] what is installed, its version and whether somebody has signed in is found without reading a secret', async () => {
  await using bench = await openBench({
    environment: { PATH: '/nowhere', HOME: '/nowhere' },
  })
  const { dataDir } = bench
  expect(told(bench, 'gemini')).toMatchObject({ available: false, state: 'not_installed' })
  expect(told(bench, 'gemini')?.hint).toContain('npm install')
  expect(told(bench, 'demo')).toMatchObject({ state: 'ready', ownFolder: true })

  const home = join(dataDir, 'home')
  const bin = join(dataDir, 'bin')
  mkdirSync(home)
  mkdirSync(bin)
  const plant = (name: string, lines: readonly string[]): void => {
    writeFileSync(join(bin, name), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 })
  }
  plant('gemini', ['env > "$0.env"; pwd > "$0.pwd"; echo "gemini-cli 0.61.0"'])
  plant('qwen', ['echo "started $*" >> "$0.log"; sleep 1000 & sleep 1000'])
  plant('copilot', ['exit 3'])
  const environment = { PATH: `${bin}:/usr/bin:/bin`, HOME: home, GEMINI_API_KEY: 'sk-secret', LANG: 'C.UTF-8' }
  await using other = await openWith({}, environment)
  await waitFor(() => told(other, 'gemini')?.version !== undefined, { what: 'a version' })
  expect(told(other, 'gemini')).toMatchObject({ state: 'ready', version: '0.61.0', available: true })
  // It works somewhere empty, and knows nothing that an agent gets by name.
  expect(readFileSync(join(bin, 'gemini.env'), 'utf8')).not.toContain('sk-secret')
  expect(readdirSync(readFileSync(join(bin, 'gemini.pwd'), 'utf8').trim())).not.toContain('.git')
  expect(told(other, 'qwen')).toMatchObject({ state: 'signed_out', available: true })
  expect(told(other, 'qwen')?.version).toBeUndefined()
  expect(told(other, 'qwen')?.hint).toContain('type /auth')
  // Codex does not look at a key in the environment; its own settings may say that its models are elsewhere.
  const codexAt = (folder: string): string =>
    lookForLogin(logins.codex, { HOME: folder, OPENAI_API_KEY: 'sk-secret' }, 'linux')
  mkdirSync(join(home, '.codex'))
  expect(codexAt(home)).toBe('no')
  writeFileSync(join(home, '.codex/config.toml'), 'model = "gpt-5.5"\n# model_provider = "x"\n')
  expect(codexAt(home)).toBe('no')
  writeFileSync(join(home, '.codex/config.toml'), 'model = "gpt-5.5"\nmodel_provider = "ours"\n')
  expect(codexAt(home)).toBe('unknown')
  writeFileSync(join(home, '.codex/auth.json'), '{}')
  expect(codexAt(home)).toBe('yes')
  // A file that nobody may read is seen all the same.
  mkdirSync(join(home, '.qwen'))
  writeFileSync(join(home, '.qwen/oauth_creds.json'), 'secret')
  chmodSync(join(home, '.qwen/oauth_creds.json'), 0o000)
  await waitFor(() => told(other, 'qwen')?.state === 'ready', { what: 'the sign-in' })
  await other.stop()
  // Nobody is asked twice, nor left behind.
  expect(readFileSync(join(bin, 'qwen.log'), 'utf8')).toBe('started --version\n')
})
