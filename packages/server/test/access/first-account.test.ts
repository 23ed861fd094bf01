import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openTempDir } from '@hotline/testing/temp-dir'
import { handClock } from '@hotline/testing/hand-clock'
import { describe, expect, it } from 'vitest'
import { parseToken } from '../../src/access/token.ts'
import { type HttpStack, openHttpStack, owner } from '../http/http-stack.ts'

const minuteMs = 60_000

function codeOf(stack: HttpStack): string {
  return stack.access.bootstrap.link('')?.split('=')[1] ?? ''
}

describe('the first account', () => {
  it('[T14] the code is in a link with a fragment and in a file that its owner alone reads', async () => {
    await using stack = await openHttpStack()
    const code = codeOf(stack)
    expect(Buffer.from(code, 'base64url').length).toBe(20)
    expect(stack.access.bootstrap.link(stack.origin)).toBe(`http://localhost:${stack.port}/#bootstrap=${code}`)
    const file = join(stack.dir, 'bootstrap-code')
    expect(readFileSync(file, 'utf8')).toBe(`${code}\n`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const state = await stack.call('GET', '/api/auth/state')
    expect(state.body).toEqual({ bootstrap: 'open', signedIn: false })
  })

  it('[T14] of two claims at once one wins; afterwards it is closed', async () => {
    await using stack = await openHttpStack()
    const body = { code: codeOf(stack), ...owner }
    const claims = await Promise.all([
      stack.call('POST', '/api/auth/bootstrap', { body }),
      stack.call('POST', '/api/auth/bootstrap', { body: { ...body, name: 'mallory' } }),
    ])
    expect(claims.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 410])
    expect(claims.find(({ status }) => status === 410)?.body.code).toBe('bootstrap_closed')
    expect(await stack.lists.accounts()).toHaveLength(1)
    const later = await stack.call('POST', '/api/auth/bootstrap', { body })
    expect(later.status).toBe(410)
    expect(existsSync(join(stack.dir, 'bootstrap-code'))).toBe(false)
    expect((await stack.call('GET', '/api/auth/state')).body.bootstrap).toBe('closed')
  })

  it('[T14] after thirty minutes the code is dead and its file gone', async () => {
    const clock = handClock()
    await using stack = await openHttpStack({ clock })
    const code = codeOf(stack)
    clock.advance(31 * minuteMs)
    const late = await stack.call('POST', '/api/auth/bootstrap', { body: { code, ...owner } })
    expect([late.status, late.body.code]).toEqual([410, 'bootstrap_closed'])
    await expect.poll(() => existsSync(join(stack.dir, 'bootstrap-code'))).toBe(false)
    expect(await stack.lists.accounts()).toHaveLength(0)
  })

  it('[T14] a wrong code is refused, and guessing is limited', async () => {
    await using stack = await openHttpStack({ env: { HOTLINE_LIMIT_SIGN_INS_PER_NETWORK: '10' } })
    const guess = { code: 'A'.repeat(27), ...owner }
    const first = await stack.call('POST', '/api/auth/bootstrap', { body: guess })
    expect([first.status, first.body.code]).toEqual([401, 'wrong_credentials'])
    const statuses = []
    for (let at = 0; at < 15; at += 1) {
      statuses.push((await stack.call('POST', '/api/auth/bootstrap', { body: guess })).status)
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(9)
    expect(statuses.at(-1)).toBe(429)
  })

  it('[T14] a password that everybody tries is refused, and the code stays open', async () => {
    await using stack = await openHttpStack()
    const code = codeOf(stack)
    for (const password of [
      'password12345',
      'qwertyuiop123',
      'aaaaaaaaaaaaa',
      'abcabcabcabc',
      'dana12345678',
      '123456789012',
    ]) {
      const refused = await stack.call('POST', '/api/auth/bootstrap', { body: { code, name: 'dana', password } })
      expect([password, refused.body.code]).toEqual([password, 'weak_password'])
    }
    expect((await stack.call('POST', '/api/auth/bootstrap', { body: { code, ...owner } })).status).toBe(200)
  })

  it('[A1] the first account finds a project, and the command line of this machine a token', async () => {
    await using stack = await openHttpStack()
    const cookie = await stack.claim()
    const me = await stack.call('GET', '/api/me', { cookie })
    expect(me.body).toMatchObject({
      kind: 'person',
      name: owner.name,
      admin: true,
      projects: [{ project: 'default', name: 'My project', role: 'owner' }],
    })
    const file = join(stack.dir, 'cli-token')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const token = readFileSync(file, 'utf8').trim()
    expect((await stack.call('GET', '/api/me', { token })).body.name).toBe(owner.name)
  })

  it('[A1] what a crash left undone after the claim is done at the next start, once', async () => {
    await using dir = await openTempDir()
    const fails = { dir: dir.path }
    {
      await using stack = await openHttpStack({ ...fails, firstProject: 'fails' })
      const claim = await stack.call('POST', '/api/auth/bootstrap', { body: { code: codeOf(stack), ...owner } })
      expect([claim.status, claim.body.code]).toEqual([500, 'internal'])
      expect(claim.body.detail).not.toContain('on purpose')
    }
    expect(existsSync(join(dir.path, 'cli-token'))).toBe(false)
    await using stack = await openHttpStack(fails)
    const token = readFileSync(join(dir.path, 'cli-token'), 'utf8').trim()
    expect((await stack.call('GET', '/api/me', { token })).body.projects).toHaveLength(1)
    await stack.access.finishFirstAccount()
    expect(readFileSync(join(dir.path, 'cli-token'), 'utf8').trim()).toBe(token)
  })

  it('[A2] the built-in runner has its key before there is any account, and keeps it', async () => {
    await using dir = await openTempDir()
    const file = join(dir.path, 'runner-key')
    let first: string
    {
      await using stack = await openHttpStack({ dir: dir.path })
      first = readFileSync(file, 'utf8').trim()
      expect(statSync(file).mode & 0o777).toBe(0o600)
      expect(parseToken(first)?.kind).toBe('run')
      expect((await stack.call('GET', '/api/me', { token: first })).body).toMatchObject({
        kind: 'runner',
        admin: false,
      })
    }
    await using stack = await openHttpStack({ dir: dir.path })
    expect(readFileSync(file, 'utf8').trim()).toBe(first)
    expect((await stack.call('GET', '/api/me', { token: first })).status).toBe(200)
  })

  it('[T08] two servers share no secret that they made for themselves', async () => {
    await using one = await openHttpStack()
    await using other = await openHttpStack()
    const read = (stack: HttpStack, name: string): string => readFileSync(join(stack.dir, name), 'utf8').trim()
    // Whatever else a fresh server writes for itself is to be looked at here: it may be a secret too.
    const secretFiles = ['audit-key', 'bootstrap-code', 'runner-key', 'sealing-key', 'signing-keys']
    const files = readdirSync(one.dir).filter((name) => !/^((hotline|search)\.db|owner\.)/.test(name))
    expect(files.toSorted()).toEqual(['attachments', 'blobs', ...secretFiles].toSorted())
    for (const name of secretFiles) {
      expect(read(one, name)).not.toBe(read(other, name))
      expect(read(one, name).length).toBeGreaterThanOrEqual(27)
      expect(statSync(join(one.dir, name)).mode & 0o777).toBe(0o600)
    }
    const cookies = [await one.claim(), await other.claim()] as const
    const key = (await one.call('POST', '/api/keys', { cookie: cookies[0], body: { kind: 'pat', name: 'x' } })).body
    expect((await one.call('GET', '/api/me', { token: key.token })).status).toBe(200)
    // Nothing of one is known to the other, and nothing is believed for how it is made.
    for (const who of [{ cookie: cookies[0] }, { token: key.token }, { token: read(one, 'runner-key') }]) {
      expect((await one.call('GET', '/api/me', who)).status).toBe(200)
      expect((await other.call('GET', '/api/me', who)).status).toBe(401)
    }
  })

  it('[T08] what is secret has 160 bits of chance at least, and nothing of it comes again', async () => {
    await using stack = await openHttpStack()
    const cookie = await stack.claim()
    const secrets = new Set<string>()
    for (let at = 0; at < 20; at += 1) {
      const key = await stack.call('POST', '/api/keys', { cookie, body: { kind: 'pat', name: 'x' } })
      const ticket = await stack.call('POST', '/api/auth/ticket', { cookie })
      for (const token of [key.body.token, ticket.body.ticket] as string[]) {
        const [, secret = ''] = /^hl_[a-z]{3}_[0-9a-f-]{36}_([A-Za-z0-9_-]{43})_[0-9a-f]{6}$/.exec(token) ?? []
        expect(secret).not.toBe('')
        secrets.add(secret)
      }
    }
    expect(secrets.size).toBe(40)
  })
})
