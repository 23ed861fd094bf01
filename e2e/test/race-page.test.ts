import { setTimeout as pause } from 'node:timers/promises'
import { askServer } from '@hotline/cli/ask-server'
import { decide } from '@hotline/cli/decide-approval'
import { Failure } from '@hotline/cli/failure'
import { readSettings } from '@hotline/cli/settings'
import { uuidV7 } from '@hotline/client/uuid'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPageScene, type PageScene } from '../src/page-scene.ts'

/** Approvals that three race for; `HOTLINE_TEST_RUNS` asks for more. */
const races = Number(process.env['HOTLINE_TEST_RUNS'] ?? 20)
/** Of one session, so that its page stays short. */
const perSession = 20
/** From the word to the start: the browsers hear of it by then. */
const readyMs = 40
/** How much later the command line may start: it has a shorter way. */
const laterMs = 16

const eli = { name: 'eli', password: 'nine slow barges under the bridge' }

let scene: PageScene
let danas: Page
let elis: Page

beforeAll(async () => {
  scene = await openPageScene()
  danas = scene.page
  const { live, context } = scene
  const own = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
  const post = (path: string, body: object): Promise<Response> =>
    fetch(new URL(path, live.proxyUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: live.proxyUrl, cookie: own },
      body: JSON.stringify(body),
    })
  const made = await post('/api/accounts', eli)
  const { account } = (await made.json()) as { account: string }
  const data = { account, role: 'approver' }
  const added = await post('/api/commands', { id: uuidV7(), stream: 'project:default', type: 'member.add', data })
  expect([made.status, added.status]).toEqual([201, 200])
  // Another browser, as far as cookies and everything kept go.
  const other = await context.browser()?.newContext()
  if (!other) throw new Error('there is no browser')
  elis = await other.newPage()
  await elis.goto(live.proxyUrl)
  await elis.getByLabel('Name').fill(eli.name)
  await elis.getByLabel('Password').fill(eli.password)
  await elis.getByRole('button', { name: 'Sign in' }).click()
  await elis.getByRole('heading', { name: 'Sessions' }).waitFor()
})
afterAll(() => scene[Symbol.asyncDispose]())

/** Presses a button of the open card at that moment, as it runs in the page; answers whether there still was one. */
const pressAt = (name: string, atMs: number): string => `new Promise((resolve) => {
  setTimeout(() => {
    const button = [...document.querySelectorAll('.card button')].find((one) => one.textContent.startsWith('${name}'))
    if (!button || button.disabled) return resolve(false)
    button.click()
    resolve(true)
  }, ${atMs} - Date.now())
})`

it(
  '[AM4] two browsers and a command line answer at once: one answer counts, and the others are told whose, when and where',
  async () => {
    const random = seededRandom(randomSeed('races for an approval'))
    const { live } = scene
    const terminal = askServer(
      readSettings({}, { HOTLINE_URL: live.url, HOTLINE_TOKEN: live.token, HOTLINE_DATA_DIR: live.dataDir }),
    )
    const wins = { dana: 0, eli: 0, terminal: 0 }
    let hand: HandRunner | undefined
    for (let race = 0; race < races; race += 1) {
      if (!hand || race % perSession === 0) {
        hand = await live.startSession(`Raced for ${race}`)
        for (const page of [danas, elis]) await page.goto(`${live.proxyUrl}/sessions/${hand.session}`)
      }
      const title = `Race ${race}.`
      const asked = await hand.ask({ tool: 'bash', title, input: JSON.stringify({ command: 'npm test' }) })
      for (const [page, name] of [
        [danas, /^Allow/],
        [elis, /^Deny/],
      ] as const) {
        await page.locator('.card').getByRole('button', { name, disabled: false }).first().waitFor()
      }
      const startMs = Date.now() + readyMs
      const verdict = random.pick(['allow', 'deny'] as const)
      const [danaPressed, eliPressed, said] = await Promise.all([
        danas.evaluate<boolean>(pressAt('Allow', startMs)),
        elis.evaluate<boolean>(pressAt('Deny', startMs)),
        // Nobody waits for anything here: who starts when is what is tried out.
        pause(startMs - Date.now() + random.int(0, laterMs)).then(() =>
          decide(terminal, hand?.session ?? '', { ...asked, verdict }).then(
            () => undefined,
            (error: unknown) => error,
          ),
        ),
      ])

      const ofIt = (await live.stored(hand.session)).filter(({ data }) => data['approval'] === asked.approval)
      expect(ofIt.map(({ type }) => type)).toEqual(['approval.requested', 'approval.resolved'])
      const [, end] = ofIt
      const by = said === undefined ? 'terminal' : end?.data['outcome'] === 'denied' ? 'eli' : 'dana'
      wins[by] += 1
      const word = end?.data['outcome'] === 'denied' ? '✗ Denied by' : '✓ Allowed by'
      const meant = { terminal: verdict, dana: 'allow', eli: 'deny' }[by]
      expect(end?.data['outcome']).toBe(meant === 'allow' ? 'allowed' : 'denied')
      if (said !== undefined) {
        if (!(said instanceof Failure)) throw said
        expect(said.problem).toMatchObject({
          code: 'already_resolved',
          by: end?.actor,
          at: end?.at,
          channel: end?.channel,
        })
        expect(said.problem.detail).toMatch(new RegExp(String.raw`already: by @${by} at .+ on the web\.$`))
      }
      for (const [page, who, pressed] of [
        [danas, 'dana', danaPressed],
        [elis, 'eli', eliPressed],
      ] as const) {
        const winner = by === 'terminal' ? 'dana' : by
        const line = page.locator('.answered', { hasText: title })
        await line.getByText(`${word} ${winner === who ? 'You' : winner}`).waitFor()
        const lost = line.getByText('your answer did not count: somebody was before you')
        if (pressed && by !== who) await lost.waitFor()
        else expect(await lost.count()).toBe(0)
        expect(await page.locator('.card').count()).toBe(0)
      }
      await hand.report({ type: 'approval.dispatched', data: { approval: asked.approval } })
    }
    console.log(
      `${races} races: ${Object.entries(wins)
        .map(([who, count]) => `${who} ${count}`)
        .join(', ')}`,
    )
  },
  60_000 + races * 10_000,
)
