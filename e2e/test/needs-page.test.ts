import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Asked, type NeedsScene, openNeedsScene } from '../src/needs-scene.ts'
import { photograph, resize } from '../src/page-scene.ts'

let scene: NeedsScene
let page: Page
beforeAll(async () => {
  scene = await openNeedsScene()
  page = scene.page
})
beforeEach(async () => {
  await resize(page, 1440)
  await page.mouse.move(1_300, 880)
})
afterEach(() => scene.denyAll())
afterAll(() => scene[Symbol.asyncDispose]())

async function outcomeOf({ hand, approval }: Asked): Promise<unknown> {
  const events = await scene.live.stored(hand.session)
  return events.find(({ type, data }) => type === 'approval.resolved' && data['approval'] === approval)?.data['outcome']
}

const list = () => page.getByRole('region', { name: 'What needs you' })
const lines = (): Promise<string[]> => list().locator('.row .title, h2').allInnerTexts()
const card = () => page.locator('.need .card')
/** The card that is open is of exactly that. */
const shows = (command: string): Promise<void> =>
  card().locator('.command').getByText(command, { exact: true }).waitFor()
/** These are in the list, before anybody walks through it. */
const toNeeds = async (...commands: readonly string[]): Promise<void> => {
  await page.goto(`${scene.live.proxyUrl}/needs`)
  await list().locator('.row').first().waitFor()
  for (const command of commands) await list().locator('.row .title', { hasText: command }).waitFor()
}

describe('what needs somebody', () => {
  it('[G120] is shown across sessions as it comes and goes, the riskiest first, those of one shape together', async () => {
    await scene.asking('npm test')
    await scene.asking('git commit -m one')
    await scene.asking('rm -rf build')
    await scene.asking('git commit -m two')
    await scene.asking('ls')
    const hand = await scene.live.startSession('Regions')
    await hand.report({ type: 'question.asked', data: { question: 'q1' }, body: { text: 'Which region?' } })
    await page.goto(scene.live.proxyUrl)
    await page.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Needs you 6' }).click()
    await expect
      .poll(lines)
      .toEqual([
        'rm -rf build',
        'npm test',
        'git commit … ×2',
        'git commit -m one',
        'git commit -m two',
        'ls',
        'Which region?',
      ])
    expect(await list().locator('.row', { hasText: 'rm -rf build' }).innerText()).toContain('high risk')
    await photograph(page, 'needs-list', [390, 1440])

    // What comes and goes elsewhere shows by itself.
    const late = await scene.asking('curl https://a.example')
    await expect.poll(lines).toContain('curl https://a.example')
    await scene.decide(late, 'deny')
    await expect.poll(lines).not.toContain('curl https://a.example')

    await list().getByLabel('Kind').selectOption('question')
    await expect.poll(lines).toEqual(['Which region?'])
    await list().getByLabel('Kind').selectOption('')
    await list().getByLabel('Risk').selectOption('medium')
    await expect.poll(lines).toEqual(['npm test', 'git commit … ×2', 'git commit -m one', 'git commit -m two'])
    await list().getByLabel('Risk').selectOption('low')
    await expect.poll(lines).toEqual(['ls'])
    await list().getByLabel('Risk').selectOption('')
    await list().getByText('Which region?').click()
    await page.getByRole('article', { name: 'Needs you: a question' }).waitFor()
    await page.getByRole('button', { name: 'Decline' }).click()
    await expect.poll(lines).toContain('Which region?')
    await list().getByText('npm test').click()
    await page.mouse.move(1_300, 880)
    await expect.poll(lines).not.toContain('Which region?')
  })

  it('[G120] does not move under the pointer', async () => {
    const first = await scene.asking('npm run one')
    await scene.asking('npm run two')
    await toNeeds('npm run one', 'npm run two')
    await list().getByText('npm run two').hover()
    await scene.decide(first, 'deny')
    await list().locator('.row.over', { hasText: 'npm run one' }).waitFor()
    await scene.asking('rm -rf x')
    await list().getByRole('button', { name: '1 new' }).waitFor()
    expect(await list().locator('.row .title').allInnerTexts()).toEqual(['npm run one', 'npm run two'])
    await page.mouse.move(1_300, 880)
    await expect.poll(() => list().locator('.row .title').allInnerTexts()).toEqual(['rm -rf x', 'npm run two'])
  })

  it('[G121] is walked and answered by keys, one card at a time', async () => {
    const first = await scene.asking('npm run one', 'The first')
    const second = await scene.asking('npm run two', 'The second')
    const third = await scene.asking('npm run three', 'The third')
    await toNeeds('npm run one', 'npm run two', 'npm run three')
    await page.keyboard.press('j')
    await shows('npm run one')
    await page.keyboard.press('j')
    await shows('npm run two')
    await photograph(page, 'needs-card', [390, 1440])
    await page.locator('.need .card[data-keys]').waitFor()
    await page.keyboard.press('a')
    await page.locator('.need').getByText('✓ Allowed by You').waitFor()
    expect(await outcomeOf(second)).toBe('allowed')
    expect([await outcomeOf(first), await outcomeOf(third)]).toEqual([undefined, undefined])
    // It stays where it was until one goes on.
    expect(await list().locator('.row.over').allInnerTexts()).toEqual([expect.stringContaining('npm run two')])
    await page.keyboard.press('j')
    await shows('npm run three')
    await expect.poll(() => list().locator('.row').count()).toBe(2)
    await page.locator('.need .card[data-keys]').waitFor()
    await page.keyboard.press('d')
    await page.locator('.need').getByText('✗ Denied by You').waitFor()
    expect(await outcomeOf(third)).toBe('denied')
    await page.keyboard.press('k')
    await shows('npm run one')
    // Somebody else is quicker: that shows, with who it was.
    await scene.decide(first, 'allow')
    await page.locator('.need').getByText('✓ Allowed by You').waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'The first' }).waitFor()
    await page.getByLabel('Message to the agent').waitFor()
  })

  it('[G121] [G12] what was not shown to its end cannot be allowed, nor marked', async () => {
    // No more words than a plain command has, and higher than the frame of its card.
    const words = Array.from({ length: 50 }, (_, at) => `--flag-${at}=${'v'.repeat(60)}`)
    const long = await scene.asking(`npm run x ${words.join(' ')}`)
    await toNeeds()
    await page.keyboard.press('j')
    await card().getByText('Read to the end to allow').waitFor()
    expect(await card().getByRole('button', { name: 'Allow', exact: false }).first().isDisabled()).toBe(true)
    await page.locator('.need .card[data-keys]').waitFor()
    await page.keyboard.press('a')
    await page.keyboard.press('x')
    expect(await page.getByRole('region', { name: 'Marked' }).count()).toBe(0)
    expect(await outcomeOf(long)).toBeUndefined()
    await card()
      .locator('.exact')
      .evaluate((box) => box.scrollTo(0, box.scrollHeight))
    await card().getByRole('checkbox').waitFor()
    await page.keyboard.press('x')
    await page.getByRole('region', { name: 'Marked' }).waitFor()
  })

  it('[G122] what was shown is marked and answered with others, and what became of each is said', async () => {
    const [one, two, three] = [
      await scene.asking('npm run a'),
      await scene.asking('npm run b'),
      await scene.asking('npm run c'),
    ]
    const risky = await scene.asking('git push')
    await toNeeds('git push', 'npm run a', 'npm run b', 'npm run c')
    await page.keyboard.press('j')
    await shows('git push')
    await page.keyboard.press('x')
    for (const command of ['npm run a', 'npm run b', 'npm run c']) {
      await page.keyboard.press('j')
      await shows(command)
      await card().getByRole('checkbox').waitFor()
      await page.keyboard.press('x')
    }
    const bar = page.getByRole('region', { name: 'Marked' })
    await bar.getByText('3 marked').waitFor()
    await photograph(page, 'needs-marked', [390, 1440])
    await scene.decide(two, 'deny')
    await page.keyboard.press('A')
    await bar.getByText('Not decided').waitFor()
    const told = await bar.locator('li').allInnerTexts()
    expect(told).toEqual([
      expect.stringContaining('✓ Allowed: npm run a'),
      expect.stringMatching(/Not decided: npm run b .*denied already/),
      expect.stringContaining('✓ Allowed: npm run c'),
    ])
    expect([await outcomeOf(one), await outcomeOf(two), await outcomeOf(three)]).toEqual([
      'allowed',
      'denied',
      'allowed',
    ])
    expect(await outcomeOf(risky)).toBeUndefined()
    await photograph(page, 'needs-told', [1440])
  })
})

describe('what is of high risk', () => {
  it('[G123] [T24] takes the name of its program, typed, and no key or click alone', async () => {
    const risky = await scene.asking('npm publish --access public')
    await toNeeds()
    await page.keyboard.press('j')
    await card().getByText('High risk: "publish" can do lasting harm.').waitFor()
    await page.locator('.need .card[data-keys]').waitFor()
    const allow = card()
      .getByRole('button', { name: /^Allow/ })
      .first()
    expect(await allow.isDisabled()).toBe(true)
    await photograph(page, 'needs-high', [390, 1440])
    // The key leads to where the word is typed.
    await page.keyboard.press('a')
    await page.keyboard.type('yes')
    await page.keyboard.press('Enter')
    expect(await allow.isDisabled()).toBe(true)
    expect(await outcomeOf(risky)).toBeUndefined()
    const word = card().getByLabel(/To allow it, type/)
    await word.fill('npm')
    await word.press('Enter')
    await page.locator('.need').getByText('✓ Allowed by You').waitFor()
    expect(await outcomeOf(risky)).toBe('allowed')
  })
})
