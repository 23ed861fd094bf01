import { PolicyRuleText, type PolicyMatch, type PolicyRule } from '@hotline/protocol/policy'
import { faultsOfRule, withEnd } from '@hotline/core/policy/check-rule'
import type { PolicyRequest } from '@hotline/core/policy/deed'
import { lintRules } from '@hotline/core/policy/lint'
import { ruleFor } from '@hotline/core/policy/rule-for'
import { ruleWords } from '@hotline/core/policy/rule-words'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../fixtures.ts'
import { allowing, at, bash, cwd, edit, fetching, judge, now, ruleOf } from './requests.ts'

const month = '2026-01-31T00:00:00.000Z'

describe('a rule', () => {
  const refused: readonly [string, unknown][] = [
    ['nothing', {}],
    ['a tool alone', { tool: 'Bash' }],
    ['an agent alone', { agent: 'claude' }],
    ['a kind alone', { does: 'edit' }],
    ['a risk alone', { risk: 'low' }],
    ['a pattern for a tool', { tool: '.*', path: 'src/' }],
    ['a pattern for a program', { command: ['.*'] }],
    ['a pattern that takes for ever', { command: ['(a+)+$'] }],
    ['a pattern for a path', { path: 'src/**' }],
    ['a pattern for a host', { host: '*.example.org' }],
    ['no host', { host: 'example.org/a' }],
    ['the whole machine', { path: '/' }],
    ['a first folder', { path: '/etc/' }],
    ['a path upwards', { path: '../x' }],
    ['a path that is longer than it has to be', { path: 'a/./b' }],
    ['a path that is not read alike everywhere', { path: 'git~1/x' }],
    ['any program', { command: [{ any: 'word' }] }],
    ['no program', { command: [' '] }],
    ['anything that a program does', { command: ['npm', { any: 'word' }] }],
    ['a shell', { command: ['bash', 'x.sh'] }],
    ['env', { command: ['env', 'ls'] }],
    ['settings that run', { command: ['git', '-c', 'a=b', 'log'] }],
    ['letters that look like others', { command: ['lѕ'] }],
    ['two things', { command: ['ls'], path: 'src/' }],
    ['what never fits', { command: ['ls'], does: 'edit' }],
    ['what never fits a path', { path: 'src/', does: 'run' }],
    ['what never fits a host', { host: 'a.example', does: 'edit' }],
  ]
  it.each(refused)('[Y09] that allows is not taken where it says too much or is not plain: %s', (_, match) => {
    const rule = PolicyRuleText.parse({ effect: 'allow', match, until: month })
    expect(faultsOfRule(rule, now)).not.toEqual([])
  })

  it.each([
    [{ tool: '' }],
    [{ tool: 'a\u200bb' }],
    [{ path: 'a\nb' }],
    [{ command: [] }],
    [{ command: [{ any: 'thing' }] }],
    [{ agent: '../x' }],
    [{ input: 'abc' }],
    [{ regex: '.*' }],
  ])('[Y09] nor where it is none: %j', (match) => {
    expect(PolicyRuleText.safeParse({ effect: 'deny', match }).success).toBe(false)
  })

  it('[Y09] of any effect is about something, and has no pattern', () => {
    for (const effect of ['ask', 'deny'] as const) {
      expect(faultsOfRule({ effect, match: {} }, now)).toHaveLength(1)
      expect(faultsOfRule({ effect, match: { command: ['r.*'] } }, now)).toHaveLength(1)
      expect(faultsOfRule({ effect, match: { tool: 'Bash' } }, now)).toEqual([])
    }
  })

  it('[PO4] that allows has an end, in thirty days where nobody says otherwise, and in a year at most', () => {
    const match: PolicyMatch = { command: ['npm', 'test'] }
    expect(withEnd({ effect: 'allow', match }, now).until).toBe(month)
    expect(withEnd({ effect: 'deny', match }, now).until).toBeUndefined()
    expect(withEnd({ effect: 'allow', match, until: now }, now).until).toBe(now)
    expect(faultsOfRule({ effect: 'allow', match }, now)).toEqual(['What is allowed needs an end.'])
    expect(faultsOfRule({ effect: 'allow', match, until: '2027-01-02T00:00:00.000Z' }, now)).toHaveLength(1)
    expect(faultsOfRule({ effect: 'deny', match, until: '2037-01-02T00:00:00.000Z' }, now)).toEqual([])
    expect(faultsOfRule({ effect: 'deny', match, until: now }, now)).toHaveLength(1)
  })

  it('[PO4] is said in words', () => {
    const words = (effect: PolicyRule['effect'], match: PolicyMatch): string => ruleWords({ effect, match })
    expect(ruleWords(allowing('git', 'commit', '-m', "it's"))).toBe(
      `Allow exactly: git commit -m "it's", until 2026-01-31`,
    )
    expect(words('allow', { command: ['a', 'b c', { any: 'word' }], agent: 'claude' })).toBe(
      `Allow exactly: a 'b c' {word}, asked by "claude"`,
    )
    expect(words('deny', { command: ['git', 'push'], risk: 'high' })).toBe('Deny commands with: git push of high risk')
    expect(words('ask', { does: 'edit', path: 'src/', tool: 'Write' })).toBe(
      'Ask about changes to files, all in "src/", with the tool "Write"',
    )
    expect(words('allow', { path: 'a.ts', risk: 'medium' })).toBe('Allow the file "a.ts" of low or medium risk')
    expect(words('allow', { host: 'a.example' })).toBe('Allow the host "a.example"')
    expect(words('allow', { input: 'a'.repeat(64) })).toBe('Allow exactly this input (aaaaaaaaaaaa)')
    expect(words('deny', { agent: 'x' })).toBe('Deny everything, asked by "x"')
  })
})

describe('"always allow"', () => {
  const matchOf = (request: PolicyRequest): PolicyMatch | string => {
    const found = ruleFor(request, at)
    return found.ok ? found.rule.match : found.why
  }

  it('[PO6] writes the narrowest rule that would allow the same again', () => {
    const of = { agent: 'claude' }
    expect(matchOf(bash(`bash -lc 'npm test'`))).toEqual({ ...of, tool: 'Bash', does: 'run', command: ['npm', 'test'] })
    expect(matchOf(edit('src/a.ts'))).toEqual({ ...of, tool: 'Write', does: 'edit', path: 'src/a.ts' })
    expect(matchOf(edit(`${cwd}/src/a.ts`))).toEqual({ ...of, tool: 'Write', does: 'edit', path: 'src/a.ts' })
    expect(matchOf(fetching('https://a.example/b'))).toEqual({
      ...of,
      tool: 'WebFetch',
      does: 'fetch',
      host: 'a.example',
    })
    expect(matchOf({ agent: 'claude', tool: 'mcp__a__b', input: '{}', cwd })).toEqual({
      ...of,
      tool: 'mcp__a__b',
      input: sha256('{}'),
    })
    expect(ruleFor(bash('npm test'), at)).toMatchObject({ rule: { effect: 'allow', until: month } })
  })

  it.each<[string, PolicyRequest]>([
    ['an expansion', bash('echo $HOME')],
    ['a redirection', bash('ls > x')],
    ['a pipe', bash('ls | wc')],
    ['a line break', bash('ls\nls')],
    ['env', bash('env ls')],
    ['an assignment', bash('A=b ls')],
    ['a -c of its own', bash('git -c a=b status')],
    ['a shell in a shell', bash(`bash -lc "bash -lc 'ls'"`)],
    ['a control character', bash('ls \u0007')],
    ['what could do lasting harm', bash('rm -rf build')],
    ['a protected file', edit('.env')],
    ['a file elsewhere', edit('/etc/hosts')],
    ['a file elsewhere by a link', edit('src/a.ts', `${cwd}/b.ts`)],
    ['the folder itself', edit('.')],
    [
      'several files',
      {
        agent: 'x',
        tool: 'edit',
        input: '{"path":"a","filePath":"b","content":"x"}',
        cwd,
        opened: { [cwd]: cwd, a: `${cwd}/a`, b: `${cwd}/b` },
      },
    ],
    ['a file that could be a pattern', edit('src/a^.ts')],
    ['an input that is not at hand', { agent: 'x', tool: 'mcp__a__b', cwd }],
    ['an input that deceives the eye', { agent: 'x', tool: 'mcp__a__b', input: '{"a":"\u202e"}', cwd }],
    ['a known tool with an unknown input', { agent: 'x', tool: 'Bash', input: '{"x":1}', cwd }],
    ['wider permissions', { agent: 'x', tool: 'request_permissions', input: '{}', cwd }],
  ])('[PO6] writes none for %s, and says why', (_, request) => {
    const found = ruleFor(request, at)
    expect(found).toMatchObject({ ok: false, why: expect.stringMatching(/.+/) as string })
  })

  it('[PO6] what it writes is taken, and allows the very same request', () => {
    const words = fc.array(fc.stringMatching(/^[a-z0-9./=-]{1,6}$/), { minLength: 1, maxLength: 4 })
    const requests = fc.oneof(
      words.map((argv) => bash(argv.join(' '))),
      fc.stringMatching(/^[ -~]{1,12}$/).map((text) => bash(text)),
      fc.stringMatching(/^[a-z./ ~]{1,12}$/).map((path) => edit(path, `${cwd}/${path}`)),
      fc.webUrl().map(fetching),
    )
    let written = 0
    fc.assert(
      fc.property(requests, (request) => {
        const found = ruleFor(request, at)
        if (!found.ok) return true
        written += 1
        const rule = { ...found.rule, rule: 'r' }
        return faultsOfRule(found.rule, now).length === 0 && judge([rule], request).effect === 'allow'
      }),
      { numRuns: 1_000 },
    )
    expect(written).toBeGreaterThan(100)
  })
})

describe('a look over rules', () => {
  const deny = (rule: string, match: PolicyMatch): PolicyRule => ruleOf(rule, { effect: 'deny', match })
  const ask = (rule: string, match: PolicyMatch): PolicyRule => ruleOf(rule, { effect: 'ask', match })
  const path = (rule: string, folder: string): PolicyRule => ruleOf(rule, { effect: 'allow', match: { path: folder } })

  it.each([
    [allowing('git', 'push'), deny('d', { command: ['git'] })],
    [allowing('git', 'push', 'origin'), deny('d', { command: ['git', 'origin'] })],
    [
      ruleOf('r', { effect: 'allow', match: { command: ['npm', 'run', { any: 'word' }] } }),
      deny('d', { command: ['npm', 'deploy'] }),
    ],
    [path('r', 'src/'), deny('d', { path: 'src/secret/' })],
    [path('r', 'src/a.ts'), deny('d', { path: 'src/' })],
    [path('r', 'src/a.ts'), deny('d', { path: '/w/app/src/' })],
    [path('r', 'src/a.ts'), deny('d', { does: 'edit' })],
    [allowing('npm', 'test'), deny('d', { command: ['npm', { any: 'word' }] })],
  ])('[Y10] names what is allowed and denied at once (%#)', (allow, no) => {
    for (const rules of [
      [allow, no],
      [no, allow],
    ]) {
      expect(lintRules(rules, now)).toEqual([
        { rule: allow.rule, with: 'd', why: expect.stringContaining('denied') as string },
      ])
    }
  })

  it.each([
    [allowing('git', 'push'), deny('d', { command: ['npm'] })],
    [allowing('git', 'push'), deny('d', { does: 'edit' })],
    [ruleOf('a', { effect: 'allow', match: { does: 'read', path: 'a' } }), deny('d', { command: ['ls'] })],
    [path('r', 'src/'), deny('d', { path: 'docs/' })],
    [path('r', 'src/'), deny('d', { does: 'run' })].slice(0, 1),
    [ruleOf('a', { effect: 'allow', match: { agent: 'x', command: ['ls'] } }), deny('d', { agent: 'y' })],
  ])('[Y10] and nothing else (%#)', (...rules) => {
    expect(lintRules(rules, now)).toEqual([])
  })

  it('[Y10] names what is over, what is there twice, and what an earlier rule takes away', () => {
    const one = allowing('npm', 'test')
    expect(lintRules([{ ...one, until: now }], now)).toMatchObject([
      { rule: one.rule, why: expect.stringContaining('over') as string },
    ])
    expect(lintRules([one, { ...one, rule: 'two' }], now)).toMatchObject([{ rule: 'two', with: one.rule }])
    expect(lintRules([ask('a', { tool: 'Bash' }), one], now)).toMatchObject([{ rule: one.rule, with: 'a' }])
    expect(lintRules([one, ask('a', { command: ['npm'] })], now)).toMatchObject([{ rule: 'a', with: one.rule }])
  })
})
