import type { HandRunner } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
  await scene.context.grantPermissions(['clipboard-read', 'clipboard-write'])
})
beforeEach(() => resize(page, 1440))
afterAll(() => scene[Symbol.asyncDispose]())

const answer = `## What I found

The redirect drops **the query**; see [the standard](https://www.rfc-editor.org/rfc/rfc9110) and \`src/auth/session.ts\`.

\`\`\`ts
// The query is part of where one wanted to go.
const next = new URL(request.url).searchParams.get('next') ?? '/'
${'const wide = 1; '.repeat(30)}
\`\`\`

| file | lines |
|---|--:|
| session.ts | 120 |
| redirect.ts | 8 |

1. the redirect
2. the test
   - [x] written
   - [ ] seen to fail

![a screenshot](https://example.com/login.png)`

async function say(hand: HandRunner, texts: readonly string[], from = 0): Promise<void> {
  await hand.report(
    ...texts.map((text, at) => ({
      type: 'message.completed' as const,
      data: { message: `m${from + at}`, chars: text.length },
      body: { text },
    })),
  )
}

const patch = `diff --git a/src/auth.ts b/src/auth.ts
--- a/src/auth.ts
+++ b/src/auth.ts
@@ -1,2 +1,2 @@
 const home = '/'
-redirect(home)
+redirect(from ?? home)
@@ -80,2 +80,2 @@
-export const later = 1
+export const later = 2
 // the end
diff --git a/NOTES.md b/NOTES.md
new file mode 100644
--- /dev/null
+++ b/NOTES.md
@@ -0,0 +1 @@
+The query is kept, and so is \u202ethis.
diff --git a/tools/up.sh b/tools/up.sh
old mode 100644
new mode 100755
diff --git a/old name.txt b/new.txt
similarity index 100%
rename from old name.txt
rename to new.txt
diff --git a/logo.png b/logo.png
index 1234567..89abcde 100644
Binary files a/logo.png and b/logo.png differ
`

describe('the end of a turn', () => {
  it('[G35] [U16] it opens what the agent says that it changed in it, file by file', async () => {
    const hand = await scene.live.startSession('A turn with a patch')
    await hand.report({ type: 'turn.started', data: { turn: 't1' } })
    await say(hand, ['It is done.'])
    await hand.report({ type: 'turn.ended', data: { turn: 't1', end: 'end' }, body: { patch } })
    await scene.open(hand.session)
    const button = page.getByRole('button', { name: '5 files changed' })
    await button.waitFor()
    expect(await page.locator('.diff').count()).toBe(0)
    await button.press('Enter')
    const files = page.locator('.turn-changes .diff')
    await expect.poll(() => files.count()).toBe(5)
    const [auth, notes] = [files.nth(0), files.nth(1)]
    await auth.getByText('+2').waitFor()
    expect(await auth.locator('.added').allInnerTexts()).toEqual([
      expect.stringContaining('redirect(from ?? home)'),
      expect.stringContaining('later = 2'),
    ])
    await notes.getByText('new file').waitFor()
    await notes.getByText('U+202E').waitFor()
    // What becomes of a file besides its lines stands above them, also where there are none.
    expect(await page.locator('.turn-changes .becomes li').allInnerTexts()).toEqual([
      'can be run as a program',
      'moved from old name.txt',
      'not text: what changed in it is not shown',
    ])
    await photograph(page, 'turn-patch', [390, 1440])
    await button.click()
    await expect.poll(() => files.count()).toBe(0)
  })
})

describe('what an agent says', () => {
  it('[G60] it is Markdown with colours, copies and tables; a person is shown as they typed', async () => {
    const hand = await scene.live.startSession('Speaks Markdown')
    await scene.open(hand.session)
    const box = page.getByLabel('Message to the agent')
    await box.fill('Look at **this** https://example.org/a, please.\nAnd <b>that</b>.')
    await box.press('Enter')
    const mine = page.locator('.message.person, .queued')
    await mine.getByText('**this**').waitFor()
    await say(hand, [answer])
    const said = page.locator('.message.agent').last()
    await said.getByRole('heading', { name: 'What I found' }).waitFor()
    expect(await said.locator('td').allInnerTexts()).toEqual(['session.ts', '120', 'redirect.ts', '8'])
    expect(await said.getByRole('img', { name: 'done', exact: true }).count()).toBe(1)
    await said.locator('.look-keyword', { hasText: 'const' }).first().waitFor()
    await said.getByRole('link', { name: 'image: a screenshot (example.com)' }).waitFor()
    expect(await said.getByRole('link', { name: 'the standard (www.rfc-editor.org)' }).getAttribute('rel')).toContain(
      'noreferrer',
    )
    // A long line scrolls in its own frame.
    const frame = said.locator('pre')
    expect(await frame.evaluate((pre) => pre.scrollWidth > pre.clientWidth)).toBe(true)
    await said.getByRole('button', { name: 'Copy the code' }).click()
    await expect.poll(() => page.evaluate('navigator.clipboard.readText()')).toContain("searchParams.get('next')")
    await photograph(page, 'markdown', [390, 1440])
  })

  it('[G61] two thousand lines that come in pieces leave what stands above where it is', async () => {
    const hand = await scene.live.startSession('Writes for long')
    await scene.open(hand.session)
    const line = (at: number): string =>
      at % 9 === 0 ? '' : at % 40 === 1 ? '```ts' : at % 40 === 6 ? '```' : `line ${at} **b** \`c\``
    const lines = Array.from({ length: 2_000 }, (_, at) => line(at))
    const pieces = lines.flatMap((text) => [text.slice(0, 9), `${text.slice(9)}\n`])
    // The first block is marked: were it drawn anew, the mark would be gone.
    await hand.report({ type: 'message.delta', data: { message: 'm' }, body: { text: 'The **first** block.\n\n' } })
    const first = page.locator('.message.agent .marked > p').first()
    await first.getByText('first').waitFor()
    await first.evaluate((element) => element.setAttribute('data-marked', 'yes'))
    for (let at = 0; at < pieces.length; at += 200) {
      await hand.report(
        ...pieces.slice(at, at + 200).map((text) => ({
          type: 'message.delta' as const,
          data: { message: 'm' },
          body: { text },
        })),
      )
    }
    await page.getByText('line 1999').waitFor()
    expect(await page.locator('[data-marked]').innerText()).toBe('The first block.')
    // Whoever reads at the end is still there.
    const leftPx =
      'Math.round(((box) => box.scrollHeight - box.scrollTop - box.clientHeight)(document.querySelector(".talk .scroll")))'
    await expect.poll(() => page.evaluate<number>(leftPx)).toBeLessThan(80)
    const text = pieces.join('')
    await hand.report({
      type: 'message.completed',
      data: { message: 'm', chars: text.length + 22 },
      body: { text: `The **first** block.\n\n${text}` },
    })
    await page.getByRole('button', { name: 'Copy the message' }).waitFor()
    expect(await page.locator('[data-marked]').count()).toBe(1)
  })
})

describe('what an agent does', () => {
  it('[G62] a step opens to its input, its changes, and the last of five thousand lines', async () => {
    const hand = await scene.live.startSession('Does much')
    const output = Array.from({ length: 5_000 }, (_, at) => `${at} ${'output '.repeat(4)}`).join('\n')
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      {
        type: 'step.started',
        data: { step: 's1', kind: 'edit', turn: 't1' },
        body: {
          title: 'Edit src/auth/session.ts',
          input: { path: 'src/auth/session.ts', replace_all: false },
          locations: ['src/auth/session.ts'],
          changes: [
            {
              path: 'src/auth/session.ts',
              oldText: `${'same\n'.repeat(20)}const next = one\nend\n`,
              newText: `${'same\n'.repeat(20)}const next = two\nend\nmore\n`,
            },
          ],
        },
      },
      { type: 'step.finished', data: { step: 's1', outcome: 'done' }, body: {} },
      {
        type: 'step.started',
        data: { step: 's2', kind: 'execute', turn: 't1' },
        body: { title: 'npm test', input: { command: 'npm test' } },
      },
      { type: 'step.finished', data: { step: 's2', outcome: 'failed' }, body: { output, error: '2 of 40 failed' } },
    )
    await scene.open(hand.session)
    const edit = page.locator('.step', { hasText: 'Edit src/auth' })
    await edit.locator('summary').getByText('+2').waitFor()
    await edit.locator('summary').click()
    await edit.getByText('17 lines unchanged').waitFor()
    expect(await edit.locator('mark').allInnerTexts()).toEqual(['one', 'two'])
    await edit.getByText('replace_all').waitFor()
    const run = page.locator('.step', { hasText: 'npm test' })
    await run.locator('summary').click()
    await run.getByText('output, 5 000 lines', { exact: false }).waitFor()
    const frame = run.getByRole('group', { name: 'output' })
    await run.getByRole('button', { name: 'last line' }).click()
    await expect
      .poll(() => frame.evaluate((pre) => Math.round(pre.scrollHeight - pre.scrollTop - pre.clientHeight)))
      .toBeLessThanOrEqual(1)
    expect((await frame.innerText()).trimEnd().endsWith('4999 output output output output')).toBe(true)
    await run.getByText('2 of 40 failed').waitFor()
    await photograph(page, 'steps', [390, 1440])
  })

  it('[G62] what a sub-agent does stands inside of its step, and its approval names it', async () => {
    const hand = await scene.live.startSession('Has a helper')
    const step = (name: string, title: string, parent?: string): Parameters<HandRunner['report']> => [
      {
        type: 'step.started',
        data: { step: name, kind: 'execute', turn: 't1', ...(parent === undefined ? {} : { parent }) },
        body: { title },
      },
    ]
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      ...step('s1', 'tester'),
      ...step('s2', 'npm test', 's1'),
      { type: 'step.finished', data: { step: 's2', outcome: 'done' }, body: { output: 'fine' } },
      ...step('s3', 'npm publish', 's1'),
    )
    await hand.ask({ tool: 'Bash', title: 'Publish', input: 'npm publish' }, { step: 's3' })
    await scene.open(hand.session)
    const outer = page.locator('.step', { hasText: 'tester' }).first()
    await outer.getByText('2 steps inside').waitFor()
    expect(await page.locator('.talk > div .step').count()).toBe(1)
    await outer.locator('summary').first().click()
    await outer.getByText('npm publish').waitFor()
    const card = page.getByRole('article', { name: 'Needs you: Publish' })
    await card.getByText('(sub-agent: tester)').waitFor()
    await card.locator('header').getByText('runs exactly this').waitFor()
    await photograph(page, 'sub-agent', [390, 1440])
  })
})

describe('where one was', () => {
  it('[G63] what came while one was away stands below a line, and a reload leaves one where one was', async () => {
    const hand = await scene.live.startSession('Goes on alone')
    const other = await scene.live.startSession('Another one')
    const goTo = (session: string): Promise<void> => page.locator(`.list a[href$="/sessions/${session}"]`).click()
    const long = (at: number): string => `message ${at}\n\n${'more of it\n\n'.repeat(4)}`
    await say(
      hand,
      Array.from({ length: 30 }, (_, at) => long(at)),
    )
    await scene.open(hand.session)
    await page.getByText('message 29').waitFor()
    expect(await page.locator('.unread').count()).toBe(0)
    await goTo(other.session)
    await page.getByRole('heading', { name: 'Another one' }).waitFor()
    await say(hand, ['while away one', 'while away two'], 30)
    await goTo(hand.session)
    await page.getByText('while away two').waitFor()
    await page.getByRole('separator', { name: '2 new' }).waitFor()
    await photograph(page, 'unread', [390, 1440])
    // Up where older ones are, and over a reload.
    const scroller = page.locator('.talk .scroll')
    const top = (): Promise<string> =>
      page.evaluate<string>(`(() => {
        const edge = document.querySelector('.talk').getBoundingClientRect().top
        const item = [...document.querySelectorAll('.talk .item')].find((one) => one.getBoundingClientRect().bottom > edge)
        return item.dataset.key + ' ' + Math.round(item.getBoundingClientRect().top - edge)
      })()`)
    await scroller.hover()
    await page.mouse.wheel(0, -2_500)
    await page.getByRole('button', { name: /^Latest/ }).waitFor()
    const kept = (): Promise<string | null> => page.evaluate(`sessionStorage.getItem('hotline-place:${hand.session}')`)
    let before = ''
    await waitFor(
      async () => {
        const now = await top()
        const [key = '-', px = '-'] = now.split(' ')
        const place = JSON.parse((await kept()) ?? '{}') as { key?: string; offset?: number }
        const isStill = now === before && place.key === key && Math.abs((place.offset ?? 0) + Number(px)) <= 1
        before = now
        return isStill
      },
      { what: 'the list to rest' },
    )
    await page.reload()
    await page.getByText('more of it').first().waitFor()
    await expect.poll(top).toBe(before)
    // What comes now is counted where one goes to it.
    await say(hand, ['later one', 'later two', 'later three'], 40)
    await page.getByRole('button', { name: /^3 new/ }).click()
    await page.getByText('later three').waitFor()
    // Of much one is led to where it begins.
    await goTo(other.session)
    await page.getByRole('heading', { name: 'Another one' }).waitFor()
    await say(
      hand,
      Array.from({ length: 30 }, (_, at) => long(50 + at)),
      50,
    )
    await goTo(hand.session)
    await page.getByText('message 79').waitFor()
    await page.getByRole('button', { name: '30 new ↑' }).click()
    await page.getByRole('separator', { name: '30 new' }).waitFor()
    await page.getByText('message 50', { exact: true }).waitFor()
    await page.getByRole('button', { name: '30 new ↑' }).waitFor({ state: 'detached' })
  })

  it('[G64] a name is legible wherever it stands, and loses its middle', async () => {
    const turned = 'Show me \u202egpj.exe now'
    const long = 'Refactor the whole authentication of the web application, part one of two'
    await scene.live.startSession(long)
    const hand = await scene.live.startSession(turned)
    await scene.open(hand.session)
    const legible = 'Show me U+202Egpj.exe now'
    await page.getByRole('heading', { name: legible }).waitFor()
    await page.locator('.list .row', { hasText: legible }).waitFor()
    await expect.poll(() => page.title()).toContain('Show me [U+202E]gpj.exe now')
    const row = page.locator('.list .row', { hasText: 'Refactor the whole' })
    expect(await row.locator('.title').getAttribute('title')).toBe(long)
    // Its end is in sight, its middle is not.
    const tail = await row.locator('.tail').boundingBox()
    const box = await row.boundingBox()
    expect(tail && box && tail.x + tail.width <= box.x + box.width).toBe(true)
    await page.keyboard.press('Control+k')
    await page.keyboard.type('gpj')
    await page.getByRole('option', { name: 'Show me [U+202E]gpj.exe now' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog', { name: 'Search' }).waitFor({ state: 'hidden' })
    await photograph(page, 'names', [390, 1440])
  })
})

describe('the output of a program', () => {
  it('[G65] it is searched, copied and set larger, and the size is kept', async () => {
    const hand = await scene.live.startSession('Prints')
    const screen = { input: 'keys', interrupt: true, pause: 'none', resume: false, verdicts: [] }
    const capabilities = { ...screen, denyReason: false, questions: false, screen: true }
    await hand.report({ type: 'session.profile_changed', data: { capabilities } })
    const text = Array.from({ length: 300 }, (_, at) => `line ${at} of the build\r\n`).join('')
    await hand.report({
      type: 'output.appended',
      data: { source: 'pty', encoding: 'utf8', bytes: text.length },
      body: { text },
    })
    await scene.open(hand.session)
    const rows = page.locator('.terminal .xterm-rows')
    await rows.getByText('line 299 of the build').waitFor()
    const find = page.getByLabel('Find in the output')
    await find.fill('line 7 of')
    await rows.getByText('line 7 of the build').waitFor()
    await find.fill('line 999')
    await page.getByText('not found').waitFor()
    await find.fill('of the build')
    await find.press('Enter')
    await page.getByRole('button', { name: 'Previous' }).click()
    await find.press('Escape')
    await page.getByRole('button', { name: 'Copy the output' }).click()
    await expect
      .poll(() => page.evaluate<string>('navigator.clipboard.readText()'))
      .toMatch(/^line 0 of the build\n[^]*line 299 of the build$/)
    const height = (): Promise<number> =>
      rows
        .locator('div')
        .first()
        .evaluate((row) => row.getBoundingClientRect().height)
    const before = await height()
    for (let clicks = 0; clicks < 3; clicks += 1) await page.getByRole('button', { name: 'larger letters' }).click()
    await expect.poll(height).toBeGreaterThan(before)
    await photograph(page, 'terminal', [390, 1440])
    const larger = await height()
    await page.reload()
    await rows.getByText('line 299 of the build').waitFor()
    await expect.poll(height).toBe(larger)
  })
})
