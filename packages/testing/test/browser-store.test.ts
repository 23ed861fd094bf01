import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { ClientStore } from '@hotline/client/client-store'
import { keptListForm } from '@hotline/client/kept-list'
import type { KeptSession } from '@hotline/client/kept-sessions'
import type { WaitingCommand } from '@hotline/client/outbox'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailability, openBrowser } from '../src/browser.ts'

const availability = browserAvailability()
const source = (name: string): string =>
  stripTypeScriptTypes(readFileSync(fileURLToPath(import.meta.resolve(`@hotline/client/${name}`)), 'utf8'))

/** What the page under test has. */
interface PageGlobals {
  openBrowserStore: (name: string) => Promise<ClientStore>
}

const files = ['browser-store', 'kept-list', 'kept-sessions', 'outbox', 'uuid']

describe.skipIf(!availability.available)('what a browser keeps', () => {
  let browser: Browser
  let page: Page
  let url: string
  const server = createServer((request, response) => {
    const file = files.find((name) => request.url === `/${name}.ts`)
    if (file) return response.writeHead(200, { 'content-type': 'text/javascript' }).end(source(file))
    response.writeHead(200, { 'content-type': 'text/html' }).end(
      `<!doctype html><title>kept</title><script type="module">
        const { openBrowserStore } = await import('/browser-store.ts')
        Object.assign(window, { openBrowserStore, ready: true })
      </script>`,
    )
  })

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    browser = await openBrowser()
    page = await (await browser.newContext()).newPage()
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
        const { outbox } = await (globalThis as unknown as PageGlobals).openBrowserStore(name)
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
        const { outbox } = await (globalThis as unknown as PageGlobals).openBrowserStore(name)
        await outbox.remove(one)
      },
      [account, id] as const,
    )
  const all = (account: string): Promise<readonly WaitingCommand[]> =>
    page.evaluate(async (name) => {
      const { outbox } = await (globalThis as unknown as PageGlobals).openBrowserStore(name)
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

  it('[C27] a page that hangs while it keeps something holds nobody up: what others give is kept when it lets go', async () => {
    await put('hung', ['first'])
    await page.evaluate(async () => {
      const { openBrowserStore } = globalThis as unknown as PageGlobals
      Object.assign(globalThis, { kept: await openBrowserStore('hung') })
    })
    const hanging = await page.context().newPage()
    await hanging.goto(url)
    await hanging.evaluate(`new Promise((resolve) => {
      const opening = indexedDB.open('hotline-outbox:hung')
      opening.onsuccess = () => {
        const lives = opening.result.transaction(['commands', 'life'], 'readwrite').objectStore('life')
        const hold = () => {
          lives.get('life').onsuccess = () => 'letGo' in globalThis || hold()
          resolve()
        }
        hold()
      }
    })`)
    // A page that is opened now works, and forgets with the tab; one that was open before sends what it could not keep.
    await put('hung', ['second'])
    expect(await ids('hung')).toEqual([])
    const refused = page.evaluate(() =>
      (globalThis as unknown as { kept: ClientStore }).kept.outbox.put({
        id: 'third',
        stream: 'session:s1',
        type: 'message.send',
        data: { text: 'given while it hangs' },
      }),
    )
    await expect(refused).rejects.toThrow('does not let go')
    await hanging.evaluate(() => Object.assign(globalThis, { letGo: true }))
    await expect.poll(() => ids('hung')).toEqual(['first', 'third'])
    await hanging.close()
  })

  it('[C14] what one account left behind is not there for another', async () => {
    await put('dana', ['of dana'])
    expect(await ids('kim')).toEqual([])
  })

  it('[C14] works without a memory where the browser has none', async () => {
    const kept = await page.evaluate(async () => {
      const { openBrowserStore } = globalThis as unknown as PageGlobals
      const real = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')
      const refuse = (): never => {
        throw new DOMException('not in a private window', 'InvalidStateError')
      }
      Object.defineProperty(globalThis, 'indexedDB', { configurable: true, value: { open: refuse } })
      try {
        const store = await openBrowserStore('private')
        await store.outbox.put({ id: 'a', stream: 'session:s1', type: 'message.send', data: {} })
        await store.sessions.keep({ session: 's1' } as KeptSession)
        if (await store.sessions.read('s1')) throw new Error('there is no place to keep it')
        await store.erase()
        return (await store.outbox.all()).length
      } finally {
        if (real) Object.defineProperty(globalThis, 'indexedDB', real)
        else Reflect.deleteProperty(globalThis, 'indexedDB')
      }
    })
    expect(kept).toBe(1)
  })

  /** Runs in the page, with the store of an account. */
  const inPage = <T>(account: string, act: string): Promise<T> =>
    page.evaluate<T>(`(async () => {
      const open = () => openBrowserStore(${JSON.stringify(account)})
      const store = await open()
      const kept = (session, cursor, more = {}) =>
        ({ form: 1, session, cursor, state: {}, events: [], before: null, keptAt: Date.now(), ...more })
      const list = { form: ${keptListForm}, sessions: [], next: null, cursors: {}, whole: true, keptAt: 1 }
      const databases = async () => (await indexedDB.databases()).map(({ name }) => name)
      ${act}
    })()`)

  it('[C21] what was seen last is kept over a reload, never an older state of it, and of few sessions', async () => {
    await inPage('kept', `await store.sessions.keep(kept('s1', 'e.5', { keptAt: 1 }))`)
    await visit()
    const cursors = await inPage<string[]>(
      'kept',
      `await store.sessions.keep(kept('s1', 'e.4'))
       const after = [(await store.sessions.read('s1')).cursor]
       await store.sessions.keep(kept('s1', 'another.2', { keptAt: 2 }))
       after.push((await store.sessions.read('s1')).cursor)
       return after`,
    )
    expect(cursors).toEqual(['e.5', 'another.2'])
    const there = await inPage<boolean[]>(
      'kept',
      `for (let at = 0; at < 30; at += 1) await store.sessions.keep(kept('n' + at, 'e.1', { keptAt: 10 + at }))
       await store.sessions.keep(kept('odd', 'e.1', { form: 2, keptAt: 100 }))
       await store.sessions.drop('n29')
       const read = await Promise.all(['s1', 'n0', 'n1', 'n28', 'n29', 'odd'].map((one) => store.sessions.read(one)))
       return read.map((one) => one !== undefined)`,
    )
    // The oldest had to go, and what has a form of another version is not used.
    expect(there).toEqual([false, false, true, true, false, false])
  })

  it('[C21] the form of version 1 is taken over with its commands; version 1 beside it keeps nothing', async () => {
    const found = await inPage<{ ids: string[]; older: string }>(
      'another',
      `const answer = (request) => new Promise((resolve, reject) => {
         request.onsuccess = () => resolve(request.result)
         request.onerror = () => reject(request.error)
       })
       const name = 'hotline-outbox:of version 1'
       const opening = indexedDB.open(name, 1)
       opening.onupgradeneeded = () =>
         opening.result.createObjectStore('commands', { autoIncrement: true }).createIndex('id', 'id', { unique: true })
       const old = await answer(opening)
       old.onversionchange = () => old.close()
       const commands = old.transaction('commands', 'readwrite').objectStore('commands')
       await answer(commands.add({ id: 'old', stream: 'session:s1', type: 'message.send', data: {} }))
       const newer = await openBrowserStore('of version 1')
       await newer.outbox.put({ id: 'new', stream: 'session:s1', type: 'message.send', data: {} })
       await newer.sessions.keep(kept('s1', 'e.1'))
       const ids = (await newer.outbox.all()).map(({ id }) => id)
       const older = await answer(indexedDB.open(name, 1)).then(() => 'opened', ({ name: why }) => why)
       return { ids, older }`,
    )
    expect(found).toEqual({ ids: ['old', 'new'], older: 'VersionError' })
  })

  it('[C21] where an older page does not let go of the database, the new one works without it', async () => {
    const length = await inPage<number>(
      'another',
      `const opening = indexedDB.open('hotline-outbox:held', 1)
       await new Promise((resolve) => (opening.onsuccess = resolve))
       const { outbox } = await openBrowserStore('held')
       await outbox.put({ id: 'a', stream: 'session:s1', type: 'message.send', data: {} })
       const { length } = await outbox.all()
       opening.result.close()
       return length`,
    )
    expect(length).toBe(1)
  })

  it('[C21] who signs out leaves nothing, and a page that still runs brings nothing back', async () => {
    const left = await inPage<unknown>(
      'leaver',
      `const sleeper = await open()
       await store.outbox.put({ id: 'a', stream: 'session:s1', type: 'message.send', data: {} })
       await store.sessions.keep(kept('s1', 'e.1'))
       await store.list.keep(list)
       // As a page that is frozen does, it does not let go of the database.
       const held = indexedDB.open('hotline-outbox:leaver')
       const database = await new Promise((resolve) => (held.onsuccess = () => resolve(held.result)))
       await store.erase()
       await sleeper.sessions.keep(kept('s2', 'e.2'))
       await sleeper.list.keep(list)
       await sleeper.outbox.put({ id: 'b', stream: 'session:s1', type: 'message.send', data: {} }).catch(() => 'closed')
       const all = (name) => new Promise((resolve) => {
         const request = database.transaction(name).objectStore(name).getAll()
         request.onsuccess = () => resolve(request.result)
       })
       const rows = (await Promise.all([...database.objectStoreNames].map(all))).flat()
       database.close()
       return rows`,
    )
    expect(left).toEqual([])
    await expect
      .poll(() => inPage<string[]>('somebody else', 'return databases()'))
      .not.toContain('hotline-outbox:leaver')
  })

  it('[C21] where a credential ended by itself, what was read is forgotten and what was not sent stays', async () => {
    const left = await inPage<unknown[]>(
      'ended',
      `await store.outbox.put({ id: 'a', stream: 'session:s1', type: 'message.send', data: {} })
       await store.sessions.keep(kept('s1', 'e.1'))
       await store.list.keep(list)
       const before = (await store.list.read()) !== undefined
       await store.list.keep({ ...list, form: 0 })
       const odd = await store.list.read()
       await store.sessions.clear()
       await store.list.clear()
       await store.sessions.keep(kept('s1', 'e.2'))
       await store.list.keep(list)
       const after = [await store.sessions.read('s1'), await store.list.read(), odd]
       return [(await store.outbox.all()).length, before, after.every((one) => one === undefined)]`,
    )
    expect(left).toEqual([1, true, true])
  })

  it('[C21] a full disk costs nothing but the memory', async () => {
    const kept = await inPage<boolean>(
      'full',
      `const { put } = IDBObjectStore.prototype
       IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError') }
       try {
         await store.sessions.keep(kept('s1', 'e.1'))
       } finally {
         IDBObjectStore.prototype.put = put
       }
       return (await store.sessions.read('s1')) !== undefined`,
    )
    expect(kept).toBe(false)
  })
})
