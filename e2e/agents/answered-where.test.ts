import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openBrowser } from '@hotline/testing/browser'
import { type Intent, scripted } from '@hotline/testing/model/script'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AgentPlace, openAgentPlace, type RealAgent } from '../src/agents/agent-place.ts'
import { claudeCode } from '../src/agents/claude-code.ts'
import { codexAgent, codexAsks } from '../src/agents/codex-home.ts'
import { copilotAgent } from '../src/agents/copilot-agent.ts'
import { openCode } from '../src/agents/open-code.ts'
import { typeWord } from '../src/page-scene.ts'
import { signIn } from '../src/sign-in.ts'

// Agents' own programs, answered as people do it: with a button of the page, and with the command in a terminal.
const run = promisify(execFile)
const program = join(import.meta.dirname, '../../packages/cli/bin/hotline.js')

interface Answered extends RealAgent {
  write?: (path: string, text: string) => Intent
}

let browser: Browser | undefined
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
})

/** The page of a session, for its owner. */
async function openPage({ hotline }: AgentPlace, session: string): Promise<Page> {
  const context = await browser?.newContext({ viewport: { width: 1440, height: 900 } })
  if (!context) throw new Error('no browser')
  const page = await context.newPage()
  await page.goto(hotline.url)
  await signIn(page)
  await page.getByRole('heading', { name: 'Sessions' }).waitFor()
  await page.goto(`${hotline.url}/sessions/${session}`)
  return page
}

/** The command line of the person whose machine it is; answers what it prints. */
async function inTerminal({ hotline: { dataDir, url } }: AgentPlace, ...args: readonly string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: dataDir, HOTLINE_DATA_DIR: dataDir, HOTLINE_URL: url }
  return (await run(process.execPath, [program, ...args], { env })).stdout
}

describe.each<Answered>([claudeCode, { ...codexAgent, ...codexAsks }, copilotAgent, openCode])(
  'answered where people are: $agent',
  ({ write = (path, text) => ({ write: { path, text } }), ...real }) => {
    let place: AgentPlace | { why: string }
    beforeAll(async () => {
      place = await openAgentPlace(real)
    })
    afterAll(async () => {
      if (!('why' in place)) await place[Symbol.asyncDispose]()
    })

    test(`[AG18] ${real.agent}: allowed in the page, then denied or changed at the command line`, async (context) => {
      if ('why' in place) return context.skip(place.why)
      const calls = [write('$CWD/page.txt', 'from the page\n')]
      const talk = await place.start(scripted('the page', { calls }, { text: 'That was the page.' }))
      const page = await openPage(place, talk.session)
      const card = page.getByRole('article').filter({ hasText: 'page.txt' })
      const allow = card.getByRole('button', { name: /^Allow/ }).first()
      await allow.waitFor()
      if ((await card.locator('.word').count()) > 0) await typeWord(card)
      await allow.and(page.locator(':enabled')).click()
      await page.getByText('That was the page.', { exact: true }).waitFor()
      await talk.turns(1)
      expect(talk.file('page.txt')).toBe('from the page\n')
      expect(await talk.events('approval.resolved')).toMatchObject([{ data: { outcome: 'allowed' } }])

      await talk.mark()
      const said = 'That was the command line.'
      await talk.send(scripted('a terminal', { calls: [write('$CWD/line.txt', 'asked\n')] }, { text: said }))
      const { data, body } = await talk.ask()
      const [asked] = (await inTerminal(place, '--json', 'asks', talk.session)).trim().split('\n')
      expect(JSON.parse(asked ?? '')).toMatchObject({ approval: data.approval, digest: data.digest })
      if (data.verdicts.includes('modify')) {
        const changed = join(talk.cwd, 'changed.json')
        await writeFile(changed, body?.input?.replaceAll('asked', 'changed') ?? '')
        await inTerminal(place, 'approve', data.approval, '--digest', data.digest, '--input', changed)
      } else {
        await inTerminal(place, 'deny', data.approval, '--digest', data.digest, '--reason', 'not from here')
      }
      await talk.turns(1)
      expect(talk.file('line.txt')).toBe(data.verdicts.includes('modify') ? 'changed\n' : undefined)
      // The page, which was open all the while, says what became of it, and by whom.
      const answer = data.verdicts.includes('modify') ? /^✓ Edited and allowed by / : /^✗ Denied by /
      await page.getByText(answer).first().waitFor()
      await page.context().close()
    })
  },
)
