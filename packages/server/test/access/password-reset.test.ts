import { writeFileSync } from 'node:fs'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { localProofFile } from '../../src/access/local-proof.ts'
import { mintToken } from '../../src/access/token.ts'
import { type Answer, type HttpStack, openHttpStack, owner } from '../http/http-stack.ts'

const minuteMs = 60 * 1_000
const first = 'nine slow barges under the bridge'
const next = 'seven grey herons over the weir'
let clock: HandClock
let stack: HttpStack
let cookie: string
let mel: string

beforeEach(async () => {
  clock = handClock()
  stack = await openHttpStack({ clock })
  cookie = await stack.claim()
  const made = await stack.call('POST', '/api/accounts', {
    cookie,
    body: { name: 'Mel', password: first, admin: false },
  })
  mel = made.body.account as string
})
afterEach(() => stack[Symbol.asyncDispose]())

const make = (account = mel, who: object = { cookie }): Promise<Answer> =>
  stack.call('POST', `/api/accounts/${account}/password-reset`, who)
const look = (code: string): Promise<Answer> => stack.call('POST', '/api/auth/password-reset', { body: { code } })
const accept = (code: string, more: object = {}): Promise<Answer> =>
  stack.call('POST', '/api/auth/password-reset/accept', { body: { code, password: next, ...more } })
const signIn = (password: string, name = 'mel'): Promise<Answer> =>
  stack.call('POST', '/api/auth/sign-in', { body: { name, password } })
const codeIn = ({ body }: Answer): string => (body.link as string).split('#reset=')[1] ?? ''
const code = async (account = mel): Promise<string> => codeIn(await make(account))
const over = { status: 410, body: { code: 'reset_over' } }

async function events(): Promise<{ type: string; subject: string | undefined; text: string }[]> {
  const stored = await stack.store.read('server:main', { after: 0, limit: 1_000, maxBytes: 1e7 })
  return stored.map(({ type, bytes }) => {
    const text = Buffer.from(bytes).toString('utf8')
    return { type, subject: (JSON.parse(text) as { subject?: string }).subject, text }
  })
}

describe('a link for a new password', () => {
  it('[A16] lets its person choose one, ends every session, and signs in', async () => {
    const session = (await signIn(first)).cookie ?? ''
    const made = await make()
    expect([made.status, made.body.link]).toEqual([
      201,
      expect.stringMatching(new RegExp(`^${stack.origin}/#reset=hl_rst_`)),
    ])
    const secret = codeIn(made)
    // Until it is used nothing has changed.
    expect((await stack.call('GET', '/api/me', { cookie: session })).status).toBe(200)
    expect((await look(secret)).body).toEqual({ name: 'Mel', expiresAt: made.body.expiresAt as string })
    expect(await accept(secret, { password: 'password12345' })).toMatchObject({
      status: 400,
      body: { code: 'weak_password' },
    })
    const entered = await accept(secret)
    expect(entered.status).toBe(200)
    expect((await stack.call('GET', '/api/me', { cookie: entered.cookie ?? '' })).body).toMatchObject({ name: 'Mel' })
    expect((await stack.call('GET', '/api/me', { cookie: session })).status).toBe(401)
    expect([(await signIn(first)).status, (await signIn(next)).status]).toEqual([401, 200])
    for (const answer of [await look(secret), await accept(secret)]) expect(answer).toMatchObject(over)
    // The audit says who made it and that it was used; the code is nowhere.
    const audit = await events()
    const used = audit.findIndex(({ type }) => type === 'account.password_changed')
    expect(audit.slice(used - 1, used + 2).map(({ type }) => type)).toEqual([
      'key.revoked',
      'account.password_changed',
      'account.signed_in',
    ])
    expect(audit[used]?.text).toContain(`"reset":"${made.body.key as string}"`)
    const created = audit.find(({ subject }) => subject === `key:${made.body.key as string}`)
    expect(created?.text).toMatch(/"kind":"rst"/)
    expect(stack.logged.join('')).not.toContain(secret)
    expect(audit.map(({ text }) => text).join('')).not.toContain(secret)
  })

  it('[A16] is taken by one of two who come at once', async () => {
    const secret = await code()
    const both = await Promise.all([accept(secret), accept(secret, { password: 'four green bottles on a wall' })])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 410])
    const winner = both.find(({ status }) => status === 200)
    expect((await stack.call('GET', '/api/me', { cookie: winner?.cookie ?? '' })).status).toBe(200)
    expect((await events()).filter(({ type }) => type === 'account.password_changed')).toHaveLength(1)
  })

  it('[A16] ends after half an hour, with the next one, when it is taken back, and when nobody needs it any more', async () => {
    const old = await code()
    clock.advance(30 * minuteMs + 1)
    expect(await look(old)).toMatchObject(over)
    await stack.confirm({ cookie })
    const replaced = await code()
    const taken = await code()
    expect(await accept(replaced)).toMatchObject(over)
    const takeBack = (): Promise<Answer> => stack.call('DELETE', `/api/accounts/${mel}/password-reset`, { cookie })
    expect([(await takeBack()).status, (await takeBack()).status]).toEqual([204, 404])
    expect(await accept(taken)).toMatchObject(over)
    // Their person remembers it, and chooses another one.
    const unneeded = await code()
    const session = (await signIn(first)).cookie ?? ''
    const changed = { current: first, next: 'four green bottles on a wall' }
    expect((await stack.call('POST', '/api/auth/password', { cookie: session, body: changed })).status).toBe(200)
    expect(await accept(unneeded)).toMatchObject(over)
    const off = await code()
    await stack.call('POST', `/api/accounts/${mel}/disable`, { cookie, body: {} })
    expect(await accept(off)).toMatchObject(over)
    expect(await make()).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('turned off') as string },
    })
    await stack.call('POST', `/api/accounts/${mel}/enable`, { cookie })
    expect(await accept(off)).toMatchObject(over)
    for (const strange of [mintToken('rst', mel).text, mintToken('inv', mel).text, 'x']) {
      expect(await look(strange)).toMatchObject(over)
    }
  })

  it('[A16] is shown to its person, who can end it', async () => {
    const session = (await signIn(first)).cookie ?? ''
    const secret = await code()
    const list = async (): Promise<{ key: string; kind: string; name: string }[]> =>
      (await stack.call('GET', '/api/keys', { cookie: session })).body.keys
    const [shown] = (await list()).filter(({ kind }) => kind === 'rst')
    expect(shown?.name).toBe('new password, by dana')
    expect((await stack.call('DELETE', `/api/keys/${shown?.key ?? ''}`, { cookie: session })).status).toBe(204)
    expect(await accept(secret)).toMatchObject(over)
    await code()
    clock.advance(31 * minuteMs)
    expect((await list()).some(({ kind }) => kind === 'rst')).toBe(false)
  })

  it('[A16] ends tokens and keys where their person wishes it, and else leaves them', async () => {
    const tokenOf = async (session: string, password: string): Promise<string> => {
      await stack.confirm({ cookie: session }, password)
      const body = { kind: 'pat', name: 'laptop', days: 9 }
      return (await stack.call('POST', '/api/keys', { cookie: session, body })).body.token as string
    }
    const token = await tokenOf((await signIn(first)).cookie ?? '', first)
    const me = async (): Promise<number> => (await stack.call('GET', '/api/me', { token })).status
    expect((await accept(await code())).status).toBe(200)
    expect(await me()).toBe(200)
    await stack.confirm({ cookie })
    expect((await accept(await code(), { password: first, keys: 'revoke' })).status).toBe(200)
    expect(await me()).toBe(401)
    expect((await events()).some(({ text }) => text.includes('"keys":"revoke"'))).toBe(true)
  })

  it('[A16] opens the door also while strangers have locked the name', async () => {
    await Promise.all(Array.from({ length: 12 }, () => signIn('wrong password here')))
    expect((await signIn(first)).status).toBe(429)
    expect((await accept(await code())).status).toBe(200)
  })

  it('[A16] is made by an admin who said their password, and by nobody else', async () => {
    const session = (await signIn(first)).cookie ?? ''
    await stack.confirm({ cookie: session }, first)
    expect((await make(mel, { cookie: session })).status).toBe(403)
    expect((await make(mel, {})).status).toBe(401)
    expect((await make('nobody')).status).toBe(404)
    clock.advance(6 * minuteMs)
    expect((await make()).body.code).toBe('password_needed')
  })
})

describe("at the server's machine", () => {
  const words = 'Z'.repeat(43)
  const here = (proof: string, name = 'dana'): Promise<Answer> =>
    stack.call('POST', '/api/auth/password-reset/here', { body: { name, proof } })

  it('[A16] whoever can write into its data directory makes a link without any password, each time anew', async () => {
    expect(await here(words)).toMatchObject({ status: 401, body: { code: 'wrong_credentials' } })
    writeFileSync(localProofFile(stack.dir), `${words}\n`)
    expect((await here(words.replace('Z', 'Y'))).status).toBe(401)
    const made = await here(words, 'DANA')
    expect(made.status).toBe(201)
    expect((await here(words)).status).toBe(401)
    expect((await accept(codeIn(made))).status).toBe(200)
    expect((await signIn(next, owner.name)).status).toBe(200)
    const audit = await events()
    expect(audit.find(({ subject }) => subject === `key:${made.body.key as string}`)?.text).toContain(
      "new password, on the server's machine",
    )
  })

  it('[A16] a short or empty file proves nothing, and a name that is not there is said', async () => {
    for (const short of ['', 'x']) {
      writeFileSync(localProofFile(stack.dir), `${short}\n`)
      expect((await here(short)).status).toBe(401)
    }
    writeFileSync(localProofFile(stack.dir), words)
    expect(await here(words, 'nobody')).toMatchObject({ status: 404 })
  })
})
