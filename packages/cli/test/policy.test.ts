import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import type { PolicyPage } from '@hotline/protocol/policy'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRunnerScene, type RunnerScene } from './runner-scene.ts'

let scene: RunnerScene
const password = 'a long walk over the wet meadow'

beforeAll(async () => {
  scene = await openRunnerScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

/** One command that reads the password from its input. */
async function confirmed(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = scene.start([...args, '--with-password'])
  hotline.type(password)
  hotline.endInput()
  return await hotline.ended
}

it('[B90] [PO34] what an agent keeps itself on a machine is listed after the rules', async () => {
  const { run, dir } = scene
  mkdirSync(join(dir.path, '.claude'), { recursive: true })
  const file = join(dir.path, '.claude/settings.json')
  writeFileSync(file, JSON.stringify({ permissions: { allow: ['Bash(make:*)'] } }))
  await waitFor(async () => (await run('policy', 'ls')).out.includes('Bash(make:*)'), { what: 'its rules' })
  const { out } = await run('policy', 'ls')
  expect(out).toMatch(
    /^There are no rules: a person is asked each time\.\nClaude Code.* on .*~\/\.claude\/settings\.json: /,
  )
  expect(out).toContain('  allow Bash(make:*)\n')
  rmSync(file)
  await waitFor(async () => !(await run('policy', 'ls')).out.includes('Bash(make:*)'), { what: 'them to be gone' })
})

it('[B97] policy timeout says and sets how long people have to answer', async () => {
  const { run } = scene
  expect(await run('policy', 'timeout')).toMatchObject({ code: 0, out: 'People have 24h 0m to answer an approval.\n' })
  expect((await run('policy', 'timeout', '8h')).out).toBe('People have 8h 0m to answer an approval.\n')
  expect(JSON.parse((await run('--json', 'policy', 'ls')).out)).toMatchObject({ approvalTimeoutMs: 8 * 3_600_000 })
  for (const wrong of ['soon', '5s', '31d']) expect(await run('policy', 'timeout', wrong)).toMatchObject({ code: 2 })
  expect((await run('policy', 'timeout', 'default')).out).toContain('24h 0m')
})

it('[B90] rules are written, listed, tried and revoked; the wide ones with the password', async () => {
  const { run } = scene
  expect((await run('policy', 'ls')).out).toBe('There are no rules: a person is asked each time.\n')

  const wide = ['policy', 'add', 'allow', '--command', 'npm run {word}', '--note', 'Scripts only.']
  expect(await run(...wide)).toMatchObject({ code: 3, err: expect.stringContaining('--with-password') as string })
  const added = await confirmed(...wide)
  expect(added).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^\S+ {2}Allow exactly: npm run \{word\}, until /) as string,
  })
  const narrow = ['--agent', 'demo', '--tool', 'execute', '--command', "git commit -m 'one two'"]
  expect((await run('policy', 'add', 'allow', ...narrow)).out).toContain(`git commit -m 'one two'`)
  const denied = await run('policy', 'add', 'deny', '--command', 'npm deploy')
  expect(denied.out).toContain('Deny commands with: npm deploy')

  const listed = (await run('policy', 'ls')).out
  expect(listed).toMatch(/by @dana, \S+: Scripts only\.\n/)
  expect(listed).toContain('Some of it is denied by another rule, and that wins.')

  const says = async (...args: string[]): Promise<string> => (await run('policy', 'test', ...args)).out
  expect(await says('npm run build')).toMatch(/^allow: \S+ {2}Allow exactly: npm run \{word\}/)
  expect(await says('npm run deploy')).toMatch(/^deny: /)
  expect(await says('npm run build; rm -rf x')).toContain('no rule can be made of it')
  expect(await says('cargo test')).toMatch(
    /^ask: .*\nmedium risk .*\n"always allow" would write: Allow exactly: cargo test/,
  )
  expect(await says('--tool', 'Write', '--input', '{"file_path":".env","content":"x"}')).toContain('holds secrets')

  const [rule = ''] = added.out.split(' ')
  expect((await run('policy', 'revoke', rule)).out).toBe('revoked\n')
  const [no = ''] = denied.out.split(' ')
  // The password was said a moment ago, with the same credential.
  expect((await run('policy', 'revoke', no)).out).toBe('revoked\n')
  expect(JSON.parse((await run('--json', 'policy', 'ls')).out)).toMatchObject({
    rules: [{ effect: 'allow' }],
    warnings: [],
  })
})

it('[B90] what is no rule is refused before or by the server, and says why', async () => {
  const { run } = scene
  const refused: readonly [string[], string][] = [
    [['add', 'permit', '--tool', 'x'], 'allow, ask or deny'],
    [['add', 'deny'], 'about everything'],
    [['add', 'deny', '--command', 'rm $X'], '--command'],
    [['add', 'deny', '--does', 'fly'], '--does'],
    [['add', 'deny', '--tool', 'x', '--days', 'many'], '--days'],
    [['add', 'deny', '--path', 'src/**'], 'looks like a pattern'],
    [['add', 'deny', '--tool', 'x', '--before', 'ffff'], 'policy ls'],
    [['revoke', 'ffff'], 'policy ls'],
    [['test'], '--input'],
    [['test', 'ls', '--folder', '/nowhere'], '/nowhere'],
    [['ls', '--project', 'nowhere'], ''],
  ]
  for (const [args, why] of refused) {
    const { code, err } = await run('policy', ...args)
    expect([args, code]).toEqual([args, args.includes('ffff') || args.includes('nowhere') ? 4 : 2])
    expect(err).toContain(why)
  }
})

it('[B90] [PO9] a rule answers an agent from its next request on, and follows links', async () => {
  const { run, dir } = scene
  const cwd = join(dir.path, 'project')
  mkdirSync(join(cwd, 'src'), { recursive: true })
  mkdirSync(join(dir.path, 'elsewhere'))
  writeFileSync(join(dir.path, 'elsewhere/a.ts'), 'x')
  symlinkSync(join(dir.path, 'elsewhere'), join(cwd, 'src/link'))
  expect((await confirmed('policy', 'add', 'allow', '--path', 'src/', '--agent', 'demo')).code).toBe(0)
  const edit = (path: string) =>
    ({ do: 'ask', title: `Edit ${path}`, kind: 'edit', input: { path, content: 'y' }, record: 'record' }) as const
  const prompt = scriptPrompt([edit('src/b.ts'), edit('src/link/a.ts')])
  const session = (await run('run', 'demo', '--cwd', cwd, '--detach', '--isolation', 'in-place', prompt)).out.trim()
  let asks = ''
  await waitFor(async () => (asks = (await run('asks')).out) !== 'Nothing is asked now.\n', {
    what: 'the second request',
  })
  expect(asks).toContain('src/link/a.ts')
  expect(asks).not.toContain('src/b.ts')
  const same = ['--tool', 'edit', '--agent', 'demo', '--folder', cwd]
  const inputOf = (path: string): string => JSON.stringify({ path, content: 'y' })
  expect((await run('policy', 'test', ...same, '--input', inputOf('src/b.ts'))).out).toMatch(/^allow/)
  expect((await run('policy', 'test', ...same, '--input', inputOf('src/link/a.ts'))).out).toMatch(/^ask/)
  await run('abort', session)
})

it('[B100] rules of the server are written, listed, tried and revoked with --server, and marked where they count', async () => {
  const { run } = scene
  const deny = ['policy', 'add', 'deny', '--server', '--command', 'terraform destroy']
  const added = await confirmed(...deny)
  expect(added).toMatchObject({
    code: 0,
    out: expect.stringMatching(/terraform destroy \(of the server\)\n$/) as string,
  })
  const [rule = ''] = added.out.split(' ')
  expect((await run('policy', 'ls', '--server')).out).toMatch(/^\S+ {2}Deny .*\(of the server\)\n {2}by @dana, \S+\n$/)
  expect((await run('policy', 'ls')).out).toContain('terraform destroy (of the server)\n')
  expect((await run('policy', 'test', 'terraform destroy')).out).toMatch(/^deny: .*\(of the server\)\n/)
  expect((await run('policy', 'test', '--server', 'terraform destroy')).out).toMatch(/^deny: /)
  expect(await run('policy', 'revoke', rule)).toMatchObject({
    code: 2,
    err: expect.stringContaining('Give --server') as string,
  })
  expect(await run('policy', 'revoke', '--server', rule)).toMatchObject({ code: 0, out: 'revoked\n' })
  expect((await run('policy', 'ls', '--server')).out).toBe('There are no rules: a person is asked each time.\n')
})

it('[B102] policy edit changes what is named and nothing else, in the same place', async () => {
  const { run } = scene
  const listed = async (): Promise<PolicyPage['rules']> =>
    (JSON.parse((await run('--json', 'policy', 'ls')).out) as PolicyPage).rules
  const before = (await listed()).length
  const exact = ['--agent', 'demo', '--tool', 'execute', '--command', 'npm run lint']
  const added = await confirmed('policy', 'add', 'allow', ...exact, '--days', '3', '--note', 'It only looks.')
  await confirmed('policy', 'add', 'ask', '--host', 'example.org')
  const [rule = ''] = added.out.split(' ')
  const [old] = (await listed()).slice(before)

  expect(await run('policy', 'edit', rule)).toMatchObject({ code: 2 })
  expect((await run('policy', 'edit', rule, '--command', 'npm run build')).out).toContain(
    'Allow exactly: npm run build',
  )
  const [edited, ask] = (await listed()).slice(before)
  expect(edited).toMatchObject({
    match: { agent: 'demo', tool: 'execute', command: ['npm', 'run', 'build'] },
    until: old?.until,
    note: 'It only looks.',
    replaced: [old?.rule],
  })
  expect((await run('policy', 'ls')).out).toContain('  edited by @dana, ')
  expect(await run('policy', 'edit', rule, '--days', '9')).toMatchObject({
    code: 5,
    err: expect.stringMatching(/In its place stands: \S+ {2}Allow exactly: npm run build/) as string,
  })

  const next = ['policy', 'edit', edited?.rule ?? '', '--effect', 'deny', '--days', '', '--note', '', '--agent', '']
  expect((await run(...next)).out).toMatch(/Deny commands with: npm run build, with the tool "execute"\n$/)
  const [last] = (await listed()).slice(before)
  expect(Object.keys(last ?? {}).toSorted()).toEqual(['at', 'by', 'effect', 'match', 'replaced', 'rule'])
  for (const one of [last, ask]) expect((await run('policy', 'revoke', one?.rule ?? '')).out).toBe('revoked\n')
})

it('[B103] policy move puts a rule before another, or last, and says the order', async () => {
  const { run } = scene
  const ids: string[] = []
  for (const host of ['one.example', 'two.example', 'six.example']) {
    ids.push((JSON.parse((await run('--json', 'policy', 'add', 'ask', '--host', host)).out) as { rule: string }).rule)
  }
  const [one = '', two = '', six = ''] = ids
  const order = (text: string): readonly string[] =>
    [...text.matchAll(/"(\w+)\.example"/g)].map(([, word]) => word ?? '')
  const moved = await confirmed('policy', 'move', six, '--before', one)
  expect(order(moved.out)).toEqual(['six', 'one', 'two'])
  expect(order((await run('policy', 'move', one, '--last')).out)).toEqual(['six', 'two', 'one'])
  expect(await run('policy', 'move', one)).toMatchObject({ code: 2 })
  expect(await run('policy', 'move', one, '--last', '--before', two)).toMatchObject({ code: 2 })
  expect(await run('policy', 'move', one, '--before', one)).toMatchObject({ code: 2 })
  for (const rule of ids) await run('policy', 'revoke', rule)
  expect((await run('policy', 'move', one, '--before', two)).code).toBe(4)
})

it('[B101] policy timeout takes a risk, and the server, and says each risk that differs', async () => {
  const { run } = scene
  const usual = 'People have 24h 0m to answer an approval.\n'
  const high = `${usual}  high risk: 10m 0s\n`
  expect((await run('policy', 'timeout', '10m', '--risk', 'high')).out).toBe(high)
  expect((await run('policy', 'timeout')).out).toBe(high)
  expect((await run('policy', 'timeout', '--server')).out).toBe(usual)
  expect((await confirmed('policy', 'timeout', '2h', '--server')).out).toContain('2h 0m')
  expect((await run('policy', 'timeout')).out).toBe('People have 2h 0m to answer an approval.\n  high risk: 10m 0s\n')
  expect((await run('policy', 'timeout', 'default', '--server')).out).toBe(usual)
  expect((await run('policy', 'timeout', 'default', '--risk', 'high')).out).toBe(usual)
  expect(await run('policy', 'timeout', '10m', '--risk', 'grave')).toMatchObject({ code: 2 })
})
