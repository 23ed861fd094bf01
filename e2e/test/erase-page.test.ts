import type { Link } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import { problem } from '@hotline/protocol/error'
import type { HandRunner } from '@hotline/testing/hand-runner'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
let link: Link
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
  link = scene.live.link()
})
beforeEach(() => resize(page, 1440))
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

const secret = 'The word is kumquat'

async function talkedAbout(): Promise<{ task: string; hand: HandRunner }> {
  const task = uuidV7()
  const made = await link.command(`task:${task}`, 'task.create', { project: 'default', title: 'Talked about' })
  expect(made).toMatchObject({ ok: true })
  const hand = await scene.live.startSession('About the kumquat', { task })
  await hand.report({
    type: 'message.posted',
    data: { message: 'm1', role: 'agent', queued: false, chars: secret.length },
    body: { text: secret },
  })
  return { task, hand }
}

async function end(hand: HandRunner): Promise<void> {
  await link.command(hand.stream, 'session.complete', {})
  const data = { from: 'active', to: 'completed', reason: 'goal_reached' } as const
  await hand.report({ type: 'session.state_changed', data, body: {} })
}

const panel = (): Locator => page.getByRole('region', { name: 'Card' })
const dialog = (): Locator => page.getByRole('dialog', { name: 'Delete the conversation?' })
const sure = (): Locator => dialog().getByRole('button', { name: 'Delete it for good' })

describe('deleting a conversation', () => {
  it('[G187] says what is lost, that a session has to be ended first, and asks for the password where it has to', async () => {
    const { task, hand } = await talkedAbout()
    await page.goto(`${scene.live.proxyUrl}/tasks/${task}`)
    await panel().getByRole('button', { name: 'Delete conversation …' }).click()
    await dialog().getByText('Nobody can bring it back.').waitFor()
    await photograph(page, 'erase-conversation', [390, 1440])
    await sure().click()
    await dialog().getByText('End it first').waitFor()
    await dialog().getByRole('button', { name: 'Keep it' }).click()
    expect(JSON.stringify(await scene.live.stored(hand.session))).toContain(secret)

    await end(hand)
    // As after five minutes without the password.
    await page.route(
      '**/interactions',
      (route) => {
        const { status, ...more } = problem('password_needed', 'Say your password once more.')
        return route.fulfill({ status, contentType: 'application/problem+json', json: { status, ...more } })
      },
      { times: 1 },
    )
    await panel().getByRole('button', { name: 'Delete conversation …' }).click()
    await sure().click()
    const password = dialog().getByLabel('Your password, to delete it for good')
    await password.fill('not this one')
    await photograph(page, 'erase-password', [390, 1440])
    await sure().click()
    await dialog().getByRole('alert').waitFor()
    expect(JSON.stringify(await scene.live.stored(hand.session))).toContain(secret)
    await password.fill('a long walk over the wet meadow')
    await sure().click()
    await dialog()
      .waitFor({ state: 'detached' })
      .catch(() => undefined)
    await expect.poll(() => dialog().count()).toBe(0)
    expect(JSON.stringify(await scene.live.stored(hand.session))).not.toContain('kumquat')
    await panel().getByRole('heading', { name: 'Talked about' }).waitFor()
  })

  it('[G188] whoever looks at it sees that it was deleted, at once and after a reload', async () => {
    const { task, hand } = await talkedAbout()
    await end(hand)
    await page.goto(`${scene.live.proxyUrl}/sessions/${hand.session}`)
    await page.getByText(secret).first().waitFor()
    const other = await scene.context.newPage()
    await other.goto(`${scene.live.proxyUrl}/tasks/${task}`)
    await other.getByRole('button', { name: 'Delete conversation …' }).click()
    await other.getByRole('button', { name: 'Delete it for good' }).click()
    await page.getByText('This conversation was deleted.').waitFor()
    await expect.poll(() => page.locator('body').innerText()).not.toContain('kumquat')
    await photograph(page, 'erased-conversation', [390, 1440])
    await page.reload()
    await page.getByText('This conversation was deleted.').waitFor()
    expect(await page.locator('body').innerText()).not.toContain('kumquat')
    // Nothing of it is kept for the next visit.
    const kept = `new Promise((resolve, reject) => {
      indexedDB.databases().then(([{ name }]) => {
        const opening = indexedDB.open(name)
        opening.onerror = () => reject(opening.error)
        opening.onsuccess = () => {
          const all = opening.result.transaction('sessions').objectStore('sessions').getAll()
          all.onsuccess = () => { opening.result.close(); resolve(JSON.stringify(all.result)) }
        }
      })
    })`
    await expect.poll(() => page.evaluate<string>(kept)).not.toContain('kumquat')
    await other.close()
  })
})
