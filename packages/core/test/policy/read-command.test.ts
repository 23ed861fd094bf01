import { programOf, unwrapShell, whyNotRemembered } from '@hotline/core/policy/programs'
import { readCommand, readPieces } from '@hotline/core/policy/read-command'
import { readScript } from '@hotline/core/policy/read-script'
import { describe, expect, it } from 'vitest'

describe('a shell command', () => {
  it.each([
    ['npm test', ['npm', 'test']],
    ['  git   commit -m "two words"  ', ['git', 'commit', '-m', 'two words']],
    [`rg 'a.*b|c$' "src"/'x y'`, ['rg', 'a.*b|c$', 'src/x y']],
    [`touch ''`, ['touch', '']],
    ['make A=b', ['make', 'A=b']],
  ])('[PO3] is read where every shell reads it so: %s', (text, argv) => {
    expect(readCommand(text)).toEqual({ ok: true, argv })
  })

  it.each([
    '',
    '   ',
    'a $HOME',
    'a "$HOME"',
    'a `b`',
    'a $(b)',
    'a > b',
    'a 2>&1',
    'a < b',
    'a | b',
    'a && b',
    'a; b',
    'a &',
    'a\nb',
    'a\r\nb',
    'a\tb',
    'a\u00a0b',
    'a \u202eb',
    'a {b,c}',
    'a *',
    'a b?',
    'a [b]',
    'a ~',
    'a #b',
    'a !b',
    'a "!b"',
    'a b\\ c',
    'a "b\\c"',
    "a 'b",
    'a "b',
    'A=b c',
    'A+=b c',
    '=ls',
    '%1',
    '-x',
    '"" a',
    '(a)',
    '{ a; }',
    "$'a'",
    'а b',
    `a ${'b'.repeat(5_000)}`,
    `a${' b'.repeat(70)}`,
  ])('[PO3] is not, where one could do anything else with it: %j', (text) => {
    expect(readCommand(text)).toMatchObject({ ok: false, why: expect.any(String) as string })
  })

  it('[PO3] programs that are joined are told apart, and nothing else of a shell is read', () => {
    expect(readPieces('cd a && npm test 2>&1 | tail -5; ls >/dev/null')).toMatchObject({
      ok: true,
      isQuiet: true,
      pieces: [['cd', 'a'], ['npm', 'test'], ['tail', '-5'], ['ls']],
    })
    for (const text of ['&& a', 'a &&', 'a;; b', 'a |& b', 'a & b']) {
      expect(readPieces(text), text).toMatchObject({ ok: false })
    }
  })

  it.each([
    ['echo one > a.txt', ['a.txt'], false],
    ['echo one>a.txt', ['a.txt'], false],
    ['echo a2>b', ['b'], false],
    ["printf 'x y' >> 'notes/b c.md'", ['notes/b c.md'], false],
    ['npm test > out.log 2>&1', ['out.log'], true],
    ['npm test 2> err.log >out.log', ['err.log', 'out.log'], false],
    ['> a echo x', ['a'], false],
    ['echo x | sort > a; ls >b && ls', ['a', 'b'], false],
    ['ls >/dev/null >&2', [], true],
    ["ls > '/dev/null'", [], true],
    ["bash -c 'echo x > a' > b", ['b', 'a'], false],
  ])('[PO30] what a shell writes itself is told apart from the words of its programs: %s', (text, writes, isQuiet) => {
    expect(readScript(text)).toMatchObject({ ok: true, writes, isQuiet })
    if (writes.length > 0) expect(readCommand(text)).toEqual(expect.objectContaining({ ok: false }))
  })

  it.each([
    '> a',
    'ls >',
    'ls > ',
    'ls >| a',
    'ls >! a',
    'ls &> a',
    'ls &>> a',
    'ls >& a',
    'ls >&3',
    'ls >>> a',
    'ls > $A',
    'ls > "$A"',
    'ls > ~/a',
    'ls > {a,b}',
    'ls > *',
    'ls > `b`',
    'ls > $(b)',
    'ls > >(b)',
    "ls > ''",
    'ls > =ls',
    'ls <> a',
    'ls < a',
    'ls <<E\nE',
    'ls <<<a',
    'ls > a\nb',
    'ls > a\\b',
    'ls > ä',
    '"ls > a',
  ])('[PO30] what could be written elsewhere, or by another shell elsewhere, is not read: %j', (text) => {
    expect(readScript(text)).toMatchObject({ ok: false })
  })
})

describe('a shell that is given a command', () => {
  it.each([
    [
      ['bash', '-lc', 'npm test'],
      ['npm', 'test'],
    ],
    [
      ['/bin/bash', '-lc', "git commit -m 'a b'"],
      ['git', 'commit', '-m', 'a b'],
    ],
    [['/usr/bin/zsh', '-c', 'ls'], ['ls']],
    [['sh', '-l', '-c', 'ls'], ['ls']],
  ])('[PO3] counts as that one: %j', (argv, inner) => {
    expect(unwrapShell(argv)).toEqual(inner)
  })

  it.each([
    [['bash', '-lc', 'ls; rm x']],
    [['bash', '-lc', 'ls', 'x']],
    [['bash', '-ic', 'ls']],
    [['bash', '--rcfile', 'x', '-c', 'ls']],
    [['bash', 'x.sh']],
    [['bash']],
    [['/tmp/bash', '-lc', 'ls']],
    [['./bash', '-lc', 'ls']],
    [['fish', '-c', 'ls']],
    [['bash', '-lc', 'bash -lc ls']],
  ])('[PO3] is never taken for another one, and never allowed by a rule, where it is given more: %j', (argv) => {
    const inner = unwrapShell(argv)
    expect(whyNotRemembered(inner)).toBeDefined()
  })
})

it.each([
  ['/usr/bin/Python3.11', 'python'],
  ['GIT.EXE', 'git'],
  ['bash-5.2', 'bash'],
  ['7z', '7z'],
  ['npm', 'npm'],
])('[PO3] a program is known without its folder, version and case: %s', (word, name) => {
  expect(programOf(word)).toBe(name)
})

it.each([
  [['git', '-c', 'core.pager=x', 'log']],
  [['env', 'ls']],
  [['python3', '-c', 'print(1)']],
  [['node', '--eval=1']],
  [['perl', '-ne', 'x']],
  [['find', '.', '-exec', 'rm']],
  [['../x']],
  [['a/../x']],
  [['/usr//bin/x']],
  [['git', 'clone', '--upload-pack=x', 'y']],
])('[PO3] a command that runs something else is never allowed by a rule: %j', (argv) => {
  expect(whyNotRemembered(argv)).toBeDefined()
})

it.each([
  [['npm', 'test']],
  [['./scripts/check.sh']],
  [['node', 'build.js']],
  [['git', 'status']],
  [['grep', '-e', 'x']],
])('[PO3] one that runs what it is can be: %j', (argv) => {
  expect(whyNotRemembered(argv)).toBeUndefined()
})
