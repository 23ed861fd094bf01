import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { type Bench, openBench } from './bench.ts'
import { type Act, acts, type Fakery, fakeClaudeProfile } from './fake-claude-acts.ts'

/** A session of the fake, that has come to `status`. */
async function openFake(fakery: Fakery = {}, status: 'active' | 'failed' = 'active', more = {}) {
  const bench = await openBench({ profiles: [fakeClaudeProfile(fakery)] })
  const session = bench.world.start('fake', { cwd: bench.cwd, ...more })
  await bench.world.until(session, status, (state) => state.status === status)
  return { bench, session, ...viewOf(bench, session), [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() }
}

function viewOf({ world, cwd }: Bench, session: string) {
  return {
    world,
    note: (): string | undefined => world.events(session, 'session.state_changed').at(-1)?.body?.note,
    play: (...list: Act[]): string => world.send(session, 'message.send', { text: acts(...list) }),
    ended: (turns: number): Promise<unknown> =>
      world.until(session, `the end of turn ${turns}`, ({ counts, turn }) => counts.turns === turns && !turn),
    ends: (): unknown[] => world.events(session, 'turn.ended').map(({ data, body }) => [data.end, body?.error]),
    file: (name: string): Promise<string> =>
      waitFor(
        () => {
          try {
            return readFileSync(join(cwd, name), 'utf8')
          } catch {
            return undefined
          }
        },
        { what: name },
      ),
    step: (title: string) => {
      const started = world.events(session, 'step.started').find(({ body }) => body?.title.includes(title))
      const id = started?.data.step
      const of = <T extends { data: { step: string } }>(events: readonly T[]): T[] =>
        events.filter(({ data }) => data.step === id)
      return {
        started,
        progressed: of(world.events(session, 'step.progressed')),
        finished: of(world.events(session, 'step.finished'))[0],
      }
    },
  }
}

const bash = (command: string, more: Partial<Extract<Act, { do: 'ask' }>> = {}): Act => ({
  do: 'ask',
  tool: 'Bash',
  input: { command },
  ...more,
})

test('[R80] what makes it ask is on its command line, and it says who it is', async () => {
  await using fake = await openFake()
  const state = fake.world.state(fake.session)
  expect(state).toMatchObject({
    mode: 'default',
    capabilities: { verdicts: ['allow', 'deny', 'modify'], denyReason: true, questions: true, resume: true },
  })
  expect(state.native).toMatch(/^[0-9a-f-]{36}$/)
  fake.play({ do: 'say', text: 'hello there', pieces: 2 })
  await fake.ended(1)
  expect(fake.world.said(fake.session)).toBe('hello there')
  expect(fake.world.state(fake.session).model).toBe('fake-model')
})

test.each<[string, Fakery, string]>([
  ['it comes up in another mode and refuses', { mode: 'auto', refuseMode: true }, 'refused the mode "default": I like'],
  ['it only says that it takes it', { mode: 'auto', keepMode: true }, 'stayed in the mode "auto"'],
  ['it ends', { dieAtStart: 3 }, 'ended before it was ready. Its last words: the settings are broken'],
  [
    'nobody is signed in',
    { account: { tokenSource: 'none', apiProvider: 'firstParty' } },
    'not signed in on this machine. Run "claude" there once',
  ],
])('[R15] one that cannot be supervised is not started: %s', async (_, fakery, why) => {
  await using fake = await openFake(fakery, 'failed')
  expect(fake.note()).toContain(why)
})

test('[R15] it is put into the asking mode where it comes up in another one; somebody may choose another', async () => {
  await using fake = await openFake({ mode: 'auto' })
  expect(fake.world.state(fake.session).mode).toBe('default')
  await using chosen = await openFake({}, 'active', { mode: 'acceptEdits' })
  expect(chosen.world.state(chosen.session).mode).toBe('acceptEdits')
})

test('[R16] [R81] a turn in another mode puts it back; one in which nobody is asked ends it', async () => {
  await using back = await openFake({ turnMode: 'acceptEdits' })
  back.play({ do: 'say', text: 'x' })
  await back.ended(1)
  const told = (): string[] =>
    back.world.events(back.session, 'session.profile_changed').flatMap(({ data }) => data.mode ?? [])
  await waitFor(() => told().length === 3, { what: 'the way back' })
  expect(told()).toEqual(['default', 'acceptEdits', 'default'])
  await using gone = await openFake({ turnMode: 'bypassPermissions' })
  gone.play({ do: 'hang' })
  await gone.world.until(gone.session, 'failed', ({ status }) => status === 'failed')
  expect(gone.note()).toContain('by itself, in which nobody is asked')
})

test('[R16] one that will not go back is ended', async () => {
  await using fake = await openFake({ turnMode: 'acceptEdits', refuseMode: true })
  fake.play({ do: 'hang' })
  await fake.world.until(fake.session, 'failed', ({ status }) => status === 'failed')
  expect(fake.note()).toContain('left the mode "default" for "acceptEdits" by itself and would not go back')
})

test('[R82] a changed input is what runs; the step shows it, and the model is told', async () => {
  await using fake = await openFake()
  fake.play(bash('rm -rf /'), bash('ls'))
  const asked = await fake.world.ask(fake.session)
  expect(JSON.parse(asked.body?.input ?? '')).toEqual({ command: 'rm -rf /' })
  const { approval, digest, strength } = asked.data
  // Its answer carries the input, so what is allowed is what runs.
  expect(strength).toBe('enforced')
  const input = '{"command":"echo safe"}'
  fake.world.send(fake.session, 'approval.decide', { approval, digest, verdict: 'modify', input })
  expect(JSON.parse(await fake.file('answer-1.json'))).toEqual({
    behavior: 'allow',
    updatedInput: { command: 'echo safe' },
  })
  const second = await fake.world.ask(fake.session)
  fake.world.decide(fake.session, second, 'allow')
  await fake.ended(1)
  expect(await fake.file('told.txt')).toMatch(/person changed the input.*It ran with this input.*"echo safe"/)
  const { started, progressed, finished } = fake.step('rm -rf')
  expect(started?.body?.input).toEqual({ command: 'rm -rf /' })
  expect(progressed.map(({ body }) => body?.input)).toEqual([{ command: 'echo safe' }])
  expect(finished?.data.outcome).toBe('done')
  expect(fake.world.events(fake.session, 'approval.resolved')[0]?.data.outcome).toBe('allowed_modified')
  // Of the call that was left as it was, the model hears nothing.
  expect(JSON.parse(await fake.file('answer-2.json'))).toEqual({ behavior: 'allow', updatedInput: { command: 'ls' } })
})

test('[R83] what a person says in allowing reaches the model with the result', async () => {
  await using fake = await openFake()
  fake.play(bash('ls'))
  const { approval, digest } = (await fake.world.ask(fake.session)).data
  const reason = 'but only this once'
  fake.world.send(fake.session, 'approval.decide', { approval, digest, verdict: 'allow', reason })
  await fake.ended(1)
  expect(await fake.file('told.txt')).toBe('[Hotline] The person who allowed this call says: but only this once')
})

test.each(['not json', '[1]', '"text"'])(
  '[R82] what is no input is refused, and the agent is told no: %s',
  async (input) => {
    await using fake = await openFake()
    fake.play(bash('x'))
    const { approval, digest } = (await fake.world.ask(fake.session)).data
    fake.world.send(fake.session, 'approval.decide', { approval, digest, verdict: 'modify', input })
    await fake.ended(1)
    expect(fake.world.events(fake.session, 'approval.dispatch_refused').map(({ data }) => data.reason)).toEqual([
      'unsupported',
    ])
    expect(JSON.parse(await fake.file('answer-1.json'))).toMatchObject({ behavior: 'deny' })
  },
)

test('[R83] the reason of a refusal is what the model reads in place of a result, and the turn goes on', async () => {
  await using fake = await openFake()
  fake.play(bash('x'), { do: 'say', text: 'something else then' })
  fake.world.decide(fake.session, await fake.world.ask(fake.session), 'deny', 'use the other folder')
  await fake.ended(1)
  expect(JSON.parse(await fake.file('answer-1.json'))).toEqual({
    behavior: 'deny',
    message: 'A person refused this and says: use the other folder',
  })
  expect(fake.step('x').finished?.data.outcome).toBe('denied')
  expect(fake.world.said(fake.session)).toBe('something else then')
  // It heard the reason: nothing more is sent.
  expect(fake.world.state(fake.session).counts.turns).toBe(1)
})

const rule = (toolName: string, ruleContent: string, destination: string) => ({
  type: 'addRules',
  rules: [{ toolName, ruleContent }],
  behavior: 'allow',
  destination,
})

test.each<[string, string]>([
  ['/config permissionMode=auto', 'heard  /config permissionMode=auto'],
  ['/settings', 'heard  /settings'],
  ['/not-listed', 'heard  /not-listed'],
  ['/', 'heard  /'],
  ['/compact', 'heard /compact'],
  ['/deploy now', 'heard /deploy now'],
  ['see /config', 'heard see /config'],
])('[R93] a message changes no settings of the person: %s', async (text, heard) => {
  const commands = [{ name: 'config', builtin: true }, { name: 'compact', builtin: true }, { name: 'deploy' }]
  await using fake = await openFake({ commands })
  fake.world.send(fake.session, 'message.send', { text })
  await fake.ended(1)
  expect(fake.world.said(fake.session)).toBe(heard)
  expect(fake.world.printed(fake.session, 'log').includes('as words')).toBe(heard.startsWith('heard  '))
})

test.each<['session' | 'project', readonly object[], object]>([
  ['session', [rule('Bash', 'npm test *', 'localSettings')], rule('Bash', 'npm test *', 'session')],
  ['project', [rule('Bash', 'npm test *', 'session')], rule('Bash', 'npm test *', 'localSettings')],
])('[R84] for longer than once counts the rule that was shown, for the %s', async (scope, suggestions, given) => {
  await using fake = await openFake({}, 'active', { unfenced: true })
  fake.play(bash('npm test', { suggestions: suggestions as never }))
  const asked = await fake.world.ask(fake.session)
  expect(asked.data.scopes).toEqual(['once', 'session', 'project'])
  expect(asked.body?.lasting).toContain('Bash(npm test *)')
  const { approval, digest } = asked.data
  fake.world.send(fake.session, 'approval.decide', { approval, digest, verdict: 'allow', scope })
  expect(JSON.parse(await fake.file('answer-1.json'))).toEqual({
    behavior: 'allow',
    updatedInput: { command: 'npm test' },
    updatedPermissions: [given],
  })
})

test('[R84] a mode is never given with an answer: of an edit it is the one file, while the session lasts', async () => {
  await using fake = await openFake()
  const suggestions = [{ type: 'setMode', mode: 'acceptEdits', destination: 'session' }]
  const write = (path: string): Act => ({
    do: 'ask',
    tool: 'Write',
    input: { file_path: path, content: 'x' },
    suggestions,
  })
  fake.play(write('/repo/a.txt'), write('/repo/*.txt'), bash('x', { suggestions }))
  const asked = await fake.world.ask(fake.session)
  expect(asked.data.scopes).toEqual(['once', 'session'])
  const { approval, digest } = asked.data
  fake.world.send(fake.session, 'approval.decide', { approval, digest, verdict: 'allow', scope: 'session' })
  expect(JSON.parse(await fake.file('answer-1.json'))).toMatchObject({
    updatedPermissions: [rule('Edit', '//repo/a.txt', 'session')],
  })
  for (const _ of ['a name that would be a pattern', 'no file']) {
    const further = await fake.world.ask(fake.session)
    expect(further.data.scopes).toEqual(['once'])
    fake.world.decide(fake.session, further, 'deny')
  }
  await fake.ended(1)
})

const questions = {
  questions: [
    {
      question: 'Which colour?',
      header: 'Colour',
      options: [{ label: 'Blue', description: 'as the sky' }, { label: 'Red' }],
    },
    { question: 'Which sizes?', header: 'Size', multiSelect: true, options: [{ label: 'S' }, { label: 'L' }] },
  ],
}

test.each<[string, object, object]>([
  [
    'chosen',
    { action: 'accept', content: { answer_1: 'Blue', answer_2: ['S', 'L'] } },
    { behavior: 'allow', updatedInput: { ...questions, answers: { 'Which colour?': 'Blue', 'Which sizes?': 'S, L' } } },
  ],
  [
    'in other words, and one left out',
    { action: 'accept', content: { other_1: 'a dark green' } },
    { behavior: 'allow', updatedInput: { ...questions, answers: { 'Which colour?': 'a dark green' } } },
  ],
  ['declined', { action: 'decline' }, { behavior: 'deny', message: 'The person does not want to answer this.' }],
])('[R85] its questions are a form, and the answers go back by question: %s', async (_, answer, given) => {
  await using fake = await openFake()
  fake.play({ do: 'ask', tool: 'AskUserQuestion', input: questions })
  await fake.world.until(fake.session, 'a question', (state) => state.questions.length === 1)
  const [asked] = fake.world.events(fake.session, 'question.asked')
  expect(asked?.body?.text).toBe('1. Which colour?\n2. Which sizes?')
  expect(asked?.body?.schema).toMatchObject({
    properties: {
      answer_1: {
        oneOf: [
          { const: 'Blue', title: 'Blue: as the sky' },
          { const: 'Red', title: 'Red' },
        ],
      },
      other_1: { type: 'string' },
      answer_2: { type: 'array', items: { anyOf: [{ const: 'S' }, { const: 'L' }] } },
    },
  })
  const question = asked?.data.question ?? ''
  fake.world.send(fake.session, 'question.answer', { question, ...answer } as never)
  await fake.ended(1)
  expect(JSON.parse(await fake.file('answer-1.json'))).toEqual(given)
  // The question is the step.
  expect(fake.world.events(fake.session, 'step.started')).toEqual([])
})

test('[R86] a plan is approved as its text, and cannot be changed by whoever approves it', async () => {
  await using fake = await openFake()
  fake.play({ do: 'ask', tool: 'ExitPlanMode', input: { plan: '# Plan\n1. build' } })
  const asked = await fake.world.ask(fake.session)
  expect(asked.body).toMatchObject({ title: 'Go ahead with this plan', input: '# Plan\n1. build', plan: true })
  expect(asked.data).toMatchObject({ verdicts: ['allow', 'deny'], scopes: ['once'], strength: 'advisory' })
  fake.world.decide(fake.session, asked, 'allow')
  await fake.ended(1)
  expect(JSON.parse(await fake.file('answer-1.json'))).toMatchObject({ behavior: 'allow' })
})

test('[R86] what a plan would be allowed along with it is said, and taken out of the answer', async () => {
  await using fake = await openFake()
  const allowedPrompts = [{ tool: 'Bash', prompt: 'push the branch' }]
  const suggestions = [{ type: 'setMode', mode: 'acceptEdits', destination: 'session' }]
  fake.play({ do: 'ask', tool: 'ExitPlanMode', input: { plan: 'Build it.', allowedPrompts }, suggestions })
  const asked = await fake.world.ask(fake.session)
  expect(asked.body).toMatchObject({ input: 'Build it.', plan: true })
  expect(asked.body?.reason).toContain('push the branch')
  expect(asked.data.scopes).toEqual(['once'])
  fake.world.decide(fake.session, asked, 'allow')
  await fake.ended(1)
  const answer: unknown = JSON.parse(await fake.file('answer-1.json'))
  expect(answer).toEqual({ behavior: 'allow', updatedInput: { plan: 'Build it.' } })
})

test('[R86] a plan with anything that nobody here knows is asked as it came, and is no plan', async () => {
  await using fake = await openFake()
  fake.play({ do: 'ask', tool: 'ExitPlanMode', input: { plan: 'Build it.', pushToRemote: true } })
  const asked = await fake.world.ask(fake.session)
  expect(asked.body).not.toHaveProperty('plan')
  expect(asked.body?.input).toContain('"pushToRemote": true')
})

test('[R87] what is to be stopped before it is under way is stopped when it is', async () => {
  await using fake = await openFake({ lateInit: 400 })
  fake.play({ do: 'hang' })
  await fake.world.until(fake.session, 'a turn', ({ turn }) => turn)
  fake.world.send(fake.session, 'session.interrupt', {})
  await fake.ended(1)
  expect(fake.ends()).toEqual([['cancelled', undefined]])
  expect(fake.world.events(fake.session, 'control.done').map(({ data }) => data.action)).toEqual(['interrupt'])
})

test('[R87] it is told to stop again where it did not hear it', async () => {
  await using fake = await openFake({ deaf: 1 })
  fake.play({ do: 'hang' })
  await fake.world.until(fake.session, 'a turn', ({ turn }) => turn)
  fake.world.send(fake.session, 'session.interrupt', {})
  await fake.ended(1)
  expect(fake.ends()).toEqual([['cancelled', undefined]])
})

test('[R5] stopping a turn closes what it asked; a late answer changes nothing', async () => {
  await using fake = await openFake()
  fake.play(bash('x', { onAllow: [{ do: 'write', path: 'ran' }] }))
  const asked = await fake.world.ask(fake.session)
  fake.world.send(fake.session, 'session.interrupt', {})
  await fake.ended(1)
  expect(fake.world.events(fake.session, 'approval.cancelled').map(({ data }) => data.reason)).toEqual(['turn_ended'])
  expect(() => fake.world.decide(fake.session, asked, 'allow')).toThrow('approval_expired')
  expect(fake.step('x').finished?.data.outcome).toBe('cancelled')
})

test('[R88] a turn that it begins by itself is a turn, and can be stopped', async () => {
  await using fake = await openFake()
  fake.play({ do: 'say', text: 'asked' }, { do: 'later', acts: [{ do: 'say', text: 'by itself' }, { do: 'hang' }] })
  const words = () => fake.world.events(fake.session, 'message.delta').map(({ body }) => body?.text)
  await fake.world.until(fake.session, 'the words', () => words().join('').includes('by itself'))
  const [first, second] = fake.world.events(fake.session, 'turn.started')
  expect([first?.data.message, second?.data.message]).toEqual([expect.any(String), undefined])
  fake.world.send(fake.session, 'session.interrupt', {})
  await fake.ended(2)
  expect(fake.ends()).toEqual([
    ['end', undefined],
    ['cancelled', undefined],
  ])
})

test('[R88] the end of a turn of its own is not the end of a message that waits meanwhile', async () => {
  await using fake = await openFake({ ownFirst: true })
  fake.play({ do: 'say', text: 'what was asked' }, bash('x'))
  const asked = await fake.world.ask(fake.session)
  expect(fake.ends()).toEqual([])
  fake.world.decide(fake.session, asked, 'allow')
  await fake.ended(1)
  expect(fake.world.said(fake.session)).toContain('of its own')
})

test('[R88] old versions do not tell what becomes of a message: then each end is that of the last one', async () => {
  await using fake = await openFake({ lifecycle: false })
  fake.play({ do: 'say', text: 'x' })
  await fake.ended(1)
  fake.play({ do: 'say', text: 'y' })
  await fake.ended(2)
})

test('[R89] a turn is not over while a sub-agent waits for an answer, and what it does stands under its call', async () => {
  await using fake = await openFake()
  const line = JSON.stringify({
    type: 'assistant',
    message: {
      id: 'm',
      content: [{ type: 'tool_use', id: 'toolu_sub', name: 'Agent', input: { description: 'look' } }],
    },
  })
  const result = '{"type":"result","subtype":"success","is_error":false}'
  fake.play({ do: 'raw', line }, bash('in the sub-agent', { parent: 'toolu_sub', after: [result] }))
  const asked = await fake.world.ask(fake.session)
  const main = fake.step('Agent look').started?.data.step
  expect(fake.step('in the sub-agent').started?.data.parent).toBe(main)
  expect(fake.ends()).toEqual([])
  fake.world.decide(fake.session, asked, 'allow')
  await fake.ended(1)
  expect(JSON.parse(await fake.file('answer-1.json'))).toMatchObject({ behavior: 'allow' })
})

test.each<[string, Fakery['result'], string, string | undefined]>([
  [
    'a failure dressed as a success',
    { subtype: 'success', is_error: true, terminal_reason: 'api_error', result: 'API Error: 529 Overloaded' },
    'error',
    'API Error: 529 Overloaded',
  ],
  ['too many steps', { subtype: 'error_max_turns', is_error: true }, 'limit', undefined],
  ['its model refuses', { stop_reason: 'refusal' }, 'refused', undefined],
  ['too many tokens', { stop_reason: 'max_tokens' }, 'limit', undefined],
  ['without a word', { subtype: 'error_during_execution', is_error: true, result: null }, 'error', 'completed'],
])('[R90] the end of a turn is told as what it is: %s', async (_, result, end, error) => {
  await using fake = await openFake({ result: result ?? {} })
  fake.play({ do: 'say', text: 'x' })
  await fake.ended(1)
  expect(fake.ends()).toEqual([[end, error]])
})

test('[R91] tokens and cost are of the whole session, also after it was taken up again', async () => {
  await using fake = await openFake()
  fake.play({ do: 'say', text: 'x' })
  await fake.ended(1)
  const { usage, pid } = fake.world.state(fake.session)
  expect(usage).toEqual({
    inputTokens: 105,
    outputTokens: 7,
    contextUsed: 50,
    contextSize: 1_000,
    cost: { amount: 0.25, currency: 'USD' },
  })
  const [reported] = fake.world.events(fake.session, 'usage.reported')
  expect(reported?.data.models).toEqual([{ model: 'fake-model', inputTokens: 105, outputTokens: 7, costUsd: 0 }])
  process.kill(pid ?? 0, 'SIGKILL')
  await fake.world.until(fake.session, 'interrupted', ({ status }) => status === 'interrupted')
  fake.world.send(fake.session, 'session.resume', {})
  await fake.world.until(fake.session, 'active', ({ status }) => status === 'active')
  fake.play({ do: 'say', text: 'y' })
  await fake.ended(2)
  expect(fake.world.state(fake.session).usage).toMatchObject({
    inputTokens: 210,
    cost: { amount: 0.5, currency: 'USD' },
  })
})

test('[R9] killed while it asks, it is taken up again under its own name and goes on', async () => {
  await using fake = await openFake()
  fake.play(bash('x'))
  await fake.world.ask(fake.session)
  const { pid, native } = fake.world.state(fake.session)
  process.kill(pid ?? 0, 'SIGKILL')
  await fake.world.until(fake.session, 'interrupted', ({ status }) => status === 'interrupted')
  expect(fake.world.events(fake.session, 'approval.cancelled').map(({ data }) => data.reason)).toEqual(['agent_lost'])
  fake.world.send(fake.session, 'session.resume', {})
  await fake.world.until(fake.session, 'active', ({ status }) => status === 'active')
  expect(fake.world.state(fake.session)).toMatchObject({ native, mode: 'default' })
  fake.play({ do: 'say', text: 'back again' })
  await fake.world.until(fake.session, 'words', () => fake.world.said(fake.session).includes('back again'))
})

test('[R92] what was changed in files is shown: parts before, the whole after', async () => {
  await using fake = await openFake()
  const path = '/repo/a.txt'
  fake.play({
    do: 'ask',
    tool: 'Edit',
    input: { file_path: path, old_string: 'one', new_string: 'two' },
    result: { filePath: path, oldString: 'one', newString: 'two', originalFile: 'zero\none\n', structuredPatch: [] },
  })
  const asked = await fake.world.ask(fake.session)
  const part = { path, oldText: 'one', newText: 'two', partial: true }
  expect(asked.body?.changes).toEqual([part])
  fake.world.decide(fake.session, asked, 'allow')
  await fake.ended(1)
  const { started, finished } = fake.step('a.txt')
  expect(started?.data.kind).toBe('edit')
  expect(started?.body).toMatchObject({ changes: [part], locations: [path] })
  expect(finished?.body?.changes).toEqual([{ path, oldText: 'zero\none\n', newText: 'zero\ntwo\n' }])
})

test('[R20] what holds a masked secret cannot be changed: nobody sees what they would change', async () => {
  const profile = { ...fakeClaudeProfile(), set: { ANTHROPIC_API_KEY: 'sk-ant-secret-value-1' } }
  await using bench = await openBench({ profiles: [profile] })
  const session = bench.world.start('fake', { cwd: bench.cwd, prompt: acts(bash('echo sk-ant-secret-value-1')) })
  const asked = await bench.world.ask(session)
  expect(asked.body).toMatchObject({ redacted: true })
  expect(asked.body?.input).not.toContain('sk-ant-secret')
  expect(asked.data.verdicts).toEqual(['allow', 'deny'])
})
