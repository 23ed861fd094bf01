import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Intent, scripted, type Step } from '@hotline/testing/model/script'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import { type AgentPlace, openAgentPlace } from '../src/agents/agent-place.ts'
import { AgentTalk } from '../src/agents/agent-talk.ts'
import { codexAgent, codexSettings } from '../src/agents/codex-home.ts'

// What codex can do besides what every agent is tested for, with its own program.

const features = '[features]\ndefault_mode_request_user_input = true\n'

let home = ''
let settings = ''
let place: AgentPlace | { why: string }

beforeAll(async () => {
  place = await openAgentPlace({
    ...codexAgent,
    prepare: async (person) => {
      home = person.home
      settings = codexSettings(person.openaiUrl, features)
      const env = await codexAgent.prepare(person)
      await writeFile(join(home, '.codex', 'config.toml'), settings)
      return env
    },
  })
})
afterAll(async () => {
  if (!('why' in place)) await place[Symbol.asyncDispose]()
})

let count = 0

/** A session in a folder of its own, in a mode of one's choice. `$CWD` stands for the folder. */
async function begin(
  context: TestContext,
  mode: 'workspace-write' | 'read-only',
  ...steps: readonly Step[]
): Promise<AgentTalk> {
  if ('why' in place) context.skip(place.why)
  const { hotline, model } = place
  const cwd = join(home, `work-${(count += 1)}`)
  await mkdir(cwd)
  await writeFile(join(cwd, 'lines.txt'), 'first\nsecond\nthird\n')
  const prompt = scripted('go', ...steps).replaceAll('$CWD', cwd)
  const session = await hotline.api.start('codex', prompt, { cwd, mode })
  return new AgentTalk({ api: hotline.api, model, session, cwd })
}

const run = (command: string): Intent => ({
  run: command,
  with: { sandbox_permissions: 'require_escalated', justification: 'to see it' },
})

test('[R60] a person is asked though their settings say that a model answers, and the settings stay as they were', async (context) => {
  const talk = await begin(context, 'workspace-write', { calls: [run('touch $CWD/asked.txt')] }, { text: 'Done.' })
  const ask = await talk.ask()
  expect(talk.file('asked.txt')).toBeUndefined()
  await talk.decide(ask, 'allow')
  await talk.turns(1)
  expect(talk.file('asked.txt')).toBe('')
  expect(readFileSync(join(home, '.codex', 'config.toml'), 'utf8')).toBe(settings)
  expect(existsSync(join(home, '.codex', 'rules'))).toBe(false)
})

test('[R60] codex without a login is not started, and says how to sign in', async (context) => {
  if ('why' in place) context.skip(place.why)
  const strange = await openAgentPlace({
    ...codexAgent,
    prepare: async (person) => {
      await mkdir(join(person.home, '.codex'))
      return {}
    },
  })
  if ('why' in strange) return context.skip(strange.why)
  try {
    const talk = await strange.start('hello')
    await talk.until('failed', ({ status }) => status === 'failed')
    const [last] = (await talk.events('session.state_changed')).slice(-1)
    expect(last?.body?.note).toContain('codex login')
  } finally {
    await strange[Symbol.asyncDispose]()
  }
})

test('[R61] what is allowed for the session is not asked again, and anything else is', async (context) => {
  const [one, two] = [run('touch $CWD/one.txt'), run('touch $CWD/two.txt')]
  const talk = await begin(
    context,
    'workspace-write',
    { calls: [one] },
    { calls: [one] },
    { calls: [two] },
    { text: 'Done.' },
  )
  const { data } = await talk.ask()
  const { approval, digest } = data
  await talk.api.command(talk.stream, 'approval.decide', { approval, digest, verdict: 'allow', scope: 'session' })
  const isNext = async (): Promise<boolean> => (await talk.events('approval.requested')).length === 2
  await waitFor(isNext, { what: 'the next ask' })
  const next = await talk.ask()
  expect(next.body?.input).toContain('two.txt')
  await talk.decide(next, 'deny')
  await talk.turns(1)
  expect((await talk.events('step.finished')).map(({ data: { outcome } }) => outcome)).toEqual([
    'done',
    'done',
    'denied',
  ])
})

test('[R62] [R65] a patch is shown with its changes, and the patch of the turn is kept', async (context) => {
  const talk = await begin(
    context,
    'read-only',
    { calls: [{ write: { path: '$CWD/new.txt', text: 'new\n' } }] },
    { calls: [{ edit: { path: '$CWD/lines.txt', from: 'second\n', to: 'zweite\n' } }] },
    { text: 'Done.' },
  )
  const first = await talk.ask()
  expect(first.body).toMatchObject({
    tool: 'apply_patch',
    title: 'Add new.txt',
    changes: [{ path: join(talk.cwd, 'new.txt'), oldText: null, newText: 'new\n' }],
  })
  await talk.decide(first, 'deny')
  const isNext = async (): Promise<boolean> => (await talk.events('approval.requested')).length === 2
  await waitFor(isNext, { what: 'the next ask' })
  const second = await talk.ask()
  expect(second.body?.input).toContain('-second\n+zweite\n')
  await talk.decide(second, 'allow')
  const ended = await talk.turns(1)
  expect(talk.file('new.txt')).toBeUndefined()
  expect(talk.file('lines.txt')).toBe('first\nzweite\nthird\n')
  expect(ended.body?.patch).toContain('diff --git a/')
  expect(ended.body?.patch).toContain('-second\n+zweite\n')
  expect((await talk.events('step.finished')).map(({ data }) => data.outcome)).toEqual(['denied', 'done'])
})

test('[R63] a question of codex is a form, and its answer reaches the model', async (context) => {
  const options = [
    { label: 'Blue', description: 'like the sky' },
    { label: 'Red', description: 'like wine' },
  ]
  const questions = [{ id: 'colour', header: 'Colour', question: 'Which one?', options }]
  const talk = await begin(
    context,
    'workspace-write',
    { calls: [{ tool: 'request_user_input', input: { questions } }] },
    { text: 'Thanks.' },
  )
  const asked = async () => (await talk.events('question.asked'))[0]
  const question = await waitFor(asked, { what: 'a question' })
  expect(question.body).toMatchObject({ text: 'Which one?' })
  const answer = { question: question.data.question, action: 'accept' as const, content: { colour: 'Red' } }
  await talk.api.command(talk.stream, 'question.answer', answer)
  await talk.turns(1)
  const calls = talk.model.calls.filter(({ words }) => words.includes('request_user_input'))
  expect(JSON.stringify(calls.at(-1)?.body)).toContain('\\"answers\\":[\\"Red\\"]')
})

test('[R64] stopping the turn ends what its command was doing', async (context) => {
  const command = "sh -c 'echo $$ > $CWD/pid.txt; exec sleep 1000'"
  const talk = await begin(context, 'workspace-write', { calls: [run(command)] }, { text: 'Never.' })
  await talk.decide(await talk.ask(), 'allow')
  const pid = await waitFor(() => Number(talk.file('pid.txt')?.trim() ?? ''), { what: 'the command' })
  expect(existsSync(`/proc/${pid}`)).toBe(true)
  await talk.interrupt()
  expect((await talk.turns(1)).data.end).toBe('cancelled')
  await waitFor(() => !existsSync(`/proc/${pid}`), { what: 'its end' })
  expect((await talk.events('step.finished')).map(({ data }) => data.outcome)).toEqual(['cancelled'])
})
