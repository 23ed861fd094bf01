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

describe('the terminal of a session', () => {
  it('[G58] opens with the newest screen and what came after it, at its size, and answers nothing', async () => {
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
})
