import { expect, it } from 'vitest'
import { openPageScene, photograph, resize } from '../src/page-scene.ts'

it('[G191] usage is found in the settings, added up as one likes, with a way to each session', async () => {
  await using scene = await openPageScene()
  const { page, live } = scene
  for (const [title, tokens, amount] of [
    ['Mend the gate', 12_000, 0.25],
    ['Paint the fence', 2_345_678, 7.5],
    ['A session whose title is rather long, as those are that people never name themselves', 900, undefined],
  ] as const) {
    const hand = await live.startSession(title)
    const cost = amount === undefined ? {} : { cost: { amount, currency: 'USD' } }
    await hand.report({ type: 'usage.reported', data: { inputTokens: tokens, outputTokens: 321, ...cost } })
  }
  await page.goto(`${live.proxyUrl}/settings`)
  await page.getByRole('link', { name: 'Tokens and cost that agents used up' }).click()
  const rows = page.getByRole('table').getByRole('row')
  await expect.poll(() => rows.count()).toBe(4)
  expect(await rows.nth(1).innerText()).toMatch(/^Paint the fence\s+2,345,678\s+321\s+7\.50 USD$/)
  expect(await rows.nth(3).innerText()).toMatch(/900\s+321\s+–$/)
  await photograph(page, 'usage', [390, 1440])
  await resize(page, 1440)
  await page.getByLabel('Added up by').selectOption('Person who started it')
  await page.getByRole('rowheader', { name: 'dana' }).waitFor()
  expect(await rows.nth(1).innerText()).toMatch(/^dana\s+3\s+2,358,578\s+963\s+7\.75 USD$/)
  await page.getByRole('combobox', { name: 'Time' }).selectOption('Today')
  await page.getByLabel('Added up by').selectOption('Session')
  await page.getByRole('link', { name: 'Paint the fence' }).click()
  await page.getByRole('heading', { name: 'Paint the fence' }).waitFor()
})
