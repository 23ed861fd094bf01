import { uuidV7 } from '@hotline/client/uuid'
import type { Page } from 'playwright-core'
import type { PageScene } from './page-scene.ts'

/** Another member of the project, in a browser of their own. */
export async function openColleague(
  { live, context }: Pick<PageScene, 'live' | 'context'>,
  name: string,
  role: 'viewer' | 'operator',
): Promise<Page> {
  const password = 'nine slow barges under the bridge'
  const headers = { origin: live.proxyUrl }
  const post = async (path: string, data: object): Promise<{ account?: string }> => {
    const answer = await context.request.post(`${live.proxyUrl}${path}`, { headers, data })
    if (!answer.ok()) throw new Error(`${path}: ${await answer.text()}`)
    return (await answer.json()) as { account?: string }
  }
  const { account } = await post('/api/accounts', { name, password })
  const data = { account, role }
  await post('/api/commands', { id: uuidV7(), stream: 'project:default', type: 'member.add', data })
  const other = await context.browser()?.newContext({ viewport: { width: 1440, height: 900 } })
  if (!other) throw new Error('there is no browser')
  const page = await other.newPage()
  await page.goto(live.proxyUrl)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Sessions' }).waitFor()
  return page
}
