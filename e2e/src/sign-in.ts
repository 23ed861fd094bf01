import type { Page } from 'playwright-core'
import { owner } from './hotline.ts'

/** Signs the first account in on a page that asks for it. */
export async function signIn(page: Page): Promise<void> {
  await page.getByLabel('Name').fill(owner.name)
  await page.getByLabel('Password').fill(owner.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
