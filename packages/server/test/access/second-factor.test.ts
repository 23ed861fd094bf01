import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import { openTempDir } from '@hotline/testing/temp-dir'
import { generateSync } from 'otplib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AccessLog, serverActor } from '../../src/access/access-log.ts'
import { Sealing } from '../../src/access/sealing.ts'
import { SecondFactors } from '../../src/access/second-factors.ts'
import { type Answer, type HttpStack, openHttpStack, owner } from '../http/http-stack.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const melPassword = 'nine slow barges under the bridge'
let clock: HandClock
let stack: HttpStack
let cookie: string

beforeEach(async () => {
  clock = handClock()
  stack = await openHttpStack({ clock })
  cookie = await stack.claim()
})
afterEach(() => stack[Symbol.asyncDispose]())

const url = '/api/me/second-factor'
const signIn = (more: object = {}): Promise<Answer> =>
  stack.call('POST', '/api/auth/sign-in', { body: { ...owner, ...more } })
const codeOf = (secret: string, steps = 0): string =>
  generateSync({ secret, epoch: Math.floor(clock.wallMs() / secondMs) + steps * 30 })
const nextCode = (secret: string): string => {
  clock.advance(30 * secondMs)
  return codeOf(secret)
}
const needed = { status: 401, body: { code: 'code_needed' } }

async function begin(who = cookie): Promise<string> {
  const started = await stack.call('POST', url, { cookie: who })
  expect(started).toMatchObject({ status: 201 })
  expect(started.body.uri).toBe(
    `otpauth://totp/Hotline:${owner.name}?secret=${started.body.secret as string}&issuer=Hotline`,
  )
  return started.body.secret as string
}
async function turnOn(): Promise<{ secret: string; codes: string[] }> {
  const secret = await begin()
  const on = await stack.call('POST', `${url}/confirm`, { cookie, body: { code: codeOf(secret) } })
  expect(on.status).toBe(200)
  return { secret, codes: on.body.recoveryCodes as string[] }
}
async function types(): Promise<string[]> {
  const stored = await stack.store.read('server:main', { after: 0, limit: 1_000, maxBytes: 1e7 })
  return stored.map(({ type }) => type).filter((type) => /factor|recovery|locked/.test(type))
}
async function confirm(who: string): Promise<void> {
  const said = await stack.call('POST', '/api/auth/confirm', { cookie: who, body: { password: owner.password } })
  expect(said.status).toBe(204)
}

describe('a second factor', () => {
  it('[A18] is asked for beside the password from the moment on in which a code of the app was shown', async () => {
    const secret = await begin()
    // Begun is not yet on: whoever closes the page now is not shut out.
    expect((await signIn()).status).toBe(200)
    const wrong = await stack.call('POST', `${url}/confirm`, { cookie, body: { code: '000000' } })
    expect(wrong).toMatchObject(needed)
    const on = await stack.call('POST', `${url}/confirm`, { cookie, body: { code: codeOf(secret) } })
    expect(on.body.recoveryCodes).toHaveLength(10)
    expect((await stack.call('GET', url, { cookie })).body).toMatchObject({ on: true, recoveryCodes: 10 })
    expect(await signIn()).toMatchObject(needed)
    expect(await signIn({ code: '000000' })).toMatchObject(needed)
    const code = nextCode(secret)
    expect((await signIn({ password: 'a wrong one, and a right code', code })).body.code).toBe('wrong_credentials')
    // As an app shows it, with a blank.
    expect((await signIn({ code: `${code.slice(0, 3)} ${code.slice(3)}` })).status).toBe(200)
    expect(await types()).toEqual(['account.second_factor_added'])
    // Nothing of it is in the log.
    expect(stack.logged.join('')).not.toContain(secret)
  })

  it('[A18] takes each code once, also of two that show it at the same moment', async () => {
    const { secret } = await turnOn()
    const code = nextCode(secret)
    const both = await Promise.all([signIn({ code }), signIn({ code })])
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(await signIn({ code })).toMatchObject(needed)
    // Nor an older one, though its time is not over.
    expect(await signIn({ code: codeOf(secret, -1) })).toMatchObject(needed)
    // A phone whose clock is half a minute ahead, and none that is a minute ahead.
    expect(await signIn({ code: codeOf(secret, 2) })).toMatchObject(needed)
    expect((await signIn({ code: codeOf(secret, 1) })).status).toBe(200)
  })

  it('[A18] each recovery code signs in once', async () => {
    const { codes } = await turnOn()
    const [first = '', second = ''] = codes
    expect(first).toMatch(/^([0-9a-f]{4}-){4}[0-9a-f]{4}$/)
    expect((await signIn({ code: first.toUpperCase().replaceAll('-', ' ') })).status).toBe(200)
    expect(await signIn({ code: first })).toMatchObject(needed)
    expect((await signIn({ code: second })).status).toBe(200)
    expect((await stack.call('GET', url, { cookie })).body.recoveryCodes).toBe(8)
    expect(await types()).toEqual([
      'account.second_factor_added',
      'account.recovery_code_used',
      'account.recovery_code_used',
    ])
  })

  it('[A18] a wrong code counts as a wrong password does, and locks', async () => {
    const { secret } = await turnOn()
    const statuses: number[] = []
    for (let at = 0; at < 40 && statuses.at(-1) !== 429; at += 1) {
      statuses.push((await signIn({ code: String(at).padStart(6, '0') })).status)
    }
    expect(statuses.at(-1)).toBe(429)
    clock.advance(30 * secondMs)
    expect((await signIn({ code: codeOf(secret) })).status).toBe(429)
  })

  it('[A18] is turned off with the password and a code, and by nobody who has only a session', async () => {
    const { secret, codes } = await turnOn()
    clock.advance(6 * minuteMs)
    const code = codeOf(secret)
    const off = (body: object): Promise<Answer> => stack.call('POST', `${url}/remove`, { cookie, body })
    expect(await off({ code })).toMatchObject({ status: 401, body: { code: 'password_needed' } })
    await confirm(cookie)
    const guesses = await Promise.all(Array.from({ length: 30 }, () => off({ code: '000000' })))
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(10)
    // Somebody guesses: for a while not even the right one is looked at, here. Signing in counts for itself.
    expect((await off({ code })).status).toBe(429)
    expect((await signIn({ code: codes[0] })).status).toBe(200)
  })

  it('[A18] turned off, the password is enough again, and the next one has another secret', async () => {
    const { secret } = await turnOn()
    const again = await stack.call('POST', url, { cookie })
    expect(again).toMatchObject({ status: 409, body: { code: 'already_exists' } })
    const off = await stack.call('POST', `${url}/remove`, { cookie, body: { code: nextCode(secret) } })
    expect(off.status).toBe(204)
    expect((await signIn()).status).toBe(200)
    expect(await types()).toEqual(['account.second_factor_added', 'account.second_factor_removed'])
    const none = await stack.call('POST', `${url}/remove`, { cookie, body: { code: nextCode(secret) } })
    expect(none.status).toBe(404)
    expect(await begin()).not.toBe(secret)
  })

  it('[A18] a clock that is set back takes no code until it is there again', async () => {
    const { secret, codes } = await turnOn()
    const code = nextCode(secret)
    expect((await signIn({ code })).status).toBe(200)
    clock.setBack(10 * minuteMs)
    expect(await signIn({ code: codeOf(secret) })).toMatchObject(needed)
    expect((await signIn({ code: codes[0] })).status).toBe(200)
  })

  it('[A18] a service has none', async () => {
    const made = await stack.call('POST', '/api/keys', { cookie, body: { kind: 'svc', name: 'ci' } })
    const token = made.body.token as string
    expect((await stack.call('GET', url, { token })).body).toEqual({ on: false, since: null, recoveryCodes: 0 })
    for (const path of ['', '/confirm', '/remove']) {
      const body = path === '' ? {} : { body: { code: '123456' } }
      expect((await stack.call('POST', `${url}${path}`, { token, ...body })).status).toBe(403)
    }
  })
})

describe('where the app is lost', () => {
  it('[A19] a link for a new password does not get around it', async () => {
    const { secret } = await turnOn()
    const link = await linkOf()
    const accept = (more: object = {}): Promise<Answer> =>
      stack.call('POST', '/api/auth/password-reset/accept', { body: { code: link, password: melPassword, ...more } })
    expect(await accept()).toMatchObject(needed)
    expect(await accept({ secondCode: '000000' })).toMatchObject(needed)
    const code = nextCode(secret)
    expect((await accept({ secondCode: code })).status).toBe(200)
    expect(await signIn({ password: melPassword })).toMatchObject(needed)
    // What was shown at the link is used up.
    expect(await signIn({ password: melPassword, code })).toMatchObject(needed)
  })

  it('[A19] a recovery code that was shown at a link is used up as well', async () => {
    const { codes } = await turnOn()
    const body = { code: await linkOf(), password: melPassword, secondCode: codes[0] }
    expect((await stack.call('POST', '/api/auth/password-reset/accept', { body })).status).toBe(200)
    expect(await signIn({ password: melPassword, code: codes[0] })).toMatchObject(needed)
    expect((await signIn({ password: melPassword, code: codes[1] })).status).toBe(200)
  })

  it('[A19] an admin turns it off, who said their password', async () => {
    const made = await stack.call('POST', '/api/accounts', {
      cookie,
      body: { name: 'mel', password: melPassword, admin: true },
    })
    await turnOn()
    const mel = await stack.call('POST', '/api/auth/sign-in', { body: { name: 'mel', password: melPassword } })
    const off = (who: string, account: string): Promise<Answer> =>
      stack.call('DELETE', `/api/accounts/${account}/second-factor`, { cookie: who })
    expect((await off(mel.cookie ?? '', made.body.account as string)).status).toBe(403)
    const account = await accountOf()
    clock.advance(6 * minuteMs)
    expect(await off(mel.cookie ?? '', account)).toMatchObject({ status: 401, body: { code: 'password_needed' } })
    // Nor their own without a code.
    await confirm(cookie)
    expect((await off(cookie, account)).status).toBe(403)
    // Whoever has tried in vain before is not kept waiting after it.
    const link = await linkOf()
    const accept = (more: object): Promise<Answer> =>
      stack.call('POST', '/api/auth/password-reset/accept', { body: { code: link, password: melPassword, ...more } })
    for (let at = 0; at < 11; at += 1) await accept({ secondCode: '000000' })
    expect((await accept({ secondCode: '000000' })).status).toBe(429)
    const body = { password: melPassword }
    await stack.call('POST', '/api/auth/confirm', { cookie: mel.cookie ?? '', body })
    expect((await off(mel.cookie ?? '', account)).status).toBe(204)
    expect((await signIn()).status).toBe(200)
    expect((await accept({})).status).toBe(200)
  })

  it('[A19] turned off, it is not brought back by a sign-in that was under way', async () => {
    const { secret } = await turnOn()
    const { lists, store, bus } = stack
    const log = new AccessLog({ store, bus, clock })
    const factors = new SecondFactors({ lists, log, clock, sealing: await Sealing.open(stack.dir) })
    const account = await accountOf()
    const shown = await factors.show(account, nextCode(secret))
    expect(shown.ok).toBe(true)
    await confirm(cookie)
    const off = await stack.call('POST', `${url}/remove`, { cookie, body: { code: nextCode(secret) } })
    expect(off.status).toBe(204)
    const rows = shown.ok ? shown.rows : []
    expect(await log.write({ actor: serverActor, events: [], rows })).toMatchObject({ ok: false, reason: 'conflict' })
    expect((await signIn()).status).toBe(200)
  })

  async function linkOf(): Promise<string> {
    const made = await stack.call('POST', `/api/accounts/${await accountOf()}/password-reset`, { cookie })
    return (made.body.link as string).split('#reset=')[1] ?? ''
  }

  async function accountOf(): Promise<string> {
    return (await stack.call('GET', '/api/me', { cookie })).body.id as string
  }
})

describe('what it is kept in', () => {
  it('[A18] [T08] cannot be read from the database alone; with its key gone, recovery codes still let in', async () => {
    await using home = await openTempDir()
    const first = await openHttpStack({ dir: home.path, clock })
    stack = first
    cookie = await first.claim()
    const { secret, codes } = await turnOn()
    const row = await first.lists.secondFactor((await first.call('GET', '/api/me', { cookie })).body.id as string)
    expect(JSON.stringify(row)).not.toContain(secret)
    for (const code of codes) expect(JSON.stringify(row)).not.toContain(code.replaceAll('-', ''))
    await first[Symbol.asyncDispose]()
    rmSync(join(home.path, 'sealing-key'))
    await using second = await openHttpStack({ dir: home.path, clock })
    stack = second
    // That it cannot be checked is no guess of anybody.
    for (let at = 0; at < 6; at += 1) expect(await signIn({ code: nextCode(secret) })).toMatchObject(needed)
    expect((await signIn({ code: codes[0] })).status).toBe(200)
    stack = await openHttpStack({ clock })
  })

  it('[A18] opens for what it was sealed for, unchanged, with its key', async () => {
    await using home = await openTempDir()
    await using other = await openTempDir()
    const sealing = await Sealing.open(home.path)
    const sealed = sealing.seal('the secret', 'dana')
    expect((await Sealing.open(home.path)).unseal(sealed, 'dana')).toBe('the secret')
    expect(sealing.seal('the secret', 'dana')).not.toBe(sealed)
    expect(sealing.unseal(sealed, 'mel')).toBeUndefined()
    expect((await Sealing.open(other.path)).unseal(sealed, 'dana')).toBeUndefined()
    const bytes = Buffer.from(sealed, 'base64url')
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(sealing.unseal(changed.toString('base64url'), 'dana')).toBeUndefined()
    }
    for (const text of ['', 'x', sealed.slice(0, 12)]) expect(sealing.unseal(text, 'dana')).toBeUndefined()
  })
})
