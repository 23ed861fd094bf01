import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { changeFacts } from '@hotline/core/change-facts'
import { readGitPatch } from '@hotline/core/git-patch'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { ToolPatch } from '../src/adapters/acp/schema.ts'
import { Tools } from '../src/adapters/acp/tools.ts'
import { Silence } from '../src/adapters/acp/v2/silence.ts'
import { Translation } from '../src/adapters/acp/v2/translate.ts'
import { openBench } from './bench.ts'
import type { Oddness } from './odd-agent.ts'
import { profileOf } from './profile-of.ts'

const line = (message: Record<string, unknown>): string => JSON.stringify({ jsonrpc: '2.0', ...message })
const update = (body: Record<string, unknown>): string =>
  line({ method: 'session/update', params: { sessionId: '$SESSION', update: body } })
const state = (name: string, more = {}): string => update({ sessionUpdate: 'state_update', state: name, ...more })
const receipt = line({ id: '$PROMPT', result: { messageId: 'p1' } })
const say = (text: string): string =>
  update({ sessionUpdate: 'agent_message_chunk', messageId: 'a1', content: { type: 'text', text } })

async function openOdd(odd: Oddness) {
  const bench = await openBench({ profiles: [profileOf('odd', odd)] })
  const session = bench.world.start('odd', { cwd: bench.cwd, prompt: 'go' })
  await bench.world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  return { world: bench.world, session, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() }
}

test.each(['repeats', 'refuses'] as const)(
  '[R70] an agent that %s the number 2 is spoken to in version 1',
  async (v2) => {
    await using odd = await openOdd({ v2, modes: ['auto', 'ask'], say: [say('in one')] })
    expect(odd.world.said(odd.session)).toBe('in one')
    expect(odd.world.state(odd.session).mode).toBe('ask')
  },
)

test('[R70] [R71] in version 2 a turn ends when the agent rests, and not by a rest from before', async () => {
  const turn = [state('idle', { stopReason: 'end_turn' }), receipt, state('running'), say('in two'), state('running')]
  const end = state('idle', { stopReason: 'max_tokens', usage: { inputTokens: 7, outputTokens: 3 } })
  await using odd = await openOdd({ v2: 'speaks', modeOption: ['auto', 'ask'], say: [...turn, end], onCancel: [] })
  const { world, session } = odd
  expect(world.said(session)).toBe('in two')
  expect(world.events(session, 'turn.ended').map(({ data }) => data.end)).toEqual(['limit'])
  expect(world.state(session)).toMatchObject({ mode: 'ask', usage: { inputTokens: 7, outputTokens: 3 } })
  expect(world.state(session).capabilities?.resume).toBe(true)
})

test('[R71] an error that ends a turn is told', async () => {
  const end = state('idle', { stopReason: 'error', error: { code: -32_603, message: 'the model is away' } })
  await using odd = await openOdd({ v2: 'speaks', modeOption: ['ask'], say: [receipt, end], onCancel: [] })
  expect(odd.world.events(odd.session, 'turn.ended')).toMatchObject([
    { data: { end: 'error' }, body: { error: 'the model is away' } },
  ])
})

test('[R74] an agent that loses its last word is said to be silent, once, and its turn goes on', async () => {
  const quiet: Oddness = {
    v2: 'speaks',
    modeOption: ['ask'],
    say: [receipt, state('running'), say('done')],
    onCancel: [],
  }
  await using bench = await openBench({ profiles: [profileOf('odd', quiet)], silenceMs: 100 })
  const { world } = bench
  const session = world.start('odd', { cwd: bench.cwd, prompt: 'go' })
  await world.until(session, 'words of it', () => world.printed(session, 'log').includes('has said nothing for'))
  expect(world.printed(session, 'log')).toMatch(
    /nothing for 0\.1 seconds, nor that its turn is over\..*Wait, or stop the turn/,
  )
  expect(world.state(session).turn).toBeDefined()
})

test('[R74] it is due while nothing else is waited for, and said once for each silence', () => {
  vi.useFakeTimers()
  try {
    let isDue = true
    let told = 0
    using silence = new Silence({ afterMs: 1_000, isDue: () => isDue, silent: () => (told += 1) })
    silence.stir()
    vi.advanceTimersByTime(900)
    silence.stir()
    vi.advanceTimersByTime(900)
    expect(told).toBe(0)
    vi.advanceTimersByTime(5_000)
    expect(told).toBe(1)
    silence.stir()
    isDue = false
    vi.advanceTimersByTime(5_000)
    expect(told).toBe(1)
    isDue = true
    silence.stir()
    vi.advanceTimersByTime(1_000)
    expect(told).toBe(2)
  } finally {
    vi.useRealTimers()
  }
})

const base64 = (text: string): string => Buffer.from(text).toString('base64')
/** The text that a tool call shows after these updates, each time that it is shown. */
function shown(translation: Translation, updates: { sessionUpdate: string; [member: string]: unknown }[]): string[] {
  return updates.flatMap((one) =>
    translation.updates(one).map((said) => {
      const parts = (said['content'] ?? []) as { content?: { text: string }; newText?: string }[]
      return parts.map(({ content, newText }) => content?.text ?? newText).join('|')
    }),
  )
}

test('[R72] the output of a terminal is shown as it doubles and at its end, whatever the pieces', () => {
  const translation = new Translation()
  const call = { sessionUpdate: 'tool_call_update', toolCallId: 't' }
  const content = [{ type: 'terminal', terminalId: 'x' }]
  const pieces = Array.from({ length: 1_000 }, (_, n) => ({
    sessionUpdate: 'terminal_output_chunk',
    terminalId: 'x',
    data: base64(`${n % 10}`),
  }))
  const times = shown(translation, [{ ...call, content }, ...pieces])
  expect(times.length).toBeLessThan(15)
  const whole = Array.from({ length: 1_000 }, (_, n) => n % 10).join('')
  expect(whole.startsWith(times.at(-1) ?? '-')).toBe(true)
  expect(shown(translation, [{ ...call, status: 'completed' }])).toEqual([whole])
  const replaced = { sessionUpdate: 'terminal_update', terminalId: 'x', output: { data: base64('anew') } }
  expect(shown(translation, [replaced])).toEqual(['anew'])
})

test('[R72] content in chunks adds up, and a message told whole repeats nothing', () => {
  const translation = new Translation()
  const part = (text: string): unknown => ({ type: 'content', content: { type: 'text', text } })
  const call = { sessionUpdate: 'tool_call_update', toolCallId: 't', content: [part('one')] }
  const chunk = { sessionUpdate: 'tool_call_content_chunk', toolCallId: 't', content: part('two') }
  expect(shown(translation, [call, chunk])).toEqual(['one', 'one|two'])

  const piece = { sessionUpdate: 'agent_message_chunk', messageId: 'm', content: { type: 'text', text: 'half' } }
  const whole = (text: string) => ({
    sessionUpdate: 'agent_message',
    messageId: 'm',
    content: [{ type: 'text', text }],
  })
  expect(translation.updates(piece)).toEqual([piece])
  expect(translation.updates(whole('half and half'))).toMatchObject([{ content: { text: ' and half' } }])
  expect(translation.updates(whole('half and half'))).toEqual([])
  expect(translation.updates({ sessionUpdate: '_vendor', content: {} })).toEqual([])
  expect(translation.updates({ sessionUpdate: 'usage_update', used: 1, size: 2 })).toHaveLength(1)
})

test('[R72] git patches are read as git writes them: new, changed in places, gone, without a last line end', async () => {
  await using dir = await openTempDir('hotline-patch-')
  const [before, after] = [join(dir.path, 'a'), join(dir.path, 'b')]
  const many = Array.from({ length: 30 }, (_, n) => `line ${n}\n`)
  const files: [string, string | undefined, string | undefined][] = [
    ['new.txt', undefined, 'one\n-- two\n'],
    ['gone.txt', 'was here\n', undefined],
    ['two-places.txt', many.join(''), many.with(1, 'first\n').with(28, '++ last\n').join('')],
    ['no-end.txt', 'same\nold', 'same\nnew'],
  ]
  for (const [folder, side] of [
    [before, 1],
    [after, 2],
  ] as const) {
    mkdirSync(folder)
    for (const file of files) {
      const text = file[side]
      if (text !== undefined) writeFileSync(join(folder, file[0]), text)
    }
  }
  const patch = gitDiff(dir.path)
  const changes = readGitPatch(patch)
  const of = (name: string) => changes.filter(({ path }) => path.endsWith(name))
  expect(of('new.txt')).toMatchObject([{ oldText: null, newText: 'one\n-- two\n', partial: false }])
  expect(of('gone.txt')).toMatchObject([{ oldText: 'was here\n', newText: '', partial: false }])
  expect(of('no-end.txt')).toMatchObject([{ oldText: 'same\nold', newText: 'same\nnew', partial: true }])
  expect(of('two-places.txt')).toHaveLength(2)
  expect(of('two-places.txt')[1]).toMatchObject({ newText: many.slice(25, 28).join('') + '++ last\n' + many[29] })
  expect(readGitPatch('not a patch\n@@ broken')).toEqual([])
})

test('[U16] what becomes of a file besides its lines is read as git writes it, also where no line changes', async () => {
  await using dir = await openTempDir('hotline-modes-')
  const git = (...words: string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], { cwd: dir.path, encoding: 'utf8' })
  const at = (name: string): string => join(dir.path, name)
  git('init', '-q')
  const text = Array.from({ length: 20 }, (_, n) => `line ${n}\n`).join('')
  for (const name of ['run.sh', 'both.sh', 'old name.txt', 'gone.txt', 'empty gone', 'moved ä.txt', 'ends  ', 'link'])
    writeFileSync(at(name), name === 'empty gone' ? '' : `${name}\n${text}`)
  writeFileSync(at('picture'), Buffer.of(0, 1, 2))
  git('add', '-A')
  git('commit', '-qm', 'before')
  chmodSync(at('run.sh'), 0o755)
  chmodSync(at('both.sh'), 0o755)
  writeFileSync(at('both.sh'), `both.sh\n${text}more\n`)
  renameSync(at('old name.txt'), at('new "name".txt'))
  renameSync(at('moved ä.txt'), at('moved.txt'))
  writeFileSync(at('moved.txt'), `moved ä.txt\n${text}more\n`)
  rmSync(at('gone.txt'))
  rmSync(at('empty gone'))
  writeFileSync(at('ends  '), 'another text\n')
  rmSync(at('link'))
  symlinkSync('/etc/passwd', at('link'))
  writeFileSync(at('picture'), Buffer.of(0, 1, 3))
  writeFileSync(at('empty new'), '')
  writeFileSync(at('new.sh'), 'x\n', { mode: 0o755 })
  git('add', '-A')
  const changes = readGitPatch(git('diff', '--cached', '-M', '--no-rename-empty'))
  const of = (path: string) => changes.filter((change) => change.path === path)
  expect(of('run.sh')).toEqual([
    { path: 'run.sh', oldText: '', newText: '', partial: false, modes: { from: '100644', to: '100755' } },
  ])
  expect(of('both.sh')).toMatchObject([{ partial: true, modes: { from: '100644', to: '100755' } }])
  expect(of('new "name".txt')).toMatchObject([{ newText: '', cameFrom: { path: 'old name.txt', how: 'moved' } }])
  expect(of('moved.txt')).toMatchObject([
    { newText: expect.stringContaining('more\n'), cameFrom: { path: 'moved ä.txt', how: 'moved' } },
  ])
  expect(of('gone.txt')).toMatchObject([{ newText: '', removed: true }])
  expect(of('empty gone')).toMatchObject([{ oldText: '', newText: '', removed: true }])
  expect(of('ends  ')).toMatchObject([{ newText: 'another text\n' }])
  // A file that becomes a link is one that goes and one that comes.
  expect(of('link')).toMatchObject([{ removed: true }, { newText: '/etc/passwd', modes: { to: '120000' } }])
  expect(of('picture')).toMatchObject([{ binary: true }])
  expect(of('empty new')).toEqual([{ path: 'empty new', oldText: null, newText: '', partial: false }])
  expect(of('new.sh')).toMatchObject([{ oldText: null, newText: 'x\n', modes: { to: '100755' } }])
  expect(new Set(changes.map(({ path }) => path)).size).toBe(11)
  expect(changes.map((change) => changeFacts(change).map(({ words, name = '' }) => `${words} ${name}`.trim()))).toEqual(
    expect.arrayContaining([
      ['can be run as a program'],
      ['moved from old name.txt'],
      ['becomes a link'],
      ['removed'],
      [],
    ]),
  )
})

test('[U16] what is asked about a change says so, and its digest is bound to it', () => {
  const translation = new Translation()
  const patch = 'diff --git a/x b/x\nold mode 100644\nnew mode 100755\n'
  const asked = translation.permission('7', {
    sessionId: 's',
    title: 'May I?',
    options: [{ optionId: 'y', name: 'Yes', kind: 'allow_once' }],
    subject: {
      type: 'tool_call',
      toolCall: {
        toolCallId: 't',
        kind: 'edit',
        content: [{ type: 'diff', patch: { format: 'git_patch', text: patch } }],
      },
    },
  })
  const call = ToolPatch.parse(z.object({ toolCall: z.unknown() }).parse(asked).toolCall)
  const tools = new Tools(
    () => undefined,
    () => 'step',
  )
  const { input, changes } = tools.describe(tools.patch(call, 'permission'), call)
  const modes = { from: '100644', to: '100755' }
  expect(changes).toMatchObject([{ path: 'x', modes }])
  // The exact input is what the digest is made of.
  expect(JSON.parse(input ?? '')).toMatchObject({ changes: [{ path: 'x', newText: '', modes }] })
})

function gitDiff(cwd: string): string {
  try {
    return execFileSync('git', ['diff', '--no-index', 'a', 'b'], { cwd, encoding: 'utf8' })
  } catch (error) {
    // Its exit code says that they differ.
    return (error as { stdout: string }).stdout
  }
}

test('[R73] a request is about a tool call, a command, or only words', () => {
  const translation = new Translation()
  const options = [{ optionId: 'y', name: 'Yes', kind: 'allow_once' }]
  const about = (subject?: unknown): unknown =>
    translation.permission('7', { sessionId: 's', title: 'May I?', description: 'because', options, subject })
  const words = [{ type: 'content', content: { type: 'text', text: 'because' } }]
  expect(about({ type: 'tool_call', toolCall: { toolCallId: 't', kind: 'edit' } })).toEqual({
    sessionId: 's',
    options,
    toolCall: { toolCallId: 't', kind: 'edit', title: 'May I?', content: words },
  })
  expect(about({ type: 'command', command: 'rm x', cwd: '/w' })).toMatchObject({
    toolCall: { toolCallId: 'request:7', kind: 'execute', rawInput: { command: 'rm x', cwd: '/w' } },
  })
  expect(about()).toMatchObject({ toolCall: { toolCallId: 'request:7', title: 'May I?', content: words } })
})
