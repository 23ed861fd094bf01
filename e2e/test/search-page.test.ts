import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let gate: HandRunner

const said = (message: string, text: string) =>
  ({ type: 'message.posted', data: { message, role: 'agent', chars: 1, queued: false }, body: { text } }) as const

beforeAll(async () => {
  scene = await openPageScene()
  const { live } = scene
  gate = await live.startSession('Mend the gate')
  await gate.report(said('m0', 'The quince tree stands <i>beside</i> the gate \u202Eyfirev'))
  await gate.report(
    ...Array.from({ length: 300 }, (_, at) => said(`m${at + 1}`, `Remark ${at + 1} about nothing at all`)),
  )
  await gate.report({
    type: 'output.appended',
    data: { source: 'stdout', encoding: 'utf8', bytes: 1 },
    body: { text: '\u001b[32mquince\u001b[0m: 3 files built, 大门 closed\n' },
  })
  const docs = await live.startSession('Write the docs of the quince')
  await docs.report(said('d1', 'A quince in the docs, and another quince'))
  const card = {
    id: uuidV7(),
    stream: `task:${uuidV7()}`,
    type: 'task.create',
    data: { project: 'default', title: 'Prune the quince' },
  }
  const credential = { kind: 'token', token: live.token } as const
  expect(await httpRequest(live.url, credential, 'POST', '/api/commands', card)).toMatchObject({ ok: true })
  await waitFor(
    async () => {
      const answer = await httpRequest<{ hits: object[] }>(live.url, credential, 'GET', '/api/search?q=quince')
      return (answer.ok && answer.value.hits.length === 5) || undefined
    },
    { what: 'the index to be where the log is' },
  )
})
afterAll(() => scene[Symbol.asyncDispose]())

describe('the page of the search', () => {
  it('[G176] finds what was said, by sessions, shows it legibly, and leads to the place in the conversation', async () => {
    const { page, live } = scene
    await page.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Search' }).click()
    const field = page.getByRole('searchbox')
    await expect.poll(() => field.evaluate((box) => box.ownerDocument.activeElement === box)).toBe(true)
    await photograph(page, 'search-empty', [390, 1440])
    await page.keyboard.type('quince')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Write the docs of the quince' }).waitFor()
    await expect.poll(() => page.locator('a.hit').count()).toBe(5)
    await expect.poll(() => page.locator('.hit-group').count()).toBe(3)
    expect(new URL(page.url()).searchParams.get('q')).toBe('quince')
    const early = page.locator('a.hit', { hasText: 'stands' })
    expect(await early.innerText()).toContain('<i>beside</i> the gate U+202Eyfirev')
    expect(await early.locator('mark').allInnerTexts()).toEqual(['quince'])
    await photograph(page, 'search', [390, 1440])
    await early.click()
    // Three hundred remarks after it, and nobody has to look for it.
    const item = page.locator('.item', { hasText: 'The quince tree stands' })
    await item.waitFor()
    await expect
      .poll(() =>
        item.evaluate((box) => box.getBoundingClientRect().top < box.ownerDocument.documentElement.clientHeight),
      )
      .toBe(true)
    await page.getByRole('button', { name: 'Latest ↓' }).waitFor()
    // The address is enough, in any browser.
    const other = await scene.openTab()
    await other.goto(`${live.proxyUrl}/search?q=%E5%A4%A7%E9%97%A8`)
    await other.locator('a.hit mark', { hasText: '大门' }).waitFor()
    await other.close()
  })

  it('[G177] is narrowed by what it is, says where nothing is found, and tries again once the server is back', async () => {
    const { page } = { page: await scene.openTab() }
    await page.goto(`${scene.live.proxyUrl}/search?q=quince`)
    await expect.poll(() => page.locator('a.hit').count()).toBe(5)
    await page.getByLabel('What it is').selectOption('Output')
    await expect.poll(() => page.locator('a.hit').count()).toBe(1)
    await page.getByLabel('What it is').selectOption('Cards')
    await page.locator('a.hit', { hasText: 'Prune the quince' }).click()
    await page.getByRole('heading', { name: 'Prune the quince' }).first().waitFor()
    await page.goBack()
    await expect.poll(() => page.locator('a.hit').count()).toBe(1)
    await page.goBack()
    await page.locator('a.hit', { hasText: '3 files built' }).waitFor()
    await page.getByRole('searchbox').fill('"no such words"')
    await page.keyboard.press('Enter')
    await page.getByText('Nothing was found.').waitFor()
    await photograph(page, 'search-none', [390, 1440])
    scene.live.proxy.refuse()
    scene.live.proxy.cut()
    await page.getByRole('searchbox').fill('quince')
    await page.keyboard.press('Enter')
    await page.getByText('This could not be searched.').waitFor()
    await photograph(page, 'search-away', [390, 1440])
    scene.live.proxy.restore()
    await page.getByLabel('What it is').selectOption('Everything')
    await expect
      .poll(async () => {
        const again = page.getByRole('button', { name: 'Try again' })
        if (await again.isVisible()) await again.click()
        return page.locator('a.hit').count()
      })
      .toBe(5)
    await page.close()
  })

  it('[G178] is worked by keys alone, on a phone too', async () => {
    const page = await scene.openTab()
    await page.goto(`${scene.live.proxyUrl}/search?q=quince`)
    await expect.poll(() => page.locator('a.hit').count()).toBe(5)
    await resize(page, 390)
    const focused = (): Promise<string> => page.evaluate<string>('document.activeElement.className')
    await page.getByRole('searchbox').focus()
    await page.keyboard.press('ArrowDown')
    await expect.poll(focused).toBe('hit')
    await page.keyboard.press('j')
    await page.keyboard.press('k')
    await page.keyboard.press('ArrowUp')
    await expect.poll(focused).toBe('input')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('/')
    await expect.poll(focused).toBe('input')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('End')
    await page.keyboard.press('Enter')
    await expect.poll(() => new URL(page.url()).pathname).toMatch(/^\/(sessions|tasks)\//)
    await page.close()
  })
})
