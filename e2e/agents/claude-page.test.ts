import { openBrowser } from '@hotline/testing/browser'
import { scripted } from '@hotline/testing/model/script'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest'
import { type AgentPlace, openAgentPlace } from '../src/agents/agent-place.ts'
import { claudeCode } from '../src/agents/claude-code.ts'
import type { AgentTalk } from '../src/agents/agent-talk.ts'
import { photograph } from '../src/page-scene.ts'
import { signIn } from '../src/sign-in.ts'

// Claude Code's own program in one browser tab: what it asks of people, answered by hand in the page.
let place: AgentPlace | { why: string }
let browser: Browser | undefined
let page: Page
let talk: AgentTalk
beforeAll(async () => {
  place = await openAgentPlace(claudeCode)
  if ('why' in place) return
  browser = await openBrowser()
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  page = await context.newPage()
  await page.goto(place.hotline.url)
  await signIn(page)
  await page.getByRole('heading', { name: 'Sessions' }).waitFor()
  talk = await place.start(scripted('hello', { text: 'Here I am.' }))
  await page.goto(`${place.hotline.url}/sessions/${talk.session}`)
  await page.getByText('Here I am.').waitFor()
  await talk.turns(1)
})
afterAll(async () => {
  await browser?.close()
  if (!('why' in place)) await place[Symbol.asyncDispose]()
})

function at(context: TestContext): AgentPlace {
  if ('why' in place) context.skip(place.why)
  return place
}

async function say(text: string): Promise<void> {
  const box = page.getByLabel('Message to the agent')
  await box.fill(text.replaceAll('$CWD', talk.cwd))
  await box.press('Enter')
}

test('[AG10] claude: its question is a form in the page, and the model reads what was chosen there', async (context) => {
  const { model } = at(context)
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
  await say(scripted('ask', { calls: [{ tool: 'AskUserQuestion', input: { questions } }] }, { text: 'Thanks.' }))
  const card = page.getByRole('article', { name: 'Needs you: a question' })
  await card.getByText('Which colour?').waitFor()
  await card.getByRole('group', { name: 'Colour' }).getByLabel('Red: as fire').check()
  await photograph(page, 'claude-question', [390, 1440])
  await card.getByRole('button', { name: 'Answer' }).click()
  await page.getByText('Thanks.', { exact: true }).waitFor()
  await model.called(({ body }) => /Which colour\?.{1,6}=.{1,6}Red/.test(JSON.stringify(body)))
})

test('[AG10] claude: a call that was edited in the page runs as it was edited, and not as what is no JSON', async (context) => {
  at(context)
  const calls = [{ tool: 'Bash', input: { command: 'echo one > $CWD/a.txt' } }]
  await say(scripted('change', { calls }, { text: 'It is changed.' }))
  await page
    .getByRole('button', { name: /^Edit and allow/ })
    .and(page.locator(':enabled'))
    .click()
  await page.getByRole('tab', { name: 'As text' }).click()
  const box = page.getByLabel('What will run in its place', { exact: true })
  const asked = await box.inputValue()
  await box.fill(asked.replace('"echo', 'echo'))
  const allow = page.getByRole('button', { name: 'Allow as edited' })
  await allow.click()
  await page.getByRole('alert').getByText('Line 2, column 14').waitFor()
  await photograph(page, 'claude-edit', [390, 1440])
  await box.fill(asked.replace('echo one', 'echo two'))
  await allow.click()
  await page.getByText('✓ Edited and allowed by You').waitFor()
  await page.getByText('It is changed.', { exact: true }).waitFor()
  expect(talk.file('a.txt')).toBe('two\n')
})

test('[AG10] claude: a plan is read and approved in the page', async (context) => {
  at(context)
  await talk.turns(3)
  await talk.api.command(talk.stream, 'session.set_mode', { mode: 'plan' })
  await talk.until('the mode', ({ mode }) => mode === 'plan')
  const plan = { tool: 'ExitPlanMode', input: { plan: '# Plan\n1. build it' } }
  await say(scripted('plan', { calls: [plan] }, { text: 'Off we go.' }))
  const card = page.getByRole('article', { name: 'Needs you: Go ahead with this plan' })
  await card.getByRole('heading', { name: 'Plan' }).waitFor()
  await card.getByText('build it', { exact: true }).waitFor()
  await photograph(page, 'claude-plan', [390, 1440])
  expect(await card.getByRole('button', { name: /^Edit/ }).count()).toBe(0)
  await card
    .getByRole('button', { name: /^Go ahead/ })
    .and(page.locator(':enabled'))
    .click()
  await page.getByText('Off we go.', { exact: true }).waitFor()
  expect((await talk.until('rest', ({ turn }) => turn === undefined)).mode).toBe('default')
})
