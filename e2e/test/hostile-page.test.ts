import type { HandRunner } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'
import { hostileTexts } from '../src/payloads.ts'
import { startTrap, type Trap, watchPage } from '../src/trap.ts'

let scene: PageScene
let page: Page
let trap: Trap
let seen: readonly string[]
beforeAll(async () => {
  trap = await startTrap()
  scene = await openPageScene()
  page = scene.page
  seen = watchPage(page, new URL(scene.live.proxyUrl).origin)
  await scene.context.grantPermissions(['clipboard-read', 'clipboard-write'])
})
afterEach(async () => {
  // Nothing of what was said came to life, anywhere on the page.
  expect(await page.evaluate('window.trapped')).toBeUndefined()
  expect(seen).toEqual([])
  expect(trap.hits).toEqual([])
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await trap[Symbol.asyncDispose]()
})

/** Elements that the page makes of words of others; everything else in its place would be theirs. */
const ownElements =
  'div p span strong em del a bdi br ul ol li blockquote hr table thead tbody tr th td pre code button mark time dl dt dd ' +
  'details summary figure figcaption article header label input textarea form fieldset legend select option h2 kbd dialog'

/** What is in a place and must not be: foreign elements, attributes that load or run, links that lead nowhere good. */
const findForeign = (place: string): Promise<string[]> =>
  page.evaluate<string[]>(`(() => {
    const own = new Set(${JSON.stringify(ownElements.split(' '))})
    const found = []
    for (const element of document.querySelectorAll(${JSON.stringify(`${place} *`)})) {
      const name = element.tagName.toLowerCase()
      if (!own.has(name)) found.push(name)
      for (const { name: attribute } of element.attributes) {
        if (/^(on|src|srcset|style|poster|action|formaction|background|ping)/.test(attribute)) found.push(name + ' ' + attribute)
      }
      if (name === 'a' && element.href.startsWith('http') && element.origin !== location.origin) {
        if (!/noreferrer/.test(element.rel) || element.target !== '_blank') found.push('a link without ' + element.rel)
        if (!element.textContent.includes(element.host)) found.push('a link that hides ' + element.host)
      } else if (name === 'a' && element.origin !== location.origin && element.protocol !== 'mailto:') found.push(element.href)
    }
    return found
  })()`)

/** What of an item is drawn outside of its own box. */
const findOutside = (): Promise<string[]> =>
  page.evaluate<string[]>(`[...document.querySelectorAll('.talk .item')].flatMap((item) => {
    if (getComputedStyle(item).contain.includes('paint')) return []
    return [item.textContent.slice(0, 80)]
  }).concat([...document.querySelectorAll('.talk .item *')].filter((element) =>
    /fixed|sticky/.test(getComputedStyle(element).position)).map(({ tagName }) => tagName))`)

async function reportOf(hand: HandRunner, name: string, text: string, at: number): Promise<void> {
  const [step, line] = [`s${at}`, text.replaceAll(/[\n\r]/g, ' ').slice(0, 1_000)]
  await hand.report(
    { type: 'message.completed', data: { message: `m${at}`, chars: text.length }, body: { text } },
    {
      type: 'step.started',
      data: { step, kind: 'edit', turn: 't1' },
      body: {
        title: line,
        input: { [line.slice(0, 100)]: text, nested: { deep: text } },
        locations: [line],
        changes: [{ path: line, oldText: `${text}\n`, newText: `${text} changed\n` }],
      },
    },
    { type: 'step.finished', data: { step, outcome: 'failed' }, body: { output: text, error: `${name}: ${text}` } },
  )
}

describe('what an agent says', () => {
  it('[T38] [T39] [U11] [U13] no text of an agent runs, loads, overlays or leads away, wherever it stands', async () => {
    const texts = hostileTexts(trap.url)
    const everything = texts.map(([, text]) => text).join('\n\n')
    const short = `${texts[4]?.[1] ?? ''}${texts[8]?.[1] ?? ''}\u202egpj`
    const hand = await scene.live.startSession(short.slice(0, 200))
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      { type: 'thought.completed', data: { thought: 'th', chars: everything.length }, body: { text: everything } },
      {
        type: 'plan.updated',
        data: { entries: 1, done: 0 },
        body: { entries: [{ text: short, status: 'pending' }] },
      },
    )
    for (const [at, [name, text]] of texts.entries()) await reportOf(hand, name, text, at)
    await scene.open(hand.session)
    let messages = 0
    for (const at of texts.keys()) {
      // The list holds what is near to sight; each is brought there, opened and looked at.
      const line = page.locator('.talk .step').filter({ hasText: 'edit' }).last()
      if (at === 0) {
        await line.waitFor()
        await page.locator('.talk .scroll').hover()
      }
      // Somebody who reads: what moves by itself is led back to the end.
      await page.mouse.wheel(0, -1)
      await page.locator('.talk .scroll').evaluate(
        (box, part) => {
          box.scrollTop = box.scrollHeight * part
        },
        1 - at / texts.length,
      )
      await page.evaluate(`(() => {
        for (const details of document.querySelectorAll('.talk details')) details.open = true
        return new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true))))
      })()`)
      expect(await findForeign('.talk .item')).toEqual([])
      expect(await findOutside()).toEqual([])
      messages += await page.locator('.message.agent').count()
    }
    expect(await findForeign('.list .row')).toEqual([])
    expect(await findForeign('.context')).toEqual([])
    expect(messages).toBeGreaterThan(texts.length)
    // Of what turns words around, and of what a terminal obeys, nothing is left in the page but its code points.
    expect(await page.evaluate('document.title + document.querySelector(".frame").innerText')).not.toMatch(
      // oxlint-disable-next-line no-control-regex -- just these
      /[\u202a-\u202e\u2066-\u2069\u001b\u009b]/,
    )
    await photograph(page, 'hostile', [390, 1440])
  })

  it('[T38] [T39] a card, a question and the end of a turn do not either', async () => {
    const everything = hostileTexts(trap.url)
      .map(([, text]) => text)
      .join(' ')
    const line = everything.replaceAll(/[\n\r]/g, ' ').slice(0, 1_500)
    const hand = await scene.live.startSession('Asks with hostile words')
    await hand.report({ type: 'turn.started', data: { turn: 't1' } })
    await hand.ask({
      tool: line.slice(0, 200),
      title: line,
      input: everything,
      cwd: line,
      reason: everything,
      envNames: [line.slice(0, 100)],
      changes: [{ path: line, newText: everything }],
    })
    await hand.report({
      type: 'question.asked',
      data: { question: 'q1' },
      body: {
        text: everything,
        schema: { properties: { [line.slice(0, 60)]: { title: line, description: line, enum: [line, 'b'] } } },
      },
    })
    await scene.open(hand.session)
    await page.getByRole('article').first().waitFor()
    await page.evaluate('document.querySelectorAll(".talk details").forEach((details) => { details.open = true })')
    await page.getByRole('article', { name: 'Needs you: a question' }).waitFor()
    expect(await findForeign('.talk .item')).toEqual([])
    expect(await findOutside()).toEqual([])
  })

  it('[T37] [U15] words of an agent that look like the server’s stay in the bubble of the agent', async () => {
    const hand = await scene.live.startSession('Pretends')
    const pretended = ['◇ Out of contact with the machine since 12:04', '✓ Allowed by You', 'turn ended · 3s']
    await hand.report(
      ...pretended.map((text, at) => ({
        type: 'message.completed' as const,
        data: { message: `m${at}`, chars: text.length },
        body: { text },
      })),
    )
    await scene.open(hand.session)
    for (const text of pretended) {
      const said = page.locator('.message.agent').filter({ hasText: text })
      await said.getByText('demo ·').waitFor()
      await said.locator('.said').waitFor()
    }
    expect(await page.locator('.notice', { hasText: '12:04' }).count()).toBe(0)
    expect(await page.locator('.answered, .turn').count()).toBe(0)
  })

  it('[T38] the policy of the page refuses a script and an attribute that somebody got into it', async () => {
    const tried = await page.evaluate<string[]>(`(async () => {
      const refused = []
      const attempt = (what, act) => { try { act() } catch (error) { refused.push(what + ' ' + error.name) } }
      attempt('html', () => { document.body.innerHTML = '<b>x</b>' })
      attempt('adjacent', () => document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.trapped=1">'))
      attempt('script', () => {
        const script = document.createElement('script')
        script.text = 'window.trapped = 1'
        document.body.append(script)
      })
      attempt('timer', () => setTimeout('window.trapped = 1', 0))
      const image = new Image()
      image.src = '${trap.url}/policy'
      await new Promise((done) => { image.onerror = done; image.onload = done })
      attempt('frame', () => { document.createElement('iframe').srcdoc = '<script>parent.trapped=1</script>' })
      return refused
    })()`)
    expect(tried).toEqual([
      'html TypeError',
      'adjacent TypeError',
      'script TypeError',
      'timer TypeError',
      'frame TypeError',
    ])
  })
})

describe('a terminal', () => {
  it('[T40] [U06] bytes of a program reach neither clipboard, title, links nor the program itself', async () => {
    const hand = await scene.live.startSession('Prints odd bytes')
    const screen = {
      input: 'keys',
      interrupt: true,
      pause: 'none',
      resume: false,
      verdicts: [],
      denyReason: false,
      questions: false,
      screen: true,
    }
    await hand.report({ type: 'session.profile_changed', data: { capabilities: screen } })
    await page.evaluate('navigator.clipboard.writeText("mine")')
    const corpus = [
      '\u001b]52;c;SEFDS0VE\u0007',
      '\u001b]52;c;?\u0007',
      '\u001b]52;p;SEFDS0VE\u001b\\',
      '\u001b]0;hacked title\u0007\u001b]1;hacked\u0007\u001b]2;hacked\u0007',
      `\u001b]8;;${trap.url}/osc8\u0007click me\u001b]8;;\u0007`,
      '\u001b]7;file:///etc\u0007',
      ...[4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 104, 110].map(
        (code) => `\u001b]${code};?\u0007\u001b]${code};1;?\u0007`,
      ),
      '\u001b[c\u001b[>c\u001b[=c\u001b[5n\u001b[6n\u001b[?6n\u001b[x\u001b[18t\u001b[21t',
      '\u001bP$q"p\u001b\\\u001bP+q544e\u001b\\\u001b_Gi=1;AAAA\u001b\\\u001b^x\u001b\\\u001bX x\u001b\\',
      '\u001b[?1000h\u001b[?1002h\u001b[?1003h\u001b[?1006h\u001b[?2004h\u001b[?1004h',
      '\u0005\u001bZ',
      `\r\n${trap.url}/plain\r\n`,
      '\u001bc\u001b[8mhidden\u001b[0m\r\nthe end of it',
    ]
    await hand.report(
      ...corpus.map((text) => ({
        type: 'output.appended' as const,
        data: { source: 'pty', encoding: 'utf8', bytes: Buffer.byteLength(text) },
        body: { text },
      })),
    )
    await scene.open(hand.session)
    const rows = page.locator('.terminal .xterm-rows')
    await waitFor(async () => (await rows.innerText()).includes('the end of it'), { what: 'the last line' })
    // A person who has taken the keyboard lends it to nobody: what the emulator would answer by itself is not typed.
    await page.getByLabel(/Take keyboard/).check()
    await page.locator('.terminal.xterm').click()
    await hand.report(
      ...corpus.map((text) => ({
        type: 'output.appended' as const,
        data: { source: 'pty', encoding: 'utf8', bytes: Buffer.byteLength(text) },
        body: { text: `${text}again` },
      })),
    )
    await waitFor(async () => (await rows.innerText()).includes('the end of itagain'), { what: 'the last line again' })
    await page.keyboard.type('q')
    const typed = async (): Promise<string[]> =>
      (await scene.live.stored(hand.session))
        .filter(({ type }) => type === 'input.sent')
        .map(({ body }) => String(body?.['text']))
    await waitFor(async () => (await typed()).length > 0, { what: 'the one letter' })
    expect(await typed()).toEqual(['q'])
    // A program may want to know what was pasted, and where it ends. What was copied cannot end it before its end.
    const asks = '\u001b[?2004hit asks'
    await hand.report({
      type: 'output.appended',
      data: { source: 'pty', encoding: 'utf8', bytes: asks.length },
      body: { text: asks },
    })
    await waitFor(async () => (await rows.innerText()).includes('it asks'), { what: 'a program that asks' })
    await page.evaluate(`navigator.clipboard.writeText('one\\u001b[201~\\ntwo\\u009b201~\\tthree\\u0003')`)
    await page.keyboard.press('Shift+Insert')
    const pasted = '\u001b[200~one[201~\rtwo201~\tthree\u001b[201~'
    await expect.poll(async () => (await typed()).slice(1).join('')).toBe(pasted)
    await page.evaluate('navigator.clipboard.writeText("mine")')
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('mine')
    expect(await page.title()).not.toContain('hacked')
    // What a program calls a link is words.
    expect(await page.locator('.terminal a').count()).toBe(0)
  })
})

describe('what is stored', () => {
  it('[T41] opened by its address it is data, and nothing in it runs', async () => {
    const hand = await scene.live.startSession('Stores a page')
    for (const text of [
      `<html><script>window.trapped=1</script><img src="${trap.url}/stored"></html>`,
      `<svg xmlns="http://www.w3.org/2000/svg" onload="window.trapped=1"><script>window.trapped=1</script></svg>`,
    ]) {
      const { digest } = await scene.live.putContent(hand.session, text)
      const tab = await scene.openTab()
      const answer = await tab.goto(`${scene.live.proxyUrl}/api/sessions/${hand.session}/content/${digest}`)
      expect(answer?.headers()).toMatchObject({
        'content-type': expect.stringMatching(/^application\/json/),
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
      })
      expect(await tab.evaluate('window.trapped')).toBeUndefined()
      expect(await tab.locator('img, svg, script').count()).toBe(0)
      await tab.close()
    }
  })
})
