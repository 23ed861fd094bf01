import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, type CallOptions, type HttpStack, openHttpStack, owner } from '../http/http-stack.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
let clock: HandClock
let stack: HttpStack
let cookie: string

beforeEach(async () => {
  clock = handClock()
  stack = await openHttpStack({ clock })
  cookie = await stack.claim()
})
afterEach(() => stack[Symbol.asyncDispose]())

interface Started {
  deviceCode: string
  userCode: string
  page: string
  link: string
  intervalMs: number
}

const begin = (more: object = {}): Promise<Answer> =>
  stack.call('POST', '/api/auth/device', { body: { machine: 'workbench', ...more } })
async function start(more: object = {}): Promise<Started> {
  const answer = await begin(more)
  expect(answer.status).toBe(201)
  return answer.body as Started
}
/** As the program does it: it waits, and asks. */
async function ask({ deviceCode }: Started, waitMs = 5 * secondMs): Promise<Answer> {
  clock.advance(waitMs)
  return stack.call('POST', '/api/auth/device/token', { body: { deviceCode } })
}
const look = (userCode: string, who: CallOptions = { cookie }): Promise<Answer> =>
  stack.call('POST', '/api/auth/device/look', { ...who, body: { userCode } })
const approve = (userCode: string, who: CallOptions = { cookie }, more: object = {}): Promise<Answer> =>
  stack.call('POST', '/api/auth/device/approve', { ...who, body: { userCode, scopes: ['read', 'write'], ...more } })
const deny = (userCode: string, who: CallOptions = { cookie }): Promise<Answer> =>
  stack.call('POST', '/api/auth/device/deny', { ...who, body: { userCode } })
const over = { status: 410, body: { code: 'device_code_over' } }

async function colleague(name: string): Promise<CallOptions> {
  const password = 'nine slow barges under the bridge'
  expect((await stack.call('POST', '/api/accounts', { cookie, body: { name, password } })).status).toBe(201)
  const signedIn = await stack.call('POST', '/api/auth/sign-in', { body: { name, password } })
  return { cookie: signedIn.cookie ?? '' }
}

describe('signing in a program that has no browser', () => {
  it('[A12] a person sees who asks, allows what they choose, and the program gets a token once', async () => {
    const started = await start()
    expect(started.userCode).toMatch(/^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$/)
    // The code is in the fragment, which a browser sends to nobody.
    expect(started.link).toBe(`${stack.origin}/device#${started.userCode}`)
    expect(started.page).toBe(`${stack.origin}/device`)
    expect((await ask(started)).body).toEqual({ state: 'pending', intervalMs: 5_000 })
    // As people type it.
    const typed = ` ${started.userCode.toLowerCase().replace('-', ' ')}`
    expect(await look(typed)).toMatchObject({
      status: 200,
      body: { machine: 'workbench', address: '127.0.0.1', scopes: ['read', 'write', 'decide'] },
    })
    expect((await approve(typed, { cookie }, { days: 7 })).status).toBe(200)
    const got = await ask(started)
    expect(got.body).toMatchObject({ state: 'approved', name: 'dana', scopes: ['read', 'write'] })
    const token = got.body.token as string
    const me = await stack.call('GET', '/api/me', { token })
    expect(me.body).toMatchObject({ kind: 'person', name: 'dana', admin: false, scopes: ['read', 'write'] })
    // Its row is that of any personal token, and the audit says through whom it was made.
    const row = await stack.lists.key(got.body.key as string)
    expect(row).toMatchObject({ kind: 'pat', name: 'hotline on workbench' })
    expect(Date.parse(row?.expires_at ?? '') - Date.parse(row?.created_at ?? '')).toBe(7 * 24 * 60 * minuteMs)
    const events = await stack.store.read('server:main', { after: 0, limit: 1_000, maxBytes: 1e7 })
    expect(events.at(-1)?.type).toBe('key.created')
    expect(await ask(started)).toMatchObject(over)
    expect((await look(started.userCode)).status).toBe(404)
    expect(stack.logged.join('')).not.toContain(started.userCode)
    expect(stack.logged.join('')).not.toContain(token)
  })

  it('[A12] one that is denied is told so, and cannot be allowed afterwards', async () => {
    const started = await start()
    expect((await look(started.userCode)).status).toBe(200)
    expect((await deny(started.userCode)).status).toBe(204)
    expect((await approve(started.userCode)).status).toBe(404)
    expect((await ask(started)).body).toEqual({ state: 'denied' })
    expect(await ask(started)).toMatchObject(over)
  })

  it('[A12] a code is over after ten minutes, for the program and for people', async () => {
    const started = await start()
    expect((await ask(started, 10 * minuteMs - secondMs)).body.state).toBe('pending')
    clock.advance(secondMs)
    expect((await look(started.userCode)).status).toBe(404)
    expect(await ask(started)).toMatchObject(over)
    // One that was allowed and not taken in time as well.
    const late = await start()
    await look(late.userCode)
    expect((await approve(late.userCode)).status).toBe(401)
    await stack.confirm({ cookie })
    expect((await approve(late.userCode)).status).toBe(200)
    expect(await ask(late, 10 * minuteMs)).toMatchObject(over)
  })

  it('[A12] who asks too often is told to wait longer, and has to', async () => {
    const started = await start()
    expect(await ask(started, secondMs)).toMatchObject({ status: 429, body: { retryAfterMs: 10_000 } })
    expect(await ask(started, 5 * secondMs)).toMatchObject({ status: 429, body: { retryAfterMs: 15_000 } })
    expect((await ask(started, 15 * secondMs)).body).toEqual({ state: 'pending', intervalMs: 15_000 })
    for (let times = 0; times < 20; times += 1) await ask(started, 0)
    expect((await ask(started, 0)).body.retryAfterMs).toBe(60_000)
  })

  it('[A12] to allow takes the password, and no scope that one does not have', async () => {
    const started = await start()
    clock.advance(5 * minuteMs)
    expect(await approve(started.userCode)).toMatchObject({ status: 401, body: { code: 'password_needed' } })
    expect((await ask(started)).body.state).toBe('pending')
    await stack.confirm({ cookie })
    const made = await stack.call('POST', '/api/keys', { cookie, body: { kind: 'pat', name: 'x', scopes: ['write'] } })
    const token = made.body.token as string
    await stack.confirm({ token })
    expect(await approve(started.userCode, { token })).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    expect((await approve(started.userCode, { token }, { scopes: ['write'] })).status).toBe(200)
    expect((await ask(started)).body.scopes).toEqual(['write'])
  })

  it('[A12] a confirmation is worth no more than the credential that it was given with', async () => {
    const other = (await stack.call('POST', '/api/auth/sign-in', { body: owner })).cookie ?? ''
    const keys = async (): Promise<number> =>
      (await stack.call('GET', '/api/keys', { cookie })).body.keys.length as number
    const before = await keys()
    const started = await start()
    expect((await approve(started.userCode, { cookie: other })).status).toBe(200)
    expect((await stack.call('POST', '/api/auth/sign-out', { cookie: other })).status).toBe(204)
    expect(await ask(started)).toMatchObject(over)
    // Its session is gone, and nothing came in its place.
    expect(await keys()).toBe(before - 1)
  })

  it('[A12] a machine has a name that can be seen, and nothing else', async () => {
    for (const machine of ['', 'a\nb', 'a\u202eb', 'a\u200bb', 'x'.repeat(81), 'a\u0000']) {
      expect([machine, (await begin({ machine })).status]).toEqual([machine, 400])
    }
    expect((await begin({ scopes: ['own'] })).status).toBe(400)
    expect((await begin({ machine: 'Danas Rechner — Büro 2' })).status).toBe(201)
  })
})

describe('somebody else’s code', () => {
  it('[T15] belongs to the person who looked at it first; to anybody else there is none', async () => {
    const mel = await colleague('mel')
    const started = await start()
    expect((await look(started.userCode)).status).toBe(200)
    for (const answer of [await look(started.userCode, mel), await approve(started.userCode, mel)]) {
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } })
    }
    expect((await deny(started.userCode, mel)).status).toBe(404)
    expect((await ask(started)).body.state).toBe('pending')
    expect((await approve(started.userCode)).status).toBe(200)
    expect((await ask(started)).body.name).toBe('dana')
  })

  it('[T15] cannot be guessed: a thousand tries are stopped at the fifth, whichever way they come', async () => {
    const mel = await colleague('mel')
    const started = await start()
    const statuses: number[] = []
    for (let at = 0; at < 1_000; at += 1) {
      const guess = `AAAA-${at.toString().padStart(4, '2')}`
      const [way] = [look, approve, deny].slice(at % 3)
      statuses.push((await way?.(guess, mel))?.status ?? 0)
    }
    expect(statuses.slice(0, 5)).toEqual([404, 404, 404, 404, 404])
    expect(new Set(statuses.slice(5))).toEqual(new Set([429]))
    // The right one is not heard any more either, and others are not held up.
    expect((await look(started.userCode, mel)).status).toBe(429)
    expect((await look(started.userCode)).status).toBe(200)
  })

  it('[T15] is worth nothing to a service, a runner or whoever may only read', async () => {
    const started = await start()
    const make = async (body: object): Promise<CallOptions> => ({
      token: (await stack.call('POST', '/api/keys', { cookie, body: { name: 'x', ...body } })).body.token as string,
    })
    for (const who of [
      await make({ kind: 'svc' }),
      await make({ kind: 'run' }),
      await make({ kind: 'pat', scopes: ['read'] }),
    ]) {
      expect((await look(started.userCode, who)).status).toBe(403)
      expect((await deny(started.userCode, who)).status).toBe(403)
    }
    expect((await look(started.userCode, {})).status).toBe(401)
    expect((await ask(started)).body.state).toBe('pending')
  })

  it('[T15] a page of another origin neither begins, looks nor confirms', async () => {
    const started = await start()
    const hostile = [['Origin', 'https://evil.example']] as const
    for (const path of ['', '/token', '/look', '/approve', '/deny']) {
      const body = path === '' ? { machine: 'x' } : { userCode: started.userCode, scopes: ['read'] }
      const answer = await stack.call('POST', `/api/auth/device${path}`, {
        cookie,
        origin: 'none',
        headers: hostile,
        body,
      })
      expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'origin_refused'])
      expect(answer.headers.some(([name]) => name.toLowerCase() === 'access-control-allow-origin')).toBe(false)
    }
  })

  it('[T15] one network has ten codes at a time, and begins no more than thirty while one lives', async () => {
    for (let at = 0; at < 10; at += 1) await start()
    expect(await begin()).toMatchObject({ status: 429, body: { code: 'rate_limited' } })
    clock.advance(10 * minuteMs)
    for (let at = 0; at < 10; at += 1) await start()
    clock.advance(10 * minuteMs)
    const statuses: number[] = []
    for (let at = 0; at < 20; at += 1) statuses.push((await begin()).status)
    expect(statuses.filter((status) => status === 201)).toHaveLength(9)
  })

  it('[T15] what opens the token is no user code, no other token, and nothing that is mistyped', async () => {
    const started = await start()
    for (const deviceCode of [started.userCode, '', started.deviceCode.slice(0, -1), `${started.deviceCode} `]) {
      const answer = await stack.call('POST', '/api/auth/device/token', { body: { deviceCode } })
      expect(answer.status).toBe(410)
    }
    // And it is no credential itself.
    expect((await stack.call('GET', '/api/me', { token: started.deviceCode })).status).toBe(401)
  })
})
