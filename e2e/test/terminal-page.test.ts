import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from '@hotline/protocol/commands/agent'
import type { LiveServer } from '@hotline/testing/live-server'
import { waitFor } from '@hotline/testing/wait-for'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

let scene: PageScene
let live: LiveServer
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  ;({ live, page } = scene)
})
afterAll(() => scene[Symbol.asyncDispose]())

const printed = (text: string): Report => ({
  type: 'output.appended',
  data: { source: 'pty', encoding: 'utf8', bytes: Buffer.byteLength(text) },
  body: { text },
})

/** The lines that stand in the terminal, as a person reads them. */
const shown = async (): Promise<string> =>
  (await page.locator('.xterm-rows > div').allInnerTexts()).join('\n').replaceAll('\u00a0', ' ')
const shows = (text: string): Promise<unknown> =>
  waitFor(async () => (await shown()).includes(text), { what: text }).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await shown()}`)
  })

describe('what is no agent', () => {
  it('[G57] a program by lines and a log file are started from the dialog', async () => {
    const token = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
    const machine = live.link({ credential: { kind: 'token', token } })
    const agents = [
      { agent: 'demo', name: 'Demo agent', description: 'What the other tests here start', available: true },
      { agent: 'pipe', name: 'Any command, by lines', description: 'Lines', available: true },
      { agent: 'log', name: 'A log file', description: 'Follows a file', available: true },
    ]
    const body = { name: 'machine', version: '1', platform: 'test', agents, holds: [] }
    await waitFor(() => machine.connection.value.status === 'open', { what: 'a machine' })
    await machine.request('PUT', '/api/runner', body)
    const start = async (name: string, fill: () => Promise<void>): Promise<unknown> => {
      await page.goto(live.proxyUrl)
      await page.getByRole('button', { name: 'New session' }).first().click()
      const dialog = page.getByRole('dialog', { name: 'New session' })
      await dialog.locator('select').first().selectOption({ label: name })
      await fill()
      await photograph(page, `start-${name.replaceAll(/\W+/g, '-')}`, [390, 1440])
      await dialog.getByRole('button', { name: 'Start' }).click()
      await page.waitForURL(/sessions\/[0-9a-f-]{36}/)
      const [created] = await live.stored(page.url().slice(-36))
      return [created?.data['agent'], created?.body?.['command'], created?.body?.['cwd']]
    }
    const lines = await start('Any command, by lines', async () => {
      await page.getByLabel('Command line').fill("sort -k 'a b'")
      await page.getByLabel(/^Folder/).fill('/tmp')
    })
    expect(lines).toEqual(['pipe', ['sort', '-k', 'a b'], '/tmp'])
    const file = await start('A log file', () => page.getByLabel(/^File/).fill('/var/log/an agent.log'))
    expect(file).toEqual(['log', ['/var/log/an agent.log', 'from-end'], undefined])
    const whole = await start('A log file', async () => {
      await page.getByLabel(/^File/).fill('/var/log/a.log')
      await page.getByLabel('Show what is in it already').check()
    })
    expect(whole).toEqual(['log', ['/var/log/a.log'], undefined])
    await machine[Symbol.asyncDispose]()
  })
})

describe('the terminal of a session', () => {
  it('[G81] shows the colours that a program chose, of 24 bits too', async () => {
    const hand = await live.startSession('Colours')
    const colours = '\x1b[38;2;250;120;10mwarm\x1b[0m \x1b[48;2;10;60;90mdeep\x1b[0m \x1b[38;5;208mone of 256\x1b[0m'
    await hand.report(printed(`${colours}\r\n`))
    await page.goto(`${live.proxyUrl}/sessions/${hand.session}`)
    await page.getByRole('tab', { name: 'Output' }).click()
    await shows('one of 256')
    const look = (words: string, property: string): Promise<string> =>
      page.evaluate<string>(`(() => {
        const spans = [...document.querySelectorAll('.xterm-rows span')]
        const span = spans.find((one) => one.textContent.includes(${JSON.stringify(words)}))
        return getComputedStyle(span).getPropertyValue('${property}')
      })()`)
    expect(await look('warm', 'color')).toBe('rgb(250, 120, 10)')
    expect(await look('deep', 'background-color')).toBe('rgb(10, 60, 90)')
    expect(await look('one of 256', 'color')).toBe('rgb(255, 135, 0)')
    await photograph(page, 'colours', [1440])
  })

  it('[G58] [S18] opens with the newest screen and what came after it, at its size, and answers nothing', async () => {
    const hand = await live.startSession('A terminal')
    const capabilities = {
      input: 'keys',
      interrupt: false,
      pause: 'none',
      resume: false,
      verdicts: [],
      denyReason: false,
      questions: false,
      screen: true,
    }
    await hand.report({ type: 'session.profile_changed', data: { capabilities } })
    for (let n = 0; n < 300; n += 1) await hand.report(printed(`old ${n}\r\n`))
    const lines = Array.from({ length: 12 }, (_, row) => `| ${row} of what is on the screen`)
    await hand.report({
      type: 'screen.saved',
      data: { cols: 60, rows: 20 },
      body: { text: `\u001b[31mred\u001b[0m\r\n${lines.join('\r\n')}\u001b[20;1Hat the bottom`, plain: 'red' },
    })
    // What comes after it moves about on it, and asks the terminal something.
    await hand.report(printed('\u001b[6n\u001b[c\u001b[2;3Hone'), printed('\u001b[3;3Htwo'))
    await scene.open(hand.session)
    await shows('at the bottom')
    expect(await shown()).toMatch(/^red\n\| one/)
    expect(await shown()).not.toContain('old')
    await hand.report(printed('\u001b[4;3Hlive'))
    await shows('| live')
    expect(await page.locator('.xterm-rows > div').count()).toBe(20)
    await photograph(page, 'terminal-late')

    // Who takes the keyboard sets the size, for everybody.
    await page.getByLabel(/Take keyboard/).check()
    const sized = await waitFor(
      async () => (await live.stored(hand.session)).find(({ type }) => type === 'terminal.resized')?.data,
      { what: 'another size' },
    )
    await waitFor(async () => (await page.locator('.xterm-rows > div').count()) === sized['rows'], {
      what: 'a terminal of that size',
    })
    await page.locator('.xterm').click()
    await page.keyboard.type('k')
    const inputs = await waitFor(
      async () => {
        const all = (await live.stored(hand.session)).filter(({ type }) => type === 'input.sent')
        return all.length > 0 && all
      },
      { what: 'what was typed' },
    )
    expect(inputs.map(({ body }) => body?.['text'])).toEqual(['k'])

    // [S18] Somebody takes it over: here it is gone, and everybody sees who has it; what is typed then goes nowhere.
    const other = live.link()
    expect((await other.command(hand.stream, 'terminal.take', { keyboard: 'elsewhere' })).ok).toBe(true)
    await page.getByText(/Another window of yours has the keyboard since/).waitFor()
    expect(await page.getByLabel(/Take keyboard/).isChecked()).toBe(false)
    await photograph(page, 'terminal-taken', [390, 1440])
    await page.locator('.xterm').click()
    await page.keyboard.type('lost')
    await page.getByLabel(/Take keyboard/).check()
    await page.getByText(/has the keyboard since/).waitFor({ state: 'hidden' })
    await page.locator('.xterm').click()
    await page.keyboard.type('z')
    const typed = await waitFor(
      async () => {
        const all = (await live.stored(hand.session)).flatMap(({ type, body }) =>
          type === 'input.sent' ? [body?.['text']] : [],
        )
        return all.length > 1 && all
      },
      { what: 'what was typed after it' },
    )
    expect(typed).toEqual(['k', 'z'])
    // Who leaves gives it back.
    await page.getByRole('link', { name: 'Sessions' }).first().click()
    await waitFor(async () => (await live.stored(hand.session)).some(({ type }) => type === 'terminal.released'), {
      what: 'a release',
    })
  })

  it('[G59] what a program by lines printed, and a file, begins each line where lines begin', async () => {
    const hand = await live.startSession('Lines')
    const source = (of: string, text: string): Report => ({
      type: 'output.appended',
      data: { source: of, encoding: 'utf8', bytes: text.length },
      body: { text },
    })
    await hand.report(source('stdout', 'one\ntwo\nno end'), source('stderr', 'careful\n'), source('file', 'a\nb\n'))
    await scene.open(hand.session)
    await page.getByRole('tab', { name: 'Output' }).click()
    await shows('no end')
    // A line feed alone begins a line at its beginning where no terminal is behind it.
    expect(await shown()).toMatch(/^one\ntwo\nno endcareful\na\nb/)
  })

  it('[G36] what is written to an agent beside its output shows in the conversation', async () => {
    const hand = await live.startSession('Talks and prints')
    await scene.open(hand.session)
    await page.getByRole('tab', { name: 'Output' }).click()
    await page.getByRole('tab', { name: 'Output', selected: true }).waitFor()
    await page.getByLabel('Message to the agent').fill('Go on')
    await page.getByLabel('Message to the agent').press('Enter')
    await page.getByRole('tab', { name: 'Conversation', selected: true }).waitFor()
    await page.locator('.queued, .message.person', { hasText: 'Go on' }).waitFor()
  })
})
