import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchLife } from '../src/tabs/watch-life.ts'
import { watchWake } from '../src/wake.ts'

/** What a page has: its window and its document hear events. */
let page: EventTarget & { document?: EventTarget & { visibilityState: string } }
const kept = ['addEventListener', 'removeEventListener', 'document'] as const
let before: [string, PropertyDescriptor | undefined][]

beforeEach(() => {
  page = new EventTarget()
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  page.document = document
  before = kept.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)])
  const give = (name: string, value: unknown): void => {
    Object.defineProperty(globalThis, name, { configurable: true, value })
  }
  give('addEventListener', page.addEventListener.bind(page))
  give('removeEventListener', page.removeEventListener.bind(page))
  give('document', document)
})
afterEach(() => {
  for (const [name, descriptor] of before) {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor)
    else Reflect.deleteProperty(globalThis, name)
  }
})

describe('what a page tells of its life', () => {
  it('[C12] wakes when it is seen again, shown again, focused, or the network is back, until it is ended', () => {
    let wakes = 0
    const end = watchWake(() => (wakes += 1))
    for (const moment of ['online', 'pageshow', 'focus']) page.dispatchEvent(new Event(moment))
    page.document?.dispatchEvent(new Event('visibilitychange'))
    expect(wakes).toBe(4)
    Object.assign(page.document ?? {}, { visibilityState: 'hidden' })
    page.document?.dispatchEvent(new Event('visibilitychange'))
    expect(wakes).toBe(4)
    end()
    page.dispatchEvent(new Event('online'))
    expect(wakes).toBe(4)
  })

  it('[C26] sleeps before it is frozen or put away, and wakes from the cache and from the frost', () => {
    const heard: string[] = []
    const end = watchLife(
      () => void heard.push('sleeps'),
      () => void heard.push('wakes'),
    )
    page.document?.dispatchEvent(new Event('freeze'))
    page.document?.dispatchEvent(new Event('resume'))
    page.dispatchEvent(new Event('pagehide'))
    page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }))
    page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
    end()
    page.document?.dispatchEvent(new Event('freeze'))
    expect(heard).toEqual(['sleeps', 'wakes', 'sleeps', 'wakes'])
  })
})
