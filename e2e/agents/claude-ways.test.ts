import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { scripted } from '@hotline/testing/model/script'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest'
import { type AgentPlace, openAgentPlace } from '../src/agents/agent-place.ts'
import type { AgentTalk } from '../src/agents/agent-talk.ts'
import { claudeCode } from '../src/agents/claude-code.ts'

// What only Claude Code can do, seen with its own program; what every agent has to show is in claude.test.ts.
let place: AgentPlace | { why: string }
beforeAll(async () => {
  place = await openAgentPlace(claudeCode)
  // Its rules for a project go to the next folder upwards that looks like a repository: to one of this test.
  if (!('why' in place)) mkdirSync(join(root(place), '.git'))
})
afterAll(async () => {
  if (!('why' in place)) await place[Symbol.asyncDispose]()
})

const root = ({ home }: AgentPlace) => dirname(home)

function at(context: TestContext): AgentPlace {
  if ('why' in place) context.skip(place.why)
  return place
}

const run = (command: string) => ({ tool: 'Bash', input: { command } })
// A script within a script is not to be found in it: its marks are escaped as JSON may escape them.
const hidden = (script: string) => script.replace('SCRIPT:[', '<begin>').replace(']:END', '<end>')
const shown = (script: string) => script.replaceAll('<begin>', 'SCRIPT:\\u005b').replaceAll('<end>', '\\u005d:END')
const idle = (talk: AgentTalk) => talk.until('rest', ({ turn, queue }) => turn === undefined && queue.length === 0)

test('[R82] claude: the model hears that a person changed its input, with the result of that very call', async (context) => {
  const { start, model } = at(context)
  const talk = await start(scripted('change', { calls: [run('echo one > $CWD/a.txt')] }, { text: 'Done.' }))
  const ask = await talk.ask()
  const input = ask.body?.input?.replace('echo one', 'echo two') ?? ''
  await talk.decide(ask, 'modify', { input })
  await talk.turns(1)
  expect(talk.file('a.txt')).toBe('two\n')
  const after = await model.called(({ body, outcome }) => {
    return outcome === 'answered' && JSON.stringify(body).includes('A person changed the input of this call')
  })
  expect(JSON.stringify(after.body)).toContain('echo two')
  const [progressed] = await talk.events('step.progressed')
  expect(JSON.stringify(progressed?.body?.input)).toContain('echo two')
})

test('[R84] claude: for the session, a rule holds in this process and is written nowhere', async (context) => {
  const opened = at(context)
  const { start } = opened
  const edit = { write: { path: '$CWD/s.txt', text: 'one\n' } }
  const talk = await start(scripted('twice', { calls: [edit] }, { text: 'Once.' }))
  const ask = await talk.ask()
  expect(ask.data.scopes).toEqual(['once', 'session'])
  expect(ask.body?.lasting).toContain('s.txt')
  const { approval, digest } = ask.data
  await talk.api.command(talk.stream, 'approval.decide', { approval, digest, verdict: 'allow', scope: 'session' })
  await talk.turns(1)
  const again = { tool: 'Write', input: { file_path: '$CWD/s.txt', content: 'two\n' } }
  const other = { tool: 'Write', input: { file_path: '$CWD/t.txt', content: 'x\n' } }
  await talk.send(scripted('again', { calls: [again] }, { calls: [other] }, { text: 'Twice.' }))
  const second = await talk.ask()
  expect(second.body?.input).toContain('t.txt')
  expect(talk.file('s.txt')).toBe('two\n')
  await talk.decide(second, 'deny')
  await talk.turns(2)
  expect([talk.cwd, root(opened)].some((folder) => existsSync(join(folder, '.claude')))).toBe(false)
})

test('[R84] claude: for the project, the rule stands in its settings, because somebody said so', async (context) => {
  const opened = at(context)
  const { start } = opened
  const wanted = scripted('project', { calls: [run('python3 -c "print(1)"')] }, { text: 'One.' })
  // Behind a fence it could not write them.
  const fenced = await start(wanted)
  expect((await fenced.ask()).data.scopes).toEqual(['once', 'session'])
  await fenced.decide(await fenced.ask(), 'deny')
  await fenced.turns(1)
  const talk = await start(wanted, { unfenced: true })
  const ask = await talk.ask()
  expect(ask.data.scopes).toContain('project')
  const { approval, digest } = ask.data
  await talk.api.command(talk.stream, 'approval.decide', { approval, digest, verdict: 'allow', scope: 'project' })
  await talk.turns(1)
  const file = join(root(opened), '.claude/settings.local.json')
  await waitFor(() => existsSync(file), { what: 'the settings of the project' })
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    permissions: { allow: [expect.stringContaining('Bash(python3 ')] },
  })
  // They are settings that a folder brings: the next start asks whether they are trusted.
  const next = await start(scripted('again', { text: 'Two.' }), { unfenced: true })
  const trust = await next.ask()
  expect(trust.body?.input).toContain('../../.claude/settings.local.json')
  await next.decide(trust, 'allow')
  await next.turns(1)
  rmSync(dirname(file), { recursive: true })
})

test('[R85] claude: its question is a form, and the model reads the answer', async (context) => {
  const { start, model } = at(context)
  const questions = [
    {
      question: 'Which colour?',
      header: 'Colour',
      multiSelect: false,
      options: [
        { label: 'Blue', description: 'as the sky' },
        { label: 'Red', description: 'as fire' },
      ],
    },
  ]
  const talk = await start(
    scripted('ask', { calls: [{ tool: 'AskUserQuestion', input: { questions } }] }, { text: 'Thanks.' }),
  )
  await talk.until('a question', (state) => state.questions.length === 1)
  const [asked] = await talk.events('question.asked')
  expect(asked?.body?.text).toBe('Which colour?')
  const question = asked?.data.question ?? ''
  await talk.api.command(talk.stream, 'question.answer', { question, action: 'accept', content: { answer_1: 'Blue' } })
  await talk.turns(1)
  await model.called(({ body }) => /Which colour\?.{1,6}=.{1,6}Blue/.test(JSON.stringify(body)))
  expect(await talk.said()).toContain('Thanks.')
})

test('[R86] claude: a plan is approved as its text; a no goes back with its reason', async (context) => {
  const { start, model } = at(context)
  const talk = await start(scripted('warm up', { text: 'Warm.' }))
  await talk.turns(1)
  await talk.api.command(talk.stream, 'session.set_mode', { mode: 'plan' })
  await talk.until('the mode', ({ mode }) => mode === 'plan')
  const plan = { tool: 'ExitPlanMode', input: { plan: '# Plan\n1. build it' } }
  await talk.send(scripted('plan', { calls: [plan] }, { calls: [plan] }, { text: 'Off we go.' }))
  const first = await talk.ask()
  expect(first.body).toMatchObject({ tool: 'ExitPlanMode', input: '# Plan\n1. build it' })
  expect(first.data.verdicts).toEqual(['allow', 'deny'])
  await talk.decide(first, 'deny', { reason: 'make it shorter' })
  await model.called(({ body }) => JSON.stringify(body).includes('make it shorter'))
  const isNext = async (): Promise<boolean> => (await talk.ask()).data.approval !== first.data.approval
  await waitFor(isNext, { what: 'the second plan' })
  await talk.decide(await talk.ask(), 'allow')
  await talk.turns(2)
  // It leaves the mode for plans by itself, and asks as before.
  expect((await idle(talk)).mode).toBe('default')
})

test('[R89] claude: two sub-agents ask at once while the agent has no more to say; each gets its answer', async (context) => {
  const { start } = at(context)
  const agent = (name: string) => ({
    tool: 'Agent',
    input: {
      description: `make ${name}`,
      subagent_type: 'general-purpose',
      prompt: hidden(
        scripted(name, { calls: [{ write: { path: `$CWD/${name}.txt`, text: `${name}\n` } }] }, { text: name }),
      ),
    },
  })
  const calls = [agent('one'), agent('two')]
  const talk = await start(shown(scripted('two agents', { calls }, { text: 'They work.' })))
  const asks = await talk.asks(2)
  const one = asks.find(({ body }) => body?.input?.includes('one.txt'))
  const two = asks.find(({ body }) => body?.input?.includes('two.txt'))
  if (!one || !two) throw new Error('the requests do not say what they are about')
  const steps = await talk.events('step.started')
  const parents = [one, two].map(({ data }) => steps.find((step) => step.data.step === data.step)?.data.parent)
  expect(parents.every((parent) => steps.some(({ data }) => data.step === parent && data.kind === 'think'))).toBe(true)
  expect(new Set(parents).size).toBe(2)
  await talk.decide(two, 'deny')
  await talk.decide(one, 'allow')
  await waitFor(() => talk.file('one.txt'), { what: 'the file' })
  await talk.turns(1)
  await idle(talk)
  expect(talk.file('two.txt')).toBeUndefined()
})

test('[R88] claude: what it left running wakes it up, in a turn of its own', async (context) => {
  const { start } = at(context)
  const slow = { command: 'python3 -c "import time; time.sleep(1)"', run_in_background: true }
  const talk = await start(scripted('later', { calls: [{ tool: 'Bash', input: slow }] }, { text: 'Started.' }))
  await talk.decide(await talk.ask(), 'allow')
  await talk.turns(2)
  const started = await talk.events('turn.started')
  expect(started.map(({ data }) => data.message !== undefined)).toEqual([true, false])
})

test('[R91] claude: cost goes on counting where it was when the session is taken up again', async (context) => {
  const { start } = at(context)
  const talk = await start(scripted('cost', { text: 'Paid.' }))
  await talk.turns(1)
  const { usage: before, pid } = await idle(talk)
  expect(before?.cost?.amount).toBeGreaterThan(0)
  process.kill(pid ?? 0, 'SIGKILL')
  await talk.until('interrupted', ({ status }) => status === 'interrupted')
  await talk.api.command(talk.stream, 'session.resume', {})
  await talk.until('interrupted', ({ status }) => status === 'active')
  await talk.send(scripted('cost again', { text: 'Paid again.' }))
  await talk.turns(2)
  const { usage: after } = await idle(talk)
  expect(after?.cost?.amount).toBeCloseTo(2 * (before?.cost?.amount ?? 0), 6)
  const models = (await talk.events('usage.reported')).at(-1)?.data.models
  expect(models).toHaveLength(1)
})
