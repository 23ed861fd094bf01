import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import { builtinProfiles } from '../src/profiles/builtin.ts'
import { fillArgv, readAutoExit } from '../src/profiles/interactive.ts'
import type { Login } from '../src/profiles/login.ts'
import { logins } from '../src/profiles/logins.ts'
import { problemLine } from '../src/profiles/problem.ts'
import { listProfileFiles, readProfileFile, readProfiles } from '../src/profiles/read-folder.ts'
import { resolveAgents } from '../src/profiles/resolve.ts'
import { interactiveKeys } from '../src/profiles/yaml/read-interactive.ts'
import { profileKeys, readProfile } from '../src/profiles/yaml/read-profile.ts'

const builtin = builtinProfiles([process.execPath])

/** What is said about a text, without the name of its file. */
function said(text: string, file = 'a.yaml'): readonly string[] {
  const read = readProfile(file, text)
  const { problems } = resolveAgents(builtin, [read])
  return problems.map((problem) => problemLine(problem).replace(`${file}:`, ''))
}

/** A profile that is right. */
function profileOf(text: string, file = 'a.yaml') {
  const { profiles, problems } = resolveAgents(builtin, [readProfile(file, text)])
  expect(problems).toEqual([])
  const profile = [...profiles.values()].find((one) => one.file === file)
  if (!profile) throw new Error('it is not there')
  return profile
}

test('[AP2] the block `interactive` has the keys and the defaults of its source', () => {
  expect(profileOf('command: cat\ninteractive: {}\n').interactive).toEqual({
    enabled: false,
    outputCapture: 'pipe',
    allowHumanInput: true,
  })
  const all = profileOf(`
command: claude --session-id {session_id}
interactive:
  enabled: true
  output_capture: pty
  allow_human_input: true
  auto_exit_on: "idle_timeout: 300s"
  resume_cmd: "claude --resume {session_id}"
`)
  expect(all.adapter).toBe('pty')
  expect(all.interactive).toEqual({
    enabled: true,
    outputCapture: 'pty',
    allowHumanInput: true,
    autoExit: { on: 'idle', idleMs: 300_000 },
    resumeArgv: ['claude', '--resume', '{session_id}'],
  })
  expect(profileOf('command: cat\ninteractive:\n  auto_exit_on: goal_complete\n').interactive?.autoExit).toEqual({
    on: 'goal',
  })
  expect(profileOf('command: cat\n')).toMatchObject({ agent: 'a', name: 'a', adapter: 'pipe', argv: ['cat'] })
})

test('[AP1] an agent that is spoken to by its own protocol asks, whatever its profile leaves out', () => {
  const askingOf = (agent: string) => builtin.find((profile) => profile.agent === agent)?.asking
  expect(askingOf('claude')).toMatchObject({ by: 'mode' })
  expect(profileOf('command: claude\nadapter: claude\n').asking).toEqual(askingOf('claude'))
  expect(profileOf('command: codex app-server\nadapter: codex\n').asking).toEqual(askingOf('codex'))
  expect(profileOf('extends: codex\nname: Mine\n').asking).toEqual(askingOf('codex'))
  expect(said('extends: claude\nasking: settings\n')).toHaveLength(1)
  expect(said('command: claude\nadapter: claude\nasking: settings\n')).toEqual([
    '3:9: With the adapter claude it asks in its modes. Name some, or leave "asking" out.',
  ])
})

test('[AP1] a budget is written as at the command line, and holds for whoever says nothing else', () => {
  expect(profileOf('command: cat\nbudget: "time=2h, calls=500"\n').budget).toEqual({
    timeMs: 7_200_000,
    toolCalls: 500,
  })
  expect(said('command: cat\nbudget: a lot\n')).toEqual([
    '2:9: "budget" cannot be read. "a" is no budget. Write it like this: time=2h, calls=500, output=100MB, disk=5GB, cost=5.',
  ])
})

test('[AP2] times of `auto_exit_on` have a unit and a bound', () => {
  const ms = (text: string) => readAutoExit(text)
  expect(ms('idle_timeout: 5m')).toEqual({ on: 'idle', idleMs: 300_000 })
  expect(ms('idle_timeout:2h')).toEqual({ on: 'idle', idleMs: 7_200_000 })
  for (const wrong of ['idle_timeout: 300', 'idle_timeout: 0s', 'idle_timeout: -1s', 'idle_timeout: 169h', 'never', ''])
    expect(ms(wrong)).toBeUndefined()
})

test.each<[string, string, readonly string[]]>([
  [
    'a key that there is not',
    'comand: cat\n',
    [
      '1:1: There is no key "comand" here. Did you mean "command"?',
      '1:1: There is no "command": the program, then its arguments.',
    ],
  ],
  [
    'a key of the block that there is not',
    'command: cat\ninteractive:\n  enabled: true\n  autoexit_on: goal_complete\n',
    ['4:3: There is no key "autoexit_on" here. Did you mean "auto_exit_on"?'],
  ],
  [
    'a value of another type',
    'command: cat\ninteractive:\n  enabled: "yes"\n',
    ['3:12: "enabled" has to be true or false, without quotes.'],
  ],
  [
    'a capture that there is not',
    'command: cat\ninteractive:\n  output_capture: tty\n',
    ['3:19: "output_capture" has to be one of: pty, pipe, log. Did you mean "pty"?'],
  ],
  [
    'a time without its quotes',
    'command: cat\ninteractive:\n  auto_exit_on: idle_timeout: 300s\n',
    ['3:17: A colon followed by a space begins a value. Put the whole text in quotes if it belongs to it.'],
  ],
  [
    'a block where a text belongs',
    'command: cat\ninteractive:\n  auto_exit_on:\n    idle_timeout: 300s\n',
    ['4:5: "auto_exit_on" is one text: "idle_timeout: 300s" (a number with s, m or h) or goal_complete.'],
  ],
  [
    'a time that is none',
    'command: cat\ninteractive:\n  auto_exit_on: "idle_timeout: soon"\n',
    [
      '3:17: "auto_exit_on" has to be "idle_timeout: 300s" (a number with s, m or h) or goal_complete; a week is the most.',
    ],
  ],
  [
    'a placeholder that stands for nothing',
    'command: cat\ninteractive:\n  resume_cmd: cat {sesion}\n',
    ['3:15: {sesion} stands for nothing here. There is: {session_id}.'],
  ],
  ['a command that cannot be cut', 'command: cat "x\n', ['1:10: "command" cannot be run. A " is not closed.']],
  ['a number as text', 'command: cat\nname: 5\n', ['2:7: "name" has to be text: put it in quotes.']],
  ['a list where a text belongs', 'command: cat\nname: [x]\n', ['2:7: "name" has to be text.']],
  ['a text where a list belongs', 'command: cat\nenv: HOME\n', ['2:6: "env" has to be a list: [one, two].']],
  [
    'a value among names',
    'command: cat\nenv: [A=b]\n',
    ['2:7: "env" takes the names of variables. A value goes below "set".'],
  ],
  [
    'a variable that makes a loader run something',
    'command: cat\nenv:\n  - GOOD\n  - LD_PRELOAD\n',
    ['4:5: The variable LD_PRELOAD is never handed to an agent.'],
  ],
  [
    'a secret in the file',
    'command: cat\nset:\n  MODEL: x\n  OPENAI_API_KEY: sk-1\n',
    ['4:3: OPENAI_API_KEY sounds like a secret, which has no place in this file. Put its name below "env".'],
  ],
  [
    'an agent that speaks, and no word of how it asks',
    'command: x\nadapter: acp\n',
    [
      '1:1: There is no "asking". Name the modes in which it asks, as in "asking: [default, plan]", or say "asking: settings".',
    ],
  ],
  [
    'a program that shall ask',
    'command: x\nadapter: pty\nasking: settings\n',
    ['3:9: A program asks nobody before it acts. Leave "asking" out.'],
  ],
  [
    'a capture beside a protocol',
    'command: x\nadapter: acp\nasking: [ask]\ninteractive:\n  output_capture: pipe\n',
    ['5:19: An agent with the adapter acp speaks a protocol; how output is captured is for programs. Leave it out.'],
  ],
  [
    'a log with a command',
    'command: x\nlog_file: /tmp/x\ninteractive:\n  output_capture: log\n',
    ['1:10: With output_capture: log a file is followed and nothing is started. Leave "command" out.'],
  ],
  [
    'a log without its file',
    'interactive:\n  output_capture: log\n',
    ['1:1: There is no "log_file": the file that is followed.'],
  ],
  [
    'a folder that is not absolute',
    'command: x\nfolder: here\n',
    ['2:9: "folder" has to be an absolute path, or scratch: a folder of its own for each session.'],
  ],
  [
    'the name of one that there is',
    'id: gemini\ncommand: x\n',
    ['1:5: "gemini" comes with Hotline. Give this one another "id", or say "override: true" to put it in its place.'],
  ],
  [
    'an override of nothing',
    'override: true\ncommand: x\n',
    ['1:11: No agent "a" comes with Hotline, so there is nothing to override. Leave it out.'],
  ],
  [
    'a base that there is not',
    'extends: gemeni\n',
    ['1:10: No agent "gemeni" comes with Hotline. Did you mean "gemini"?'],
  ],
  [
    'an id that is none',
    'id: ../x\ncommand: x\n',
    ['1:5: "id" may hold letters, digits, "_" and "-", and no more than 64 of them.'],
  ],
  ['a control character', 'command: x\nname: "a\\eb"\n', ['2:7: "name" holds a control character.']],
  [
    'a program that comes from a session',
    'command: "{session_id}"\n',
    ['1:10: The program itself cannot be {session_id}.'],
  ],
])('[AP1] [Y07] what is wrong is said with its place and what to do: %s', (_, text, expected) => {
  expect(said(text)).toEqual(expected)
})

test('[AP1] all of what is wrong is said, not just the first', () => {
  const text = 'comand: x\nenv: 5\nname: [a]\ninteractive:\n  enabled: maybe\n  allow_human_inputs: false\n'
  expect(said(text).map((line) => line.split(':', 2).join(':'))).toEqual(['1:1', '1:1', '2:6', '3:7', '5:12', '6:3'])
})

test.each<[string, string]>([
  ['billions of laughs', `a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ncommand: *c\n`],
  ['an anchor', 'command: &x cat\n'],
  ['a tag of JavaScript', 'command: !!js/function "x"\n'],
  ['a tag of YAML', 'command: !!str cat\n'],
  ['a tag of bytes', 'command: !!binary Y2F0\n'],
  ['a tag of its own', 'command: !x cat\n'],
  ['a merge of another mapping', '<<: {command: cat}\n'],
  ['a directive', '%YAML 1.1\n---\ncommand: cat\n'],
  ['two documents', 'command: cat\n---\ncommand: cat\n'],
  ['a key twice', 'command: cat\ncommand: dog\n'],
  ['a program before the text', '---js\nmodule.exports = require("fs").writeFileSync("ran", "")\n---\ncommand: cat\n'],
  ['a mapping as a key', '{a: b}: c\ncommand: cat\n'],
  ['a list', '- cat\n'],
  ['nothing', ''],
  ['a comment', '# cat\n'],
  ['bytes that are no text', 'command: \uFFFDcat\n'],
  ['a prototype', '__proto__:\n  command: cat\n'],
  ['a thousand brackets', `command: ${'['.repeat(8_000)}`],
  ['a thousand dashes', '- '.repeat(8_000)],
  ['a thousand questions', '? '.repeat(8_000)],
  ['too much', `command: cat\n# ${'x'.repeat(16 * 1024)}\n`],
])(
  '[AP4] [Y01] [Y02] [Y04] [Y05] [Y06] what says something else than it seems to, or costs more than it weighs, is refused: %s',
  (_, text) => {
    const { profile, problems } = readProfile('a.yaml', text)
    expect(profile).toBeUndefined()
    expect(problems.length).toBeGreaterThan(0)
    for (const { line, column, what } of problems) {
      expect(line).toBeGreaterThan(0)
      expect(column).toBeGreaterThan(0)
      expect(what).toMatch(/\.$|\?$/)
    }
  },
)

test('[Y03] words, numbers and times are what YAML 1.2 says, and never guessed', () => {
  for (const text of ['yes', 'no', 'on', 'off', 'y', 'True1', '1', '0o1', '"true"', 'null', '~']) {
    expect(said(`command: cat\ninteractive:\n  enabled: ${text}\n`), text).toEqual([
      expect.stringMatching(/^3:12: "enabled" has to be true or false/),
    ])
  }
  for (const text of ['0o17', '0x1f', '1e3', '.inf', '-.5', 'true', 'False', '017']) {
    expect(said(`command: cat\nname: ${text}\n`), text).toEqual([expect.stringMatching(/^2:7: "name" has to be text/)])
  }
  for (const text of ['yes', 'on', 'NO', '1_000', '2026-01-01', '12:30:45', '0b11', '1.2.3']) {
    expect(readProfile('a.yaml', `command: cat\nname: ${text}\n`).profile?.says.name, text).toBe(text)
  }
})

test('[AP4] whatever a file holds, it is read or refused, and never throws', () => {
  const random = seededRandom(randomSeed('profiles'))
  const pieces = [
    'command',
    ': ',
    '\n',
    '  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '#',
    '&a',
    '*a',
    '!t',
    '|',
    '>',
    '?',
    ',',
    '%',
  ]
  const words = [...pieces, 'interactive', 'enabled', 'true', '5', 'null', '\t', '---', '\u2028', '👍', 'x\\']
  for (let round = 0; round < 2_000; round += 1) {
    const text = Array.from({ length: random.int(1, 40) }, () => random.pick(words)).join('')
    const { profile, problems } = readProfile('a.yaml', text)
    expect(profile === undefined, JSON.stringify(text)).toBe(problems.length > 0)
  }
})

test('[AP3] [AP5] a file that is wrong takes its own agent away, and no other', async () => {
  await using temp = await openTempDir()
  const put = (name: string, text: string): void => writeFileSync(join(temp.path, name), text)
  put('good.yaml', 'command: cat\n')
  put('bad.yaml', 'command: cat\nnam: x\n')
  put('gemini.yaml', 'override: true\nextends: gemini\ninteractive:\n  enabled: true\n  allow_human_input: 7\n')
  put('twin.yml', 'id: good\ncommand: dog\n')
  put('qwen.yaml', 'extends: qwen\noverride: true\nenv: [MY_PROXY]\nset: {QWEN_X: "1"}\n')
  put('notes.txt', 'not a profile')
  const { profiles, broken, problems } = resolveAgents(builtin, readProfiles(temp.path))
  expect(profiles.get('good')?.argv).toEqual(['cat'])
  expect([...broken]).toEqual([
    ['bad', 'bad.yaml:2:1: There is no key "nam" here. Did you mean "name"?'],
    ['gemini', 'gemini.yaml:5:22: "allow_human_input" has to be true or false, without quotes.'],
  ])
  // What was to be narrower is not started as it was.
  expect(profiles.has('gemini')).toBe(false)
  expect(problems.map(problemLine).at(-1)).toContain('twin.yml:1:5: There is an agent "good" already, in good.yaml.')
  expect(profiles.get('qwen')).toMatchObject({ argv: ['qwen', '--acp'], set: { QWEN_X: '1' }, adapter: 'acp' })
  expect(profiles.get('qwen')?.env).toEqual(expect.arrayContaining(['OPENAI_API_KEY', 'MY_PROXY']))
  expect(profiles.get('demo')).toBe(builtin[0])
})

test('[AP6] [Y08] a file that others can write is not read, nor what is no file', async () => {
  await using temp = await openTempDir()
  const at = (name: string): string => join(temp.path, name)
  writeFileSync(at('open.yaml'), 'command: cat\n')
  chmodSync(at('open.yaml'), 0o622)
  execFileSync('mkfifo', [at('pipe.yaml')])
  mkdirSync(at('folder.yaml'))
  symlinkSync('/dev/zero', at('device.yaml'))
  symlinkSync(at('nowhere'), at('loose.yaml'))
  writeFileSync(at('mine.yaml'), 'command: cat\n')
  symlinkSync(at('mine.yaml'), at('linked.yaml'))
  const found = Object.fromEntries(
    readProfiles(temp.path).map(({ agent, problems }) => [
      agent,
      problems[0]?.what.replaceAll(temp.path, '') ?? 'read',
    ]),
  )
  expect(found).toEqual({
    open: "Others can write this file, and have anything started by it. Run: chmod go-w '/open.yaml'",
    pipe: 'This is no file. Leave it out of this folder.',
    folder: 'This is no file. Leave it out of this folder.',
    device: 'This is no file. Leave it out of this folder.',
    loose: 'The file cannot be read: ENOENT.',
    mine: 'read',
    linked: 'read',
  })
  expect(listProfileFiles(join(temp.path, 'nowhere'))).toEqual([])
  expect(readProfileFile(at('nowhere.yaml')).problems[0]?.what).toBe('The file cannot be read: ENOENT.')
})

test('[AP11] [T46] [T47] a name goes into its word, whatever it is, and what looks like an option goes nowhere', () => {
  const argv = ['claude', '--resume', 'id={session_id}']
  expect(fillArgv(argv, '0198-a_b.c:d')).toEqual(['claude', '--resume', 'id=0198-a_b.c:d'])
  for (const name of ['', '-x', '--output=/tmp/x', '$(touch x)', '`x`', 'a b', 'a;b', 'a\nb', '../x', 'a'.repeat(300)])
    expect(fillArgv(argv, name)).toBeUndefined()
  expect(fillArgv(['cat'], '$(x)')).toEqual(['cat'])
})

test('[AP14] the examples of the documentation are right as they stand there', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/agent-profiles.md'), 'utf8')
  const examples = [...text.matchAll(/agents\/([a-z-]+\.yaml)`[^]*?```yaml\n([^]*?)```/g)]
  expect(examples.map(([, name]) => name)).toEqual(['guide.yaml', 'claude-terminal.yaml', 'reviewer.yaml'])
  for (const [, name = '', yaml = ''] of examples) {
    const { profiles, problems } = resolveAgents(builtin, [readProfile(name, yaml)])
    expect(problems.map(problemLine)).toEqual([])
    expect(profiles.get(name.replace('.yaml', ''))?.interactive?.enabled).toBe(true)
  }
  // Every key has its row, and every place that is looked at is named.
  for (const key of [...profileKeys, ...interactiveKeys]) expect(text).toContain(`\`${key}\``)
  for (const { variables, files } of Object.values<Login>(logins)) {
    for (const name of [...variables, ...files.map(({ file }) => file)]) expect(text).toContain(name)
  }
})
