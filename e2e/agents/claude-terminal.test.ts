import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openBrowser } from '@hotline/testing/browser'
import { scripted } from '@hotline/testing/model/script'
import { waitFor } from '@hotline/testing/wait-for'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentPlace, openAgentPlace } from '../src/agents/agent-place.ts'
import { claudeCode } from '../src/agents/claude-code.ts'
import { signIn } from '../src/sign-in.ts'

// Claude Code as it looks in a terminal, with the keyboard of a browser.
let place: AgentPlace | { why: string }
let browser: Browser | undefined
beforeAll(async () => {
  place = await openAgentPlace({
    ...claudeCode,
    prepare: async (at) => {
      // What a person has answered at its first start.
      const answered = { hasCompletedOnboarding: true, theme: 'dark', customApiKeyResponses: { approved: ['test'] } }
      const projects = { [join(at.home, '../work')]: { hasTrustDialogAccepted: true } }
      writeFileSync(join(at.home, '.claude.json'), JSON.stringify({ ...answered, projects }))
      return await claudeCode.prepare(at)
    },
  })
  if (!('why' in place)) browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  if (!('why' in place)) await place[Symbol.asyncDispose]()
})

const profile = `name: Claude Code in a terminal
command: claude
env: [ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC, DISABLE_AUTOUPDATER, DISABLE_TELEMETRY]
interactive:
  enabled: true
  output_capture: pty
  allow_human_input: true
`

async function shows(page: Page, text: string): Promise<void> {
  const look = async (): Promise<boolean> => {
    const rows = await page.locator('.xterm-rows > div').allInnerTexts()
    return rows.join('\n').replaceAll('\u00a0', ' ').includes(text)
  }
  await waitFor(look, { what: `"${text}" on the screen`, deadlineMs: 60_000 })
}

test('[AG16] claude: its own screen works from the page, and a second window of another size sees it as it is', async (context) => {
  if ('why' in place || !browser) return context.skip('why' in place ? place.why : 'no browser')
  const { hotline, work } = place
  mkdirSync(join(hotline.dataDir, 'agents'), { recursive: true, mode: 0o700 })
  writeFileSync(join(hotline.dataDir, 'agents/claude-terminal.yaml'), profile, { mode: 0o600 })
  const known = async (): Promise<boolean> => {
    const { agents } = await hotline.api.get<{ agents: { agent: string }[] }>('/api/agents')
    return agents.some(({ agent }) => agent === 'claude-terminal')
  }
  await waitFor(known, { what: 'the profile' })
  const session = await hotline.api.start('claude-terminal', '', { cwd: work, unasked: true })
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
  await page.goto(`${hotline.url}/sessions/${session}`)
  await signIn(page)
  await shows(page, 'Claude Code v')
  await page.getByLabel(/Take keyboard/).check()
  await page.locator('.xterm').click()
  const done = join(work, 'typed.txt')
  const prompt = scripted(
    'Go on.',
    { calls: [{ run: `echo typed > ${done}` }] },
    { text: 'It was typed in a browser.' },
  )
  await page.keyboard.type(prompt.replaceAll('\n', ' '))
  await shows(page, ':END')
  await page.keyboard.press('Enter')
  await shows(page, 'It was typed in a browser.')
  expect(readFileSync(done, 'utf8')).toBe('typed\n')
  const phone = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage()
  await phone.goto(`${hotline.url}/sessions/${session}`)
  await signIn(phone)
  await phone.getByRole('tab', { name: 'Output' }).click()
  await shows(phone, 'It was typed in a browser.')
  await hotline.api.command(`session:${session}`, 'session.abort', {})
})
