import { fenceWords } from '@hotline/core/reach-words'
import { findFences } from '@hotline/runner/process/namespace'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'
import type { RunnerProcess } from '../src/runner-process.ts'
import { startWorkbench } from '../src/workbench.ts'

let scene: PageScene
let temp: TempDir
let machine: RunnerProcess
beforeAll(async () => {
  temp = await openTempDir('hotline-fence-')
  scene = await openPageScene()
  machine = await startWorkbench(scene, temp.path)
})
afterAll(async () => {
  await machine?.[Symbol.asyncDispose]()
  await scene?.[Symbol.asyncDispose]()
  await temp?.remove()
})

it('[G135] [FE4] [G151] the start dialog says what an agent is kept from, and starts it without where somebody wants that', async ({
  skip,
}) => {
  if (!(await findFences('/usr/bin:/bin')).any) return skip('bubblewrap does not work here')
  const { page, live } = scene
  const start = async (how: 'as it is' | 'without'): Promise<void> => {
    await page.goto(live.proxyUrl)
    await page.getByRole('button', { name: 'New session' }).first().click()
    const dialog = page.getByRole('dialog', { name: 'New session' })
    const option = dialog.locator('option', { hasText: 'Guide' })
    await option.waitFor({ state: 'attached' })
    const value = (await option.getAttribute('value')) ?? ''
    await dialog.locator('select').first().selectOption(value)
    await dialog.getByText(`Behind a fence: ${fenceWords.files}.`).waitFor()
    const freeEdits = dialog.getByLabel('In a worktree or copy of its own, do not ask about edits')
    expect(await freeEdits.isChecked()).toBe(true)
    if (how === 'without') {
      await dialog.getByLabel('Start it without a fence').check()
      await dialog.getByText(`It is kept from ${fenceWords.none}.`).waitFor()
      expect(await freeEdits.count()).toBe(0)
      await photograph(page, 'start-fence', [390, 1440])
      await page.setViewportSize({ width: 1440, height: 900 })
    }
    await dialog.getByRole('button', { name: 'Start' }).click()
    await page.getByLabel('Message').waitFor()
  }
  const fenceOfLast = async (): Promise<string | null> => {
    const fact = page.locator('dt:visible', { hasText: 'Fenced off' }).first().locator('xpath=following-sibling::dd[1]')
    await fact.waitFor()
    return await fact.textContent()
  }
  await start('as it is')
  expect(await fenceOfLast()).toBe(fenceWords.files)
  await start('without')
  expect(await fenceOfLast()).toBe(fenceWords.none)
})
