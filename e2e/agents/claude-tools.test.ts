import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scripted } from '@hotline/testing/model/script'
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest'
import { type AgentPlace, openAgentPlace } from '../src/agents/agent-place.ts'
import { AgentTalk } from '../src/agents/agent-talk.ts'
import { claudeCode } from '../src/agents/claude-code.ts'

// Claude Code with the tools of `hotline mcp`: in its own session, and as a program whose permission prompts are decided here.
const server = {
  command: process.execPath,
  args: [join(import.meta.dirname, '../../packages/cli/bin/hotline.js'), 'mcp'],
}

let place: AgentPlace | { why: string }
let variables: Record<string, string> = {}
beforeAll(async () => {
  place = await openAgentPlace({
    ...claudeCode,
    prepare: async (home) => {
      writeFileSync(join(home.home, '.claude.json'), JSON.stringify({ mcpServers: { hotline: server } }))
      variables = await claudeCode.prepare(home)
      return variables
    },
  })
})
afterAll(async () => {
  if (!('why' in place)) await place[Symbol.asyncDispose]()
})

function at(context: TestContext): AgentPlace {
  if ('why' in place) context.skip(place.why)
  return place
}

test('[MC1] claude: its model asks a person by the tool, and goes on with the answer', async (context) => {
  const { start, model } = at(context)
  const call = { tool: 'mcp__hotline__ask_human', input: { question: 'Which port?', options: ['80', '443'] } }
  const talk = await start(scripted('ask', { calls: [call] }, { text: 'Done.' }))
  // A tool like all others: whether it may be used is asked as well.
  await talk.decide(await talk.ask(), 'allow')
  await talk.until('a question', ({ questions }) => questions.length === 1)
  const [asked] = await talk.events('question.asked')
  expect(asked?.body?.text).toBe('Which port?')
  const question = asked?.data.question ?? ''
  const answer = { question, action: 'accept' as const, content: { answer: '443' } }
  await talk.api.command(talk.stream, 'question.answer', answer)
  await talk.turns(1)
  const after = await model.called(({ body, outcome }) => {
    return outcome === 'answered' && JSON.stringify(body).includes('tool_result')
  })
  expect(JSON.stringify(after.body)).toContain('443')
})

test('[MC3] claude: as a program of its own, its permission prompts are decided here', async (context) => {
  const { hotline, model, work } = at(context)
  const prompt = scripted(
    'write',
    { calls: [{ tool: 'Bash', input: { command: 'echo one > a.txt' } }] },
    { text: 'Ok.' },
  )
  const given = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const config = JSON.stringify({ mcpServers: { hotline: server } })
  const flags = ['--permission-prompt-tool', 'mcp__hotline__permission_prompt', '--mcp-config', config]
  const command = ['env', ...given, 'claude', '-p', prompt, ...flags]
  const session = await hotline.api.start('pipe', '', { cwd: work, command })
  const talk = new AgentTalk({ api: hotline.api, model, session, cwd: work })
  const ask = await talk.ask()
  expect(ask.body).toMatchObject({ tool: 'Bash', title: 'Bash: echo one > a.txt' })
  await talk.decide(ask, 'modify', { input: '{"command":"echo two > a.txt"}' })
  await talk.until('the end', ({ status }) => status === 'completed')
  expect(talk.file('a.txt')).toBe('two\n')
  expect((await talk.events('goal.completed')).map(({ data }) => data)).toEqual([{ by: 'program' }])
})
