import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { httpRequest } from '@hotline/client/http-request'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openColleague } from '../src/colleague.ts'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
})
afterAll(() => scene[Symbol.asyncDispose]())

/** A picture of two colours, as browsers draw it. */
async function drawnPicture(): Promise<Buffer> {
  const url = await page.evaluate<string>(`(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 200 })
    const context = canvas.getContext('2d')
    context.fillStyle = '#3366aa'
    context.fillRect(0, 0, 320, 200)
    context.fillStyle = '#eecc33'
    context.fillRect(40, 40, 120, 80)
    return canvas.toDataURL('image/png')
  })()`)
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
}

const box = () => page.getByLabel('Message to the agent')
const chosen = () => page.getByRole('list', { name: 'Files of this message' })
const files = (name: string, buffer: Buffer, mimeType = 'application/octet-stream') => ({ name, buffer, mimeType })
const choose = (...of: ReturnType<typeof files>[]) => page.getByLabel('Files to attach').setInputFiles(of)
const ready = (count: number) =>
  expect
    .poll(async () => [await chosen().locator('li').count(), await chosen().locator('progress').count()])
    .toEqual([count, 0])
const posted = async ({ session }: HandRunner) =>
  (await scene.live.stored(session)).filter(({ type }) => type === 'message.posted')

/** As somebody holds it over the page, drops or pastes it: a browser has no other way to make such an event. */
async function give(how: 'dragover' | 'drop' | 'paste', name: string): Promise<void> {
  const [kind, member] = how === 'paste' ? ['ClipboardEvent', 'clipboardData'] : ['DragEvent', 'dataTransfer']
  await page.evaluate(`(() => {
    const data = new DataTransfer()
    data.items.add(new File([${JSON.stringify(name)}], ${JSON.stringify(name)}, { type: 'text/plain' }))
    const event = new ${kind}(${JSON.stringify(how)}, { ${member}: data, bubbles: true, cancelable: true })
    document.querySelector('.compose textarea').dispatchEvent(event)
  })()`)
}

it('[G192] chosen files are uploaded at once, can be removed, and go with the message, with words or without', async () => {
  const hand = await scene.live.startSession('With files')
  await scene.open(hand.session)
  const send = page.getByRole('button', { name: /^Send/ })
  expect(await send.isDisabled()).toBe(true)
  await choose(files('plan.md', Buffer.from('# Plan')), files('not this.txt', Buffer.from('x')))
  await ready(2)
  expect(await send.isDisabled()).toBe(false)
  await page.getByRole('button', { name: 'Remove not this.txt' }).click()
  await ready(1)
  await box().fill('Do this.')
  await photograph(page, 'files-chosen', [390, 1440])
  await box().press('Enter')
  await expect.poll(() => chosen().count()).toBe(0)
  await page.locator('.queued', { hasText: 'with plan.md' }).waitFor()
  await choose(files('alone.csv', Buffer.from('a,b')))
  await ready(1)
  await send.click()
  await page.locator('.queued', { hasText: 'with alone.csv' }).waitFor()
  await photograph(page, 'files-queued', [390, 1440])
  expect((await posted(hand)).map(({ body }) => body)).toMatchObject([
    { text: 'Do this.', attachments: [{ name: 'plan.md', type: 'text/markdown', bytes: 6 }] },
    { text: '', attachments: [{ name: 'alone.csv', type: 'text/csv' }] },
  ])
})

it('[G194] files come by drop and paste as well, and what cannot go says why and holds the message back', async () => {
  const hand = await scene.live.startSession('Dropped')
  await scene.open(hand.session)
  await box().waitFor()
  await give('dragover', 'x.txt')
  await page.getByText('Drop the files to send them with your message').waitFor()
  await photograph(page, 'files-drop', [390, 1440])
  await give('drop', 'dropped.txt')
  await give('paste', 'pasted.txt')
  await ready(2)
  expect(await page.getByText('Drop the files').count()).toBe(0)

  await choose(files('empty.txt', Buffer.alloc(0)), files('large.bin', Buffer.alloc(25 * 1024 * 1024 + 1)))
  await box().fill('All of these.')
  const refused = chosen().getByRole('alert')
  await expect.poll(() => refused.allInnerTexts()).toEqual(['The file is empty.', expect.stringContaining('25 MiB')])
  const send = page.getByRole('button', { name: /^Send/ })
  expect(await send.isDisabled()).toBe(true)
  await photograph(page, 'files-refused', [390, 1440])
  await page.getByRole('button', { name: 'Remove empty.txt' }).click()
  await page.getByRole('button', { name: 'Remove large.bin' }).click()

  // The server is away for a moment.
  await scene.context.route('**/attachments?*', (route) => route.abort())
  await choose(files('late.txt', Buffer.from('late')))
  await expect.poll(() => refused.allInnerTexts()).toEqual([expect.stringContaining('cannot be reached')])
  await scene.context.unroute('**/attachments?*')
  await page.getByRole('button', { name: 'Try again' }).click()
  await ready(3)
  // What the server refuses is said in its words.
  await choose(files('..', Buffer.from('path')))
  await expect.poll(() => refused.allInnerTexts()).toHaveLength(1)
  await chosen()
    .getByRole('button', { name: /^Remove/ })
    .last()
    .click()
  await choose(...Array.from({ length: 8 }, (_, at) => files(`${at}.txt`, Buffer.from(String(at)))))
  await expect.poll(() => refused.allInnerTexts()).toEqual(['A message has at most 10 files.'])
  await chosen()
    .getByRole('button', { name: /^Remove/ })
    .last()
    .click()
  await ready(10)
  await send.click()
  await expect.poll(async () => (await posted(hand)).at(0)?.body?.['attachments']).toHaveLength(10)
})

it('[G193] others see pictures and save files as they are; nothing of them opens as a page', async () => {
  const hand = await scene.live.startSession('Shown')
  await scene.open(hand.session)
  const picture = await drawnPicture()
  const html = Buffer.from('<script>document.title = "taken over"</script>')
  await choose(
    files('colours.png', picture, 'image/png'),
    files('page.html', html),
    files('broken.png', Buffer.concat([picture.subarray(0, 8), Buffer.alloc(200, 'x')])),
  )
  await ready(3)
  await box().fill('Look at these.')
  await box().press('Enter')
  await expect.poll(async () => (await posted(hand)).length).toBe(1)
  const [message] = await posted(hand)
  await hand.report({ type: 'message.delivered', data: { message: String(message?.data['message']) } })

  const vera = await openColleague(scene, 'vera', 'viewer')
  await vera.goto(`${scene.live.proxyUrl}/sessions/${hand.session}`)
  const shown = vera.locator('.message.person', { hasText: 'Look at these.' })
  const image = shown.getByRole('img', { name: 'colours.png' })
  await expect.poll(() => image.evaluate((one) => (one as unknown as { naturalWidth: number }).naturalWidth)).toBe(320)
  await shown.getByRole('listitem').filter({ hasText: 'broken.png' }).getByText('cannot be shown').waitFor()
  expect(await vera.getByRole('button', { name: 'Attach files' }).count()).toBe(0)
  const [download] = await Promise.all([
    vera.waitForEvent('download'),
    shown.getByRole('link', { name: /page\.html/ }).click(),
  ])
  expect(download.suggestedFilename()).toBe('page.html')
  expect(readFileSync(await download.path())).toEqual(html)
  await photograph(vera, 'files-shown', [390, 1440])
  await shown.getByRole('button', { name: 'colours.png' }).click()
  const large = vera.getByRole('dialog', { name: 'colours.png' })
  await large.waitFor()
  await photograph(vera, 'files-large', [390, 1440])
  const [saved] = await Promise.all([
    vera.waitForEvent('download'),
    large.getByRole('link', { name: 'Download' }).click(),
  ])
  const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
  expect(sha256(readFileSync(await saved.path()))).toBe(sha256(picture))
  await vera.keyboard.press('Escape')
  await expect.poll(() => large.count()).toBe(0)
  expect(await vera.title()).not.toBe('taken over')

  // Erased, they are nowhere.
  const credential = { kind: 'token', token: scene.live.token } as const
  const [{ digest } = { digest: '' }] = (message?.body?.['attachments'] ?? []) as { digest: string }[]
  const path = `/api/sessions/${hand.session}/attachments/${digest}`
  const asked = await fetch(new URL(path, scene.live.url), { headers: { authorization: `Bearer ${credential.token}` } })
  expect(asked.headers.get('content-disposition')).toContain('attachment')
  expect(await httpRequest(scene.live.url, credential, 'GET', `${path.slice(0, -1)}0`)).toMatchObject({ ok: false })
})
