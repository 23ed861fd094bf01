import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Outbox, WaitingCommand } from '@hotline/client/outbox'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailability, openBrowser } from '../src/browser.ts'

const availability = browserAvailability()
const source = (name: string): string =>
  stripTypeScriptTypes(readFileSync(fileURLToPath(import.meta.resolve(`@hotline/client/${name}`)), 'utf8'))

/** What the page under test has. */
interface PageGlobals {
  openIndexedDbOutbox: (name: string) => Promise<Outbox>
}

describe.skipIf(!availability.available)('an outbox that outlives the page', () => {
  let browser: Browser
  let page: Page
  let url: string
  const server = createServer((request, response) => {
    const file = { '/outbox-indexeddb.ts': 'outbox-indexeddb', '/outbox.ts': 'outbox' }[request.url ?? '']
    if (file) return response.writeHead(200, { 'content-type': 'text/javascript' }).end(source(file))
    response.writeHead(200, { 'content-type': 'text/html' }).end(
      `<!doctype html><title>outbox</title><script type="module">
        const { openIndexedDbOutbox } = await import('/outbox-indexeddb.ts')
        Object.assign(window, { openIndexedDbOutbox, ready: true })
      </script>`,
    )
  })

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    browser = await openBrowser()
    page = await browser.newPage()
    await visit()
  })
  afterAll(async () => {
    await browser?.close()
    await new Promise((resolve) => server.close(resolve))
  })

  async function visit(): Promise<void> {
    await page.goto(url)
    await page.waitForFunction(() => 'ready' in globalThis)
  }
  const put = (account: string, ids: readonly string[]): Promise<void> =>
    page.evaluate(
      async ([name, all]) => {
        const outbox = await (globalThis as unknown as PageGlobals).openIndexedDbOutbox(name)
        await Promise.all(
          all.map((id) =>
            outbox.put({ id, stream: 'session:s1', type: 'message.send', data: { text: `text of ${id}` } }),
          ),
        )
      },
      [account, ids] as const,
    )
  const remove = (account: string, id: string): Promise<void> =>
    page.evaluate(
      async ([name, one]) => {
        const outbox = await (globalThis as unknown as PageGlobals).openIndexedDbOutbox(name)
        await outbox.remove(one)
      },
      [account, id] as const,
    )
  const all = (account: string): Promise<readonly WaitingCommand[]> =>
    page.evaluate(async (name) => {
      const outbox = await (globalThis as unknown as PageGlobals).openIndexedDbOutbox(name)
      return await outbox.all()
    }, account)
  const ids = async (account: string): Promise<string[]> => (await all(account)).map(({ id }) => id)

  it('[C14] keeps commands over a reload, in the order in which they were put, each once', async () => {
    await put('dana', ['zebra', 'ant', 'm3', 'ant'])
    await visit()
    expect(await ids('dana')).toEqual(['zebra', 'ant', 'm3'])
    expect((await all('dana'))[1]).toEqual({
      id: 'ant',
      stream: 'session:s1',
      type: 'message.send',
      data: { text: 'text of ant' },
    })
    await remove('dana', 'ant')
    await remove('dana', 'never there')
    await put('dana', ['last'])
    await visit()
    expect(await ids('dana')).toEqual(['zebra', 'm3', 'last'])
  })

  it('[C14] what one account left behind is not there for another', async () => {
    await put('dana', ['of dana'])
    expect(await ids('kim')).toEqual([])
  })

  it('[C14] works without a memory where the browser has none', async () => {
    const kept = await page.evaluate(async () => {
      const { openIndexedDbOutbox } = globalThis as unknown as PageGlobals
      const real = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')
      const refuse = (): never => {
        throw new DOMException('not in a private window', 'InvalidStateError')
      }
      Object.defineProperty(globalThis, 'indexedDB', { configurable: true, value: { open: refuse } })
      try {
        const outbox = await openIndexedDbOutbox('private')
        await outbox.put({ id: 'a', stream: 'session:s1', type: 'message.send', data: {} })
        return (await outbox.all()).length
      } finally {
        if (real) Object.defineProperty(globalThis, 'indexedDB', real)
        else Reflect.deleteProperty(globalThis, 'indexedDB')
      }
    })
    expect(kept).toBe(1)
  })
})
