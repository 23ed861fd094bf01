import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { browserAvailability, openBrowser } from '@hotline/testing/browser'
import { openTempDir } from '@hotline/testing/temp-dir'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/read-config.ts'
import { startServer } from '../../src/start-server.ts'
import { owner } from './http-stack.ts'

const browser = browserAvailability()

/** Everything that a page of another origin can try by itself, run inside that page; the answer is what it could do. */
const attack = `(async (url, ticket) => {
  const tried = {}
  const attempt = async (name, work) => {
    try { tried[name] = await work() } catch { tried[name] = 'refused' }
  }
  const socket = (first) => new Promise((resolve) => {
    const ws = new WebSocket(url.replace('http', 'ws') + '/api/ws', 'hotline.v1')
    ws.onopen = () => { ws.send(JSON.stringify(first)) }
    ws.onmessage = (message) => resolve(JSON.parse(message.data).t)
    ws.onerror = () => resolve('refused')
    ws.onclose = () => resolve('refused')
  })
  await attempt('socket with the cookie', () => socket({ t: 'hello' }))
  await attempt('socket with a stolen ticket', () => socket({ t: 'hello', ticket }))
  await attempt('read', async () => (await fetch(url + '/api/me', { credentials: 'include' })).status)
  await attempt('read blindly', async () => (await fetch(url + '/api/me', { mode: 'no-cors', credentials: 'include' })).type)
  const body = JSON.stringify({ kind: 'pat', name: 'planted' })
  await attempt('write', async () => (await fetch(url + '/api/keys', { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json' }, body })).status)
  await attempt('write as text', async () => (await fetch(url + '/api/keys', { method: 'POST', mode: 'no-cors', credentials: 'include', headers: { 'content-type': 'text/plain' }, body })).type)
  await attempt('beacon', async () => navigator.sendBeacon(url + '/api/keys', body))
  await attempt('form', () => new Promise((resolve) => {
    const frame = Object.assign(document.createElement('iframe'), { name: 'target' })
    const form = Object.assign(document.createElement('form'), { action: url + '/api/keys', method: 'post', target: 'target', enctype: 'text/plain' })
    form.append(Object.assign(document.createElement('input'), { name: '{"kind":"pat","name":"planted","x":"', value: '"}' }))
    frame.onload = () => resolve('sent')
    document.body.append(frame, form)
    form.submit()
  }))
  await attempt('frame the page', () => new Promise((resolve) => {
    const frame = Object.assign(document.createElement('iframe'), { src: url + '/' })
    frame.onload = () => { try { resolve(frame.contentDocument === null ? 'blocked' : frame.contentDocument.body.innerText) } catch { resolve('blocked') } }
    document.body.append(frame)
  }))
  return tried
})`

describe.runIf(browser.available)('a hostile page in a real browser', () => {
  it('[T03] [T06] on another port of the same machine it opens no socket, reads nothing and changes nothing', async () => {
    await using dir = await openTempDir()
    const config = readConfig({
      HOTLINE_DATA_DIR: join(dir.path, 'data'),
      HOTLINE_PORT: '0',
      HOTLINE_LISTEN: '127.0.0.1',
    })
    await using server = await startServer(config, join(dir.path, 'no-page'))
    const evil = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><body>hello</body>')
    }).listen(0, '127.0.0.1')
    await once(evil, 'listening')
    const chromium = await openBrowser()
    try {
      const page = await chromium.newPage()
      // The person signs in: the browser has the cookie, and cookies know no ports.
      await page.goto(`${server.url}/healthz`)
      const code = server.bootstrap?.split('=')[1]
      const own = await page.evaluate(
        `(async () => {
          const json = { 'content-type': 'application/json' }
          const body = ${JSON.stringify(JSON.stringify({ code, ...owner }))}
          const claim = await fetch('/api/auth/bootstrap', { method: 'POST', headers: json, body })
          const me = await fetch('/api/me')
          const ticket = await (await fetch('/api/auth/ticket', { method: 'POST' })).json()
          const keys = await (await fetch('/api/keys')).json()
          return { claim: claim.status, me: me.status, ticket: ticket.ticket, keys: keys.keys.length }
        })()`,
      )
      const { claim, me, ticket, keys } = own as { claim: number; me: number; ticket: string; keys: number }
      expect([claim, me]).toEqual([200, 200])

      const { port } = evil.address() as AddressInfo
      await page.goto(`http://localhost:${port}/`)
      const tried = await page.evaluate(`${attack}(${JSON.stringify(server.url)}, ${JSON.stringify(ticket)})`)
      expect(tried).toEqual({
        'socket with the cookie': 'refused',
        'socket with a stolen ticket': 'refused',
        read: 'refused',
        // An opaque answer: the page learns nothing of it.
        'read blindly': expect.stringMatching(/opaque|refused/) as string,
        write: 'refused',
        'write as text': expect.stringMatching(/opaque|refused/) as string,
        beacon: expect.any(Boolean) as boolean,
        form: 'sent',
        'frame the page': 'blocked',
      })

      await page.goto(`${server.url}/healthz`)
      const after = await page.evaluate(
        `fetch('/api/keys').then((answer) => answer.json()).then(({ keys }) => keys.length)`,
      )
      expect(after).toBe(keys)
      // The ticket was not used up by the page that could not open a socket with it.
      const entered = await page.evaluate(
        `new Promise((resolve) => {
          const ws = new WebSocket(location.origin.replace('http', 'ws') + '/api/ws', 'hotline.v1')
          ws.onopen = () => ws.send(JSON.stringify({ t: 'hello', ticket: ${JSON.stringify(ticket)} }))
          ws.onmessage = (message) => resolve(JSON.parse(message.data).t)
          ws.onclose = () => resolve('refused')
        })`,
      )
      expect(entered).toBe('welcome')
    } finally {
      await chromium.close()
      evil.closeAllConnections()
      evil.close()
    }
  })

  it('[T02] a name of its own that leads to this machine reaches nothing', async () => {
    await using dir = await openTempDir()
    const config = readConfig({
      HOTLINE_DATA_DIR: join(dir.path, 'data'),
      HOTLINE_PORT: '0',
      HOTLINE_LISTEN: '127.0.0.1',
    })
    await using server = await startServer(config, join(dir.path, 'no-page'))
    const { port } = new URL(server.url)
    const chromium = await openBrowser()
    try {
      const page = await chromium.newPage()
      // Names below localhost lead to loopback without any resolver, as a rebound name would.
      const answer = await page.goto(`http://evil.localhost:${port}/api/auth/state`)
      expect(answer?.status()).toBe(421)
      const socket = await page.evaluate(
        `new Promise((resolve) => {
          const ws = new WebSocket('ws://evil.localhost:${port}/api/ws', 'hotline.v1')
          ws.onopen = () => resolve('open')
          ws.onerror = () => resolve('refused')
        })`,
      )
      expect(socket).toBe('refused')
    } finally {
      await chromium.close()
    }
  })
})
