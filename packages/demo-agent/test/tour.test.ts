import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { choose, startAgent } from './agent-process.ts'

test('refused twice, the tour says so, changes nothing and goes on to its end', async () => {
  await using agent = await startAgent({ answer: choose('reject_once') })
  const session = await agent.open()
  const { result } = await agent.prompt(session, 'Hello')
  expect(result).toEqual({ stopReason: 'end_turn' })
  expect(agent.said()).toContain('You refused, so I wrote nothing')
  expect(agent.said()).toContain('did not run')
  expect(agent.said()).toContain('That was the tour')
  expect((await readdir(agent.cwd)).toSorted()).toEqual(['.hotline-demo', 'README.md', 'notes.md'])
  expect(agent.updates().filter(({ status }) => status === 'failed')).toHaveLength(2)
})

test('an outcome "cancelled" ends the turn', async () => {
  await using agent = await startAgent({ answer: () => ({ outcome: { outcome: 'cancelled' } }) })
  const session = await agent.open()
  const { result } = await agent.prompt(session, 'Hello')
  expect(result).toEqual({ stopReason: 'cancelled' })
  expect(agent.asked()).toHaveLength(1)
  expect(await readdir(agent.cwd)).not.toContain('greeting.md')
})

test('allow_always is remembered for its kind, and only for that', async () => {
  await using agent = await startAgent({ answer: choose('allow_always') })
  const session = await agent.open()
  await agent.prompt(session, 'write one.md')
  await agent.prompt(session, '/write two.md')
  expect(agent.asked()).toHaveLength(1)
  expect(await readdir(agent.cwd)).toEqual(expect.arrayContaining(['one.md', 'two.md']))
  await agent.prompt(session, 'run')
  expect(agent.asked()).toHaveLength(2)
})

test('in mode auto-edit files need no permission, commands do', async () => {
  await using agent = await startAgent({ answer: choose('allow_once') })
  const session = await agent.open()
  await agent.request('session/set_mode', { sessionId: session, modeId: 'auto-edit' })
  await agent.prompt(session, 'Hello')
  expect(agent.asked().map(({ params }) => params?.['toolCall'])).toMatchObject([{ kind: 'execute' }])
  const refused = await agent.request('session/set_mode', { sessionId: session, modeId: 'yolo' })
  expect(refused.error?.code).toBe(-32602)
})

test('a path outside of the folder is refused without asking', async () => {
  await using agent = await startAgent({ answer: choose('allow_once') })
  const session = await agent.open()
  await agent.prompt(session, 'write ../outside.md')
  await agent.prompt(session, 'write /etc/outside.md')
  expect(agent.asked()).toEqual([])
  expect(agent.said()).toContain('not inside')
})

test('"long" talks until it is cancelled, and is cancelled at once', async () => {
  await using agent = await startAgent({ env: { HOTLINE_DEMO_PACE: '0.2' } })
  const session = await agent.open()
  const turn = agent.prompt(session, 'long')
  await vi.waitFor(() => expect(agent.said()).toContain('2 of 60'), 30_000)
  agent.notify('session/cancel', { sessionId: session })
  expect((await turn).result).toEqual({ stopReason: 'cancelled' })
  expect(agent.said()).not.toContain('60 of 60')
  expect(agent.said().split('\n').at(-2)).toMatch(/^\d+ of 60: still working/)
})

test('"question" shows a form where the client has forms', async () => {
  await using agent = await startAgent({ answer: () => ({ action: 'accept', content: { colour: 'green' } }) })
  const session = await agent.open({ elicitation: { form: {} } })
  await agent.prompt(session, 'question')
  const [question] = agent.asked('elicitation/create')
  expect(question?.params).toMatchObject({
    mode: 'form',
    sessionId: session,
    requestedSchema: { type: 'object', properties: { colour: { enum: ['red', 'green', 'blue'] } } },
  })
  expect(agent.said()).toContain('You answered: green.')
})

test('"question" asks in text where there are no forms, and takes the next prompt as the answer', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  expect((await agent.prompt(session, 'question')).result).toEqual({ stopReason: 'end_turn' })
  expect(agent.said()).toContain('- green')
  await agent.prompt(session, 'blue $& please')
  expect(agent.said()).toContain('You answered: blue $& please.')
  await agent.prompt(session, 'red')
  expect(agent.said()).not.toContain('You answered: red')
})

test.each([
  ['help', 'These words I know'],
  ['plan', 'All done.'],
  ['Could you plan something?', 'All done.'],
  ['run ls', 'README.md'],
  ['run constructor', 'only run what I know'],
])('the word in "%s"', async (text, expected) => {
  await using agent = await startAgent({ answer: choose('allow_once') })
  const session = await agent.open()
  expect((await agent.prompt(session, text)).result).toEqual({ stopReason: 'end_turn' })
  expect(agent.said() + JSON.stringify(agent.updates())).toContain(expected)
})

test('what Hotline tells for a person is heard as that, and what the person wrote below it is done', async () => {
  await using agent = await startAgent({ answer: choose('allow_once') })
  const session = await agent.open()
  await agent.prompt(session, 'help')
  await agent.prompt(session, '[Hotline] "Run ls" was refused. The person says: Not now')
  expect(agent.said()).toContain('Hotline told me: "Run ls" was refused. The person says: Not now')
  expect(agent.said()).not.toContain('cannot make sense of it')
  await agent.prompt(session, '[Hotline] A person has undone your changes to these files: "a.md".\n\nplan')
  expect(agent.said()).toContain('All done.')
})

test('the first message gets the tour, later prose is quoted back, "tour" brings the tour again', async () => {
  await using agent = await startAgent({ answer: choose('allow_once') })
  const session = await agent.open()
  await agent.prompt(session, 'What is this?')
  expect(agent.said()).toContain('That was the tour')
  const said = agent.said().length
  await agent.prompt(session, 'Thank you very much, that was quite something!')
  const answer = agent.said().slice(said)
  expect(answer).toContain('Thank you very much')
  expect(answer).not.toContain('That was the tour')
  await agent.prompt(session, 'tour')
  expect(agent.said().slice(said)).toContain('That was the tour')
  expect(await readFile(join(agent.cwd, 'greeting.md'), 'utf8')).toContain('Hotline demo agent')
})
