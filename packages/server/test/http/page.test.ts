import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { headerOf } from '@hotline/testing/raw-http'
import { openTempDir } from '@hotline/testing/temp-dir'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpStack, openHttpStack } from './http-stack.ts'

const html =
  '<!doctype html><meta property="csp-nonce" nonce="__CSP_NONCE__"><style nonce="__CSP_NONCE__">b{}</style><p>the page</p>'

let stack: HttpStack
let close: () => Promise<void>

beforeAll(async () => {
  const dir = await openTempDir()
  const page = join(dir.path, 'dist')
  mkdirSync(join(page, 'assets'), { recursive: true })
  writeFileSync(join(page, 'index.html'), html)
  writeFileSync(join(page, 'assets/app-abc.js'), 'console.log("the app")')
  writeFileSync(join(page, 'assets/app-abc.js.gz'), gzipSync('console.log("the app")'))
  writeFileSync(join(page, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  writeFileSync(join(page, '.env'), 'SECRET=1')
  writeFileSync(join(dir.path, 'outside.js'), 'secret')
  stack = await openHttpStack({ pageDir: page })
  close = () => dir.remove()
})
afterAll(async () => {
  await stack[Symbol.asyncDispose]()
  await close()
})

describe('the page', () => {
  it('[Q5] is served for every address that it routes by itself, with a nonce of its own each time', async () => {
    const nonces = new Set<string>()
    for (const target of ['/', '/sessions/0198', '/sign-in', '/index.html', '/?x=1']) {
      const response = await stack.send({ target })
      expect([target, response.status, headerOf(response, 'cache-control')]).toEqual([target, 200, 'no-store'])
      const text = response.body.toString()
      expect(text).toContain('the page')
      const nonce = /style nonce="([^"]+)"/.exec(text)?.[1] ?? ''
      expect(nonce).toMatch(/^[A-Za-z0-9+/]{24}$/)
      expect(headerOf(response, 'content-security-policy')).toContain(`style-src 'self' 'nonce-${nonce}'`)
      nonces.add(nonce)
    }
    expect(nonces.size).toBe(5)
  })

  it('[G71] sends a script compressed to whoever takes it so, and as it is to others', async () => {
    const target = '/assets/app-abc.js'
    const packed = await stack.send({ target, headers: [['Accept-Encoding', 'gzip, br']] })
    expect([packed.status, headerOf(packed, 'content-encoding')]).toEqual([200, 'gzip'])
    expect(headerOf(packed, 'content-type')).toContain('javascript')
    expect(headerOf(packed, 'cache-control')).toContain('immutable')
    expect(gunzipSync(packed.body).toString()).toBe('console.log("the app")')
    const plain = await stack.send({ target })
    expect(headerOf(plain, 'content-encoding')).toBeUndefined()
    expect(headerOf(plain, 'vary')).toContain('accept-encoding')
    expect(plain.body.toString()).toBe('console.log("the app")')
    // What has no compressed copy is sent as it is.
    const icon = await stack.send({ target: '/icon.svg', headers: [['Accept-Encoding', 'gzip, br']] })
    expect([icon.status, headerOf(icon, 'content-encoding')]).toEqual([200, undefined])
  })

  it('[Q6] every answer forbids what the page does not need', async () => {
    for (const target of ['/', '/assets/app-abc.js', '/api/me', '/api/auth/state', '/nothing.js', '/healthz']) {
      const response = await stack.send({ target })
      const policy = headerOf(response, 'content-security-policy') ?? ''
      for (const part of [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
      ]) {
        expect(policy).toContain(part)
      }
      expect(policy).not.toContain('unsafe')
      expect(headerOf(response, 'x-content-type-options')).toBe('nosniff')
      expect(headerOf(response, 'referrer-policy')).toBe('no-referrer')
      expect(headerOf(response, 'cross-origin-opener-policy')).toBe('same-origin')
      expect(headerOf(response, 'cross-origin-resource-policy')).toBe('same-origin')
      expect(headerOf(response, 'server')).toBeUndefined()
      expect(headerOf(response, 'x-powered-by')).toBeUndefined()
    }
  })

  it('[Q7] files of the page are served as what they are, and nothing outside of its folder', async () => {
    const script = await stack.send({ target: '/assets/app-abc.js' })
    expect(script.body.toString()).toContain('the app')
    expect(headerOf(script, 'content-type')).toMatch(/javascript/)
    expect(headerOf(script, 'cache-control')).toBe('public, max-age=31536000, immutable')
    expect(headerOf(await stack.send({ target: '/icon.svg' }), 'cache-control')).toBe('no-cache')
    for (const target of [
      '/.env',
      '/outside.js',
      '/../outside.js',
      '/assets/..%2f..%2foutside.js',
      '/assets',
      '/assets/',
    ]) {
      const response = await stack.send({ target })
      expect(response.body.toString()).not.toContain('secret')
      expect(response.body.toString()).not.toContain('SECRET')
    }
    const missing = await stack.send({ target: '/assets/gone.js' })
    expect([missing.status, headerOf(missing, 'content-type')]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ])
    expect((await stack.send({ target: '/api/nothing' })).status).toBe(404)
    const head = await stack.send({ method: 'HEAD', target: '/assets/app-abc.js' })
    expect([head.status, head.body.length]).toEqual([200, 0])
  })

  it('[H21] a thousand ranges of a file are one answer or none', async () => {
    const ranges = Array.from({ length: 1_000 }, () => '0-').join(',')
    const response = await stack.send({ target: '/assets/app-abc.js', headers: [['Range', `bytes=${ranges}`]] })
    expect([200, 206, 416]).toContain(response.status)
    expect(response.body.length).toBeLessThan(1_000)
  })

  it('[Q8] a page that is not built says so in a sentence', async () => {
    await using bare = await openHttpStack()
    const response = await bare.send({ target: '/' })
    expect(response.status).toBe(503)
    expect(response.body.toString()).toContain('npm run build')
  })
})
