import type { PolicyRule } from '@hotline/protocol/policy'
import { type PolicyRequest, readDeed } from '@hotline/core/policy/deed'
import { readRisk } from '@hotline/core/policy/risk'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../fixtures.ts'
import { allowing, bash, cwd, edit, fetching, judge, now, ruleOf } from './requests.ts'

const later = '2026-01-02T00:00:00.000Z'
const deny = (match: PolicyRule['match']): PolicyRule => ruleOf('no', { effect: 'deny', match })
const ask = (match: PolicyRule['match']): PolicyRule => ruleOf('ask', { effect: 'ask', match })
const patch = (input: string, opened: Record<string, string> = {}): PolicyRequest => ({
  agent: 'codex',
  tool: 'apply_patch',
  input,
  cwd,
  opened: { [cwd]: cwd, ...opened },
})

describe('an evaluation', () => {
  it('[PO1] asks where no rule fits', () => {
    expect(judge([], bash('npm test'))).toMatchObject({ effect: 'ask', why: 'No rule fits.', risk: 'medium' })
    expect(judge([], bash('a $B'))).toMatchObject({
      effect: 'ask',
      why: expect.stringContaining('not only itself') as string,
    })
    const strange = { agent: 'x', tool: 'mcp__bank__pay', input: '{}', cwd }
    expect(judge([], strange)).toMatchObject({
      effect: 'ask',
      why: expect.stringContaining('mcp__bank__pay') as string,
    })
  })

  it('[PO1] the first rule that fits counts, and one whose time is over counts for nothing', () => {
    const allow = allowing('npm', 'test')
    expect(judge([allow, ask({ tool: 'Bash' })], bash('npm test'))).toMatchObject({ effect: 'allow', rule: allow })
    expect(judge([ask({ tool: 'Bash' }), allow], bash('npm test'))).toMatchObject({ effect: 'ask' })
    expect(judge([{ ...allow, until: now }], bash('npm test'))).toMatchObject({ effect: 'ask' })
    expect(judge([{ ...allow, until: later }], bash('npm test'))).toMatchObject({ effect: 'allow' })
  })

  it('[PO1] [Y10] what denies wins over every other rule and every mode, wherever it stands', () => {
    const allow = allowing('git', 'push')
    const no = deny({ command: ['git', 'push'] })
    for (const rules of [
      [allow, no],
      [no, allow],
    ]) {
      expect(judge(rules, bash('git push'), { mode: 'hands_free', until: later })).toMatchObject({
        effect: 'deny',
        rule: no,
      })
    }
  })

  it('[PO1] no order of rules lets anything through that one of them denies', () => {
    const rules = [
      allowing('npm', 'test'),
      allowing('git', 'push'),
      deny({ command: ['git'] }),
      ask({ does: 'run' }),
      deny({ path: '.github/' }),
      ruleOf('src', { effect: 'allow', match: { path: 'src/' } }),
    ]
    const requests = [bash('npm test'), bash('git push'), edit('src/a.ts'), edit('.github/workflows/x.yml')]
    const orders = fc.shuffledSubarray(rules, { minLength: 1 })
    fc.assert(
      fc.property(orders, fc.constantFrom(...requests), (order, request) => {
        const alone = order.filter(({ effect }) => effect === 'deny')
        const isDenied = judge(alone, request).effect === 'deny'
        return (judge(order, request).effect === 'deny') === isDenied
      }),
    )
  })

  it('[PO2] a rule for an agent, a tool, a kind, a host or an exact input fits that one alone', () => {
    const allow = (match: PolicyRule['match']): PolicyRule => ruleOf('r', { effect: 'allow', match })
    const command = ['npm', 'test']
    expect(judge([allow({ command, agent: 'codex' })], bash('npm test')).effect).toBe('ask')
    expect(judge([allow({ command, agent: 'claude' })], bash('npm test')).effect).toBe('allow')
    expect(judge([allow({ command, tool: 'shell' })], bash('npm test')).effect).toBe('ask')
    expect(judge([allow({ host: 'example.org' })], fetching('https://example.org/a?b#c')).effect).toBe('allow')
    expect(judge([allow({ host: 'Example.org' })], fetching('https://EXAMPLE.org:8443')).effect).toBe('allow')
    for (const url of [
      'https://a.example.org/',
      'https://example.org.evil.com',
      'https://example.org@evil.com/',
      'file://example.org/',
      'https://ex%61mple.org',
      'https://example.org\\@evil.com',
      'https:///example.org',
    ]) {
      expect(judge([allow({ host: 'example.org' })], fetching(url)).effect, url).toBe('ask')
    }
    const call = { agent: 'claude', tool: 'mcp__a__b', input: '{"x":1}', cwd }
    const exact = allow({ tool: 'mcp__a__b', input: sha256('{"x":1}') })
    expect(judge([exact], call).effect).toBe('allow')
    expect(judge([exact], { ...call, input: '{"x":2}' }).effect).toBe('ask')
    expect(judge([exact], { ...call, input: undefined }).effect).toBe('ask')
  })

  it('[PO3] what runs something else is not allowed by a rule that nobody checked either', () => {
    const unchecked = { ...allowing('ls'), match: { command: ['env', 'ls'] } }
    expect(judge([unchecked], bash('env ls')).effect).toBe('ask')
  })

  it('[PO2] one word of a command may be any plain word', () => {
    const run = ruleOf('r', { effect: 'allow', match: { command: ['npm', 'run', { any: 'word' }] } })
    for (const word of ['build', 'test:unit', 'a/b'])
      expect(judge([run], bash(`npm run ${word}`)).effect, word).toBe('allow')
    for (const word of [
      '--prefix=/tmp',
      '-w',
      '/etc/x',
      '../x',
      'a/../b',
      'A=b',
      '@x',
      'http://x',
      "'a b'",
      'a b',
      '',
    ]) {
      expect(judge([run], bash(`npm run ${word}`)).effect, word).toBe('ask')
    }
  })

  it('[PO2] a risk is the highest for what allows, and the lowest for the others', () => {
    const allow = (risk: 'low' | 'medium'): PolicyRule =>
      ruleOf('r', { effect: 'allow', match: { command: ['npm', 'test'], risk } })
    expect(judge([allow('low')], bash('npm test')).effect).toBe('ask')
    expect(judge([allow('medium')], bash('npm test')).effect).toBe('allow')
    expect(judge([deny({ risk: 'high' })], bash('npm test')).effect).toBe('ask')
    expect(judge([deny({ risk: 'high' })], bash('rm -rf x')).effect).toBe('deny')
    expect(judge([deny({ risk: 'medium' })], bash('npm test')).effect).toBe('deny')
  })

  it.each([
    'rm -rf build',
    '/bin/rm -rf build',
    'cd x && rm -rf build',
    'sudo rm -rf build',
    `bash -lc 'rm -rf build'`,
    'r""m -rf build',
    'RM -rf build',
    'ls; (rm build -rf)',
    'x=$(rm -rf build)',
    'ls\nrm -rf build',
    'ｒｍ -rf build',
    'r\u200bm -rf build',
  ])('[PO2] what is denied is found wherever it is plainly written: %j', (command) => {
    expect(judge([deny({ command: ['rm', '-rf'] })], bash(command)).effect).toBe('deny')
  })

  it('[PO2] words alone do not make what is denied', () => {
    const rule = deny({ command: ['git', 'push', { any: 'word' }] })
    expect(judge([rule], bash('git status')).effect).toBe('ask')
    expect(judge([rule], edit('git push')).effect).toBe('ask')
    expect(judge([rule], bash('git push origin')).effect).toBe('deny')
    expect(judge([deny({ host: 'evil.com' })], bash('curl https://EVIL.com/x')).effect).toBe('deny')
    expect(judge([deny({ host: 'evil.com' })], fetching('https://evil.com')).effect).toBe('deny')
    expect(judge([deny({ host: 'evil.com' })], fetching('https://good.com')).effect).toBe('ask')
  })
})

describe('what a request would do', () => {
  const of = (tool: string, input: string, more: Partial<PolicyRequest> = {}) =>
    readDeed({ agent: 'x', tool, input, cwd, ...more })

  it.each([
    ['Bash', { command: 'ls -l', description: 'x', timeout: 5 }],
    ['execute', { command: 'ls -l', cwd }],
    ['execute', { command: ['ls', '-l'] }],
    ['execute', { command: ['bash', '-lc', 'ls -l'] }],
  ])('[PO3] a command is read from what agents send: %s %j', (tool, input) => {
    expect(of(tool, JSON.stringify(input))).toMatchObject({ does: 'run', argv: ['ls', '-l'] })
  })

  it('[PO3] the bare text of a command is read as well', () => {
    expect(of('command', `/bin/bash -lc 'ls -l'`)).toMatchObject({ does: 'run', argv: ['ls', '-l'] })
    expect(of('command', '{"command":"ls"')).toMatchObject({ does: 'other' })
  })

  it.each([
    ['Bash', '{"command":"ls","dangerouslyDisableSandbox":true}'],
    ['execute', '{"command":"ls","cwd":"/"}'],
    ['execute', '{"command":["ls"],"cwd":"/"}'],
    ['execute', '{"command":["ls"],"env":{}}'],
    ['execute', '{"command":["ls","a\\nb"]}'],
    ['execute', '{"command":[]}'],
  ])('[PO3] a command with anything else that counts is not plainly one: %s %s', (tool, input) => {
    expect(of(tool, input)).toMatchObject({ does: 'run', argv: undefined })
  })

  it.each([
    ['Bash', '{"command":"ls","command":"rm x"}'],
    ['Bash', '{"command":5}'],
    ['Bash', '{"x":5}'],
    ['Bash', '[]'],
    ['Write', 'just words'],
    ['Write', '{"content":"x"}'],
    ['Write', '{"file_path":5,"content":"x"}'],
    ['Write', '{"file_path":"a","mode":"0777","content":"x"}'],
    ['MultiEdit', '{"file_path":"a","edits":[{"file_path":"b","new_string":"x"}]}'],
    ['MultiEdit', '{"file_path":"a","edits":["x"]}'],
    ['apply_patch', 'It asks to write anywhere below this folder as well: /\n--- a\n+++ a\n'],
    ['apply_patch', '--- a\n+++ a\n@@\n-x\n+y\nrename to /etc/x\n'],
    ['WebFetch', '{"url":5}'],
    ['WebFetch', '{"url":"https://a","body":"x"}'],
    ['network', '{"network":{"host":"a b"}}'],
    ['network', '{"network":{"host":"a","command":"x"}}'],
    ['network', '{"network":null}'],
    ['mcp__x__y', '{"command":"ls"}'],
    ['Bash', `{"command":"${'a'.repeat(300_000)}"}`],
  ])('[T29] what is not plainly of its kind is of none: %s %s', (tool, input) => {
    expect(of(tool, input)).toMatchObject({ does: 'other' })
  })

  it('[PO3] files and hosts are read from what agents send', () => {
    expect(of('Edit', '{"file_path":"a","old_string":"x","new_string":"y","replace_all":false}')).toEqual({
      does: 'edit',
      paths: ['a'],
    })
    expect(of('MultiEdit', '{"file_path":"a","edits":[{"old_string":"x","new_string":"y"}]}')).toEqual({
      does: 'edit',
      paths: ['a'],
    })
    expect(of('edit', '{"path":"a","filePath":"b","content":"x"}')).toEqual({ does: 'edit', paths: ['b', 'a'] })
    expect(of('Read', '{"file_path":"a","limit":5}')).toEqual({ does: 'read', paths: ['a'] })
    expect(
      of('apply_patch', '--- /dev/null\n+++ /w/app/a\n+x\n--- b\n+++ c\n@@ -1 +1 @@\n-x\n+y\n\n\\ No newline\n'),
    ).toEqual({
      does: 'edit',
      paths: ['/w/app/a', 'b', 'c'],
    })
    expect(of('network', '{"kind":"x"}')).toMatchObject({ does: 'other' })
    expect(of('network', '{"network":{"host":"A.example","protocol":"https"}}')).toEqual({
      does: 'fetch',
      host: 'a.example',
    })
    expect(of('Write', 'x', { input: undefined })).toMatchObject({ does: 'other' })
  })

  it('[T29] a kind, a title or a hint in the input makes nothing harmless', () => {
    const names = fc.constantFrom(
      'kind',
      'title',
      'readOnlyHint',
      'annotations',
      'safe',
      'plan',
      'opened',
      'destructiveHint',
      '_meta',
      'risk',
    )
    const values = fc.constantFrom<unknown>('read', true, false, 'low', { readOnlyHint: true }, null)
    const weight = { deny: 2, ask: 1, allow: 0 }
    fc.assert(
      fc.property(
        fc.dictionary(names, values, { minKeys: 1 }),
        fc.constantFrom('Bash', 'Write', 'WebFetch', 'x'),
        (hints, tool) => {
          const plain: Record<string, object> = {
            Bash: { command: 'npm test' },
            Write: { file_path: 'a.ts', content: 'x' },
            WebFetch: { url: 'https://a.example/' },
            x: {},
          }
          const opened = { [cwd]: cwd, 'a.ts': `${cwd}/a.ts` }
          const hinted = { agent: 'x', tool, input: JSON.stringify({ ...plain[tool], ...hints }), cwd, opened }
          const unknown = { ...hinted, tool: 'unknown' }
          const rules = [allowing('npm', 'test'), ruleOf('a', { effect: 'allow', match: { path: './' } })]
          const mode = { mode: 'hands_free' as const, until: later }
          return weight[judge(rules, hinted, mode).effect] >= weight[judge(rules, unknown, mode).effect]
        },
      ),
    )
  })
})

describe('a mode', () => {
  const free = { mode: 'edits_free' } as const
  const hands = { mode: 'hands_free', until: later } as const

  it('[PO5] lets files of the folder be changed, and nothing else', () => {
    expect(judge([], edit('src/a.ts'), free)).toMatchObject({ effect: 'allow', mode: 'edits_free' })
    expect(judge([], edit(`${cwd}/src/ä.ts`), free).effect).toBe('allow')
    expect(judge([], patch('--- src/a\n+++ src/a\n@@\n-x\n+y\n', { 'src/a': `${cwd}/src/a` }), free).effect).toBe(
      'allow',
    )
    for (const request of [
      edit('/etc/passwd'),
      edit('../x'),
      edit(`${cwd}2/x`),
      edit('src/a.ts', '/etc/passwd'),
      edit('package.json'),
      edit('src/a.ts', `${cwd}/.git/config`),
      bash('npm test'),
      fetching('https://a.example/'),
      { ...edit('src/a.ts'), opened: {} },
      { ...edit('src/a.ts'), cwd: undefined },
      patch('--- src/a\n+++ /etc/x\n@@\n', { 'src/a': `${cwd}/src/a`, '/etc/x': '/etc/x' }),
      patch('--- /dev/null\n'),
    ]) {
      expect(judge([], request, free).effect, request.input).toBe('ask')
    }
  })

  it('[PO5] hands-free lets through what is of low or medium risk, until its time is over', () => {
    for (const request of [
      edit('a.ts'),
      bash('cd src && npm test 2>&1 | tail -5'),
      fetching('https://a.example/'),
      bash('ls'),
    ]) {
      expect(judge([], request, hands), request.input).toMatchObject({ effect: 'allow', mode: 'hands_free' })
      expect(judge([], request, { mode: 'hands_free', until: now }).effect, request.input).toBe('ask')
    }
    const dangerous = [
      'rm -rf x',
      'git push',
      'curl x',
      'echo $X',
      'node -e 1',
      'bash x.sh',
      'a\u202eb',
      'mkfs.ext4 x',
      'git push --force',
    ]
    for (const command of dangerous)
      expect(judge([], bash(command), hands), command).toMatchObject({ effect: 'ask', risk: 'high' })
    const others = [
      edit('/etc/x'),
      edit('.github/workflows/x.yml'),
      { agent: 'x', tool: 'mcp__a__b', input: '{}', cwd },
    ]
    for (const request of others) expect(judge([], request, hands).effect, request.input).toBe('ask')
    expect(judge([ask({ does: 'run' })], bash('ls'), hands).effect).toBe('ask')
  })
})

it('[PO2] how much harm a request could do is said with why', () => {
  const of = (request: PolicyRequest) => readRisk(request, readDeed(request))
  expect(of(bash('ls -l | wc'))).toEqual({ risk: 'low', why: [] })
  expect(of(edit('a.ts'))).toEqual({ risk: 'low', why: [] })
  expect(of(edit('.env'))).toMatchObject({ risk: 'high', why: [expect.stringContaining('secrets')] })
  const outside = { agent: 'claude', tool: 'Read', input: '{"file_path":"/etc/hosts"}', cwd }
  expect(of(outside)).toMatchObject({ risk: 'medium', why: [expect.stringContaining('not known')] })
})
