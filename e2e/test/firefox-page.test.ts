import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type FirefoxPage, findFirefox, openFirefox } from '@hotline/testing/firefox'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openTempDir } from '@hotline/testing/temp-dir'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shots } from '../src/page-scene.ts'
import { startRunnerProcess } from '../src/runner-process.ts'

const pageDir = new URL('../../packages/web/dist', import.meta.url).pathname
const labelled = (label: string): string => `document.querySelector('[aria-label=${JSON.stringify(label)}]')`
const withText = (selector: string, text: string): string =>
  `[...document.querySelectorAll('${selector}')].find((found) => found.innerText.includes(${JSON.stringify(text)}))`

describe.runIf(findFirefox() !== undefined)('in Firefox', () => {
  let live: LiveServer
  let page: FirefoxPage
  beforeAll(async () => {
    mkdirSync(shots, { recursive: true })
    live = await startLiveServer({ pageDir })
    page = await openFirefox()
  })
  afterAll(async () => {
    await page[Symbol.asyncDispose]()
    await live[Symbol.asyncDispose]()
  })

  it('[G44] a person signs in, allows by key, writes to the agent, and finds all of it after a reload', async () => {
    await page.resize(1440, 900)
    await page.goto(live.proxyUrl)
    await page.see('Sign in')
    await page.click(`document.querySelector('input[autocomplete=username]')`)
    await page.type('dana')
    await page.press('Tab')
    await page.type('a long walk over the wet meadow')
    await page.press('Enter')
    await page.see('No machine is connected.')
    const hand = await live.startSession('Seen in Firefox')
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      {
        type: 'message.completed',
        data: { message: 'm1', chars: 28 },
        body: { text: 'I would like to **clean up**.' },
      },
    )
    await page.see('Seen in Firefox')
    await page.type('j')
    await page.press('Enter')
    await page.see('I would like to clean up.')
    const { approval } = await hand.ask({ tool: 'Bash', title: 'Clean up', input: 'ls -R ./build', cwd: '/src' })
    await page.see('ls -R ./build')
    await page.screenshot(`${shots}firefox-card-1440.png`)
    // The keys are the card's only when it has been in sight for a moment.
    await page.see(/Allow/)
    await expect.poll(() => page.evaluate('document.querySelector(".card[data-keys]") !== null')).toBe(true)
    await page.type('a')
    await page.see('✓ Allowed by You')
    const resolved = (await live.stored(hand.session)).find(({ type }) => type === 'approval.resolved')
    expect(resolved?.data).toMatchObject({ approval, outcome: 'allowed' })
    await page.click(labelled('Message to the agent'))
    await page.type('And the docs, too: grüße 👋🏽')
    await page.press('Enter')
    await page.see(/queued\s+And the docs, too: grüße 👋🏽/)
    const before = await page.evaluate<string>(`document.querySelector('.talk').innerText`)
    await page.reload()
    await page.see('✓ Allowed by You')
    await page.see('And the docs, too: grüße 👋🏽')
    await expect.poll(() => page.evaluate<string>(`document.querySelector('.talk').innerText`)).toBe(before)
    const written = (await live.stored(hand.session)).filter(({ type }) => type === 'message.posted')
    expect(written.map(({ body }) => body?.['text'])).toEqual(['And the docs, too: grüße 👋🏽'])
    for (const [width, height] of [
      [1440, 900],
      [390, 844],
    ] as const) {
      await page.resize(width, height)
      await page.screenshot(`${shots}firefox-${width}.png`)
      const wide = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
      expect(await page.evaluate(wide), `at ${width} it scrolls sideways`).toBeLessThanOrEqual(0)
    }
    expect(await page.complaints()).toEqual([])
  })

  it('[G44] an agent is started from the dialog, denied with a reason, and what it printed is read and searched', async () => {
    await using temp = await openTempDir('hotline-firefox-')
    const place = { url: live.url, serverDir: live.dataDir, dir: temp.path }
    const env = { HOME: join(temp.path, 'home'), HOTLINE_RUNNER_NAME: 'alpha' }
    await using machine = await startRunnerProcess({ ...place, env })
    await page.resize(1440, 900)
    await page.goto(live.proxyUrl)
    await page.see('Connected')
    await page.evaluate('document.activeElement.blur()')
    await page.type('n')
    await page.see('It asks before it acts.')
    const prompt = `document.querySelector('dialog[open] textarea[name=prompt]')`
    expect(await page.evaluate(`${prompt}.value`)).toBe('Show me around')
    await page.evaluate(`${prompt}.select()`)
    await page.click(prompt)
    await page.evaluate(`${prompt}.select()`)
    await page.type('run ls')
    await page.click(withText('dialog[open] button', 'Start'))
    await page.see('agent promises')
    await page.screenshot(`${shots}firefox-started-1440.png`)
    const keys = 'document.querySelector(".card[data-keys]") !== null'
    await expect.poll(() => page.evaluate(keys)).toBe(true)
    await page.type('a')
    await page.see('That was the real output')
    await page.click(labelled('Message to the agent'))
    await page.type('run node')
    await page.press('Enter')
    await expect.poll(() => page.evaluate(keys)).toBe(true)
    await page.evaluate('document.activeElement.blur()')
    await page.type('c')
    await page.type('not on this machine')
    await page.click(withText('.card button', 'Deny'))
    await page.see('✗ Denied by You')
    await page.see('Hotline told me')
    await page.click(withText('[role=tab]', 'Output'))
    await page.see('README.md')
    await page.click(labelled('Find in the output'))
    await page.type('nowhere')
    await page.see('not found')
    await page.screenshot(`${shots}firefox-output-1440.png`)
    expect(machine.complaints).not.toContain('"level":"error"')
    expect(await page.complaints()).toEqual([])
  })

  it('[G44] its dialogs, its palette and its settings work there', async () => {
    await page.resize(1440, 900)
    await page.evaluate('document.activeElement.blur()')
    await page.type('?')
    await page.click(withText('dialog[open] button', 'Close'))
    await page.click(withText('.rail button', 'Go to'))
    await page.type('settings')
    await page.press('Enter')
    await page.see('Theme')
    await page.screenshot(`${shots}firefox-settings-1440.png`)
    await page.goto(`${live.proxyUrl}/design`)
    await page.see('Needs you')
    expect(await page.complaints()).toEqual([])
  })
})
