import { openTempDir } from '@hotline/testing/temp-dir'
import { findCommand } from '@hotline/testing/log-bench'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, type CallOptions, type HttpStack, openHttpStack } from './http-stack.ts'

let clock: HandClock
let stack: HttpStack
let cookie: string

beforeEach(async () => {
  clock = handClock()
  stack = await openHttpStack({ clock })
  cookie = await stack.claim()
})
afterEach(() => stack[Symbol.asyncDispose]())

const erin = { name: 'erin', password: 'a kettle under the blue bridge' }

function post(path: string, key: string | undefined, body: object, who: CallOptions = { cookie }): Promise<Answer> {
  const headers = key === undefined ? [] : [['Idempotency-Key', key] as const]
  return stack.call('POST', path, { ...who, body, headers })
}
const account = (key: string | undefined, body: object = erin): Promise<Answer> => post('/api/accounts', key, body)
const token = (key: string | undefined, body: object = { kind: 'pat', name: 'laptop' }, who?: CallOptions) =>
  post('/api/keys', key, body, who)
const audit = async (type: string): Promise<number> => {
  const events = await stack.store.read('server:main', { after: 0, limit: 1_000, maxBytes: 1e7 })
  return events.filter((event) => event.type === type).length
}

describe('Idempotency-Key', () => {
  it('[A11] an account is made once, and everybody who sends it again hears the same', async () => {
    const before = await audit('account.created')
    const first = await account('k1')
    expect(first).toMatchObject({ status: 201, body: { name: 'erin' } })
    for (const key of ['k1', '"k1"']) expect(await account(key)).toMatchObject({ status: 201, body: first.body })
    expect(await audit('account.created')).toBe(before + 1)
    // Without a key, or with a new one, it is another wish.
    for (const key of [undefined, 'k2']) {
      expect(await account(key)).toMatchObject({ status: 409, body: { code: 'already_exists' } })
    }
  })

  it('[A11] ten at once make one, and each is answered the same', async () => {
    const before = await audit('account.created')
    const accounts = await Promise.all(Array.from({ length: 10 }, () => account('k1')))
    expect(new Set(accounts.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1)
    expect(accounts[0]?.status).toBe(201)
    expect(await audit('account.created')).toBe(before + 1)
    const made = await audit('key.created')
    const keys = await Promise.all(Array.from({ length: 10 }, () => token('k2')))
    expect(new Set(keys.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1)
    expect(keys[0]?.status).toBe(201)
    expect(await audit('key.created')).toBe(made + 1)
  })

  it.each([
    ['another name', { ...erin, name: 'kim' }],
    ['more rights', { ...erin, admin: true }],
  ])('[A11] with %s it is another account, and refused', async (_title, body) => {
    await account('k1')
    expect(await account('k1', body)).toMatchObject({ status: 409, body: { code: 'idempotency_mismatch' } })
    expect((await stack.lists.accounts()).map(({ name }) => name).toSorted()).toEqual(['dana', 'erin'])
  })

  it('[A11] [T10] its answer does not tell whether a password is right, before it was changed or after', async () => {
    const first = await account('k1')
    const again = { ...erin, password: 'nine slow barges under the bridge' }
    expect(await account('k1', again)).toMatchObject({ status: 201, body: first.body })
    const signIn = (password: string): Promise<Answer> =>
      stack.call('POST', '/api/auth/sign-in', { body: { name: 'erin', password } })
    const own = await signIn(erin.password)
    expect([own.status, (await signIn(again.password)).status]).toEqual([200, 401])
    const next = 'seven grey herons over the weir'
    const changed = { cookie: own.cookie ?? '', body: { current: erin.password, next } }
    expect((await stack.call('POST', '/api/auth/password', changed)).status).toBe(200)
    for (const password of [erin.password, next, again.password]) {
      expect(await account('k1', { ...erin, password })).toMatchObject({ status: 201, body: first.body })
    }
  })

  it('[A11] what is remembered of it holds no password, nor a hash of one', async () => {
    await account('k1')
    const owner = (await stack.lists.accounts()).find(({ name }) => name === 'dana')
    const found = await findCommand(stack.store, 'server:main', `person:${owner?.account}`, 'k1')
    const made = (await stack.lists.accounts()).find(({ name }) => name === 'erin')
    expect(JSON.parse(found?.answer ?? '')).toMatchObject({ account: made?.account })
    expect(found?.answer).not.toContain('argon2')
    expect(found?.answer).not.toContain('password')
  })

  it('[A11] a key is made once; its secret is told again for ten minutes, and never after', async () => {
    const first = await token('k1')
    expect(first.status).toBe(201)
    clock.advance(4 * 60_000)
    expect((await token('k1')).body).toEqual(first.body)
    clock.advance(7 * 60_000)
    await stack.confirm({ cookie })
    const late = await token('k1')
    expect(late).toMatchObject({ status: 409, body: { code: 'already_exists', key: first.body.key } })
    expect(JSON.stringify(late.body)).not.toContain(first.body.token)
    expect(await token('k1', { kind: 'pat', name: 'phone' })).toMatchObject({
      status: 409,
      body: { code: 'idempotency_mismatch' },
    })
  })

  it('[A7] [A11] a key that was revoked meanwhile is not handed out again', async () => {
    const first = await token('k1')
    const other = await token('k2', { kind: 'run', name: 'machine' })
    for (const { body } of [first, other]) {
      expect((await stack.call('DELETE', `/api/keys/${body.key}`, { cookie })).status).toBe(204)
    }
    for (const [made, again] of [
      [first, await token('k1')],
      [other, await token('k2', { kind: 'run', name: 'machine' })],
    ] as const) {
      expect(again).toMatchObject({ status: 409, body: { code: 'already_exists', key: made.body.key } })
      expect(JSON.stringify(again.body)).not.toContain(made.body.token)
    }
  })

  it('[A11] the key of a machine is not handed out again to somebody who is no admin any more', async () => {
    const me = (await stack.lists.accounts())[0]
    const session = (await stack.lists.keysOf(me?.account ?? '')).find(({ kind }) => kind === 'ses')
    const by = await stack.access.authenticator.byKey(session?.key ?? '')
    if ('code' in by) throw new Error(by.detail)
    const what = { kind: 'run', name: 'machine', days: 1 } as const
    expect(await stack.access.keys.create(by, what, 'k1')).toMatchObject({ row: { name: 'machine' } })
    expect(await stack.access.keys.create({ ...by, admin: false }, what, 'k1')).toMatchObject({ code: 'forbidden' })
  })

  it('[A11] its secret is forgotten when the ten minutes are over, whether anybody asks or not', async () => {
    await token('k1')
    const waiting = clock.pending
    await token('k2')
    expect(clock.pending).toBe(waiting + 1)
    clock.advance(10 * 60_000)
    expect(clock.pending).toBeLessThan(waiting)
  })

  it('[A11] a credential with fewer rights is not handed what another one of its person made', async () => {
    const full = await token('k1')
    const narrow = await token(undefined, { kind: 'pat', name: 'narrow', scopes: ['read', 'write'] })
    const who = { token: narrow.body.token as string }
    await stack.confirm(who)
    const answer = await token('k1', { kind: 'pat', name: 'laptop' }, who)
    expect(answer).toMatchObject({ status: 409, body: { code: 'idempotency_mismatch' } })
    expect(JSON.stringify(answer.body)).not.toContain(full.body.token)
  })

  it('[A11] it holds over a restart, but for the secret', async () => {
    const outer = stack
    await using dir = await openTempDir()
    stack = await openHttpStack({ clock, dir: dir.path })
    try {
      cookie = await stack.claim()
      const made = await account('k1')
      const key = await token('k2')
      await stack[Symbol.asyncDispose]()
      stack = await openHttpStack({ clock, dir: dir.path })
      await stack.confirm({ cookie })
      expect((await account('k1')).body).toEqual(made.body)
      expect(await token('k2')).toMatchObject({ status: 409, body: { code: 'already_exists', key: key.body.key } })
    } finally {
      await stack[Symbol.asyncDispose]()
      stack = outer
    }
  })

  it.each(['', 'a b', 'ü', '-rf', 'x'.repeat(65), '"', '../a'])('[A11] "%s" is no such key', async (key) => {
    expect(await token(key)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
  })

  it('[A11] two of them are refused', async () => {
    const headers = [
      ['Idempotency-Key', 'a'],
      ['Idempotency-Key', 'b'],
    ] as const
    const answer = await stack.call('POST', '/api/keys', { cookie, headers, body: { kind: 'pat', name: 'x' } })
    expect(answer.status).toBe(400)
  })
})
