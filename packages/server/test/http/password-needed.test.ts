import { uuidV7 } from '@hotline/client/uuid'
import { person } from '@hotline/testing/middle'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Proofs } from '../../src/access/proofs.ts'
import { type Answer, type CallOptions, type HttpStack, openHttpStack, owner } from './http-stack.ts'

const minuteMs = 60_000
let clock: HandClock
let stack: HttpStack
let cookie: string

beforeEach(async () => {
  clock = handClock()
  stack = await openHttpStack({ clock })
  cookie = await stack.claim()
})
afterEach(() => stack[Symbol.asyncDispose]())

const makeKey = (who: CallOptions, kind = 'pat'): Promise<Answer> =>
  stack.call('POST', '/api/keys', { ...who, body: { kind, name: 'x' } })
const command = (who: CallOptions, type: string, data: object): Promise<Answer> =>
  stack.call('POST', '/api/commands', { ...who, body: { id: uuidV7(), stream: 'project:default', type, data } })
const confirm = (who: CallOptions, password: string): Promise<Answer> =>
  stack.call('POST', '/api/auth/confirm', { ...who, body: { password } })
const needed = { status: 401, body: { code: 'password_needed' } }

describe('what needs the password', () => {
  it('[A10] is done within five minutes of signing in, and after that when it was said again', async () => {
    clock.advance(5 * minuteMs - 5_000)
    expect((await makeKey({ cookie })).status).toBe(201)
    clock.advance(6_000)
    const refused = await makeKey({ cookie })
    expect(refused).toMatchObject(needed)
    // The words say what to do, and reading goes on.
    expect(refused.body.detail).toContain('/api/auth/confirm')
    expect((await stack.call('GET', '/api/keys', { cookie })).status).toBe(200)
    expect((await confirm({ cookie }, owner.password)).status).toBe(204)
    expect((await makeKey({ cookie })).status).toBe(201)
    clock.advance(5 * minuteMs)
    expect(await makeKey({ cookie })).toMatchObject(needed)
  })

  it('[A10] are keys of each kind, accounts and members, and nothing that ends a right of a key', async () => {
    const token = (await makeKey({ cookie })).body.token as string
    const account = { name: 'erin', password: 'a kettle under the blue bridge' }
    const made = (await stack.call('POST', '/api/accounts', { cookie, body: account })).body.account as string
    const tries = async (): Promise<Answer[]> => [
      await makeKey({ token }, 'pat'),
      await makeKey({ token }, 'svc'),
      await makeKey({ token }, 'run'),
      await stack.call('POST', '/api/accounts', { token, body: { ...account, name: 'kim' } }),
      await stack.call('POST', `/api/accounts/${made}/disable`, { token, body: {} }),
      await stack.call('POST', `/api/accounts/${made}/enable`, { token }),
      await command({ token }, 'member.add', { account: made, role: 'viewer' }),
      await command({ token }, 'member.change', { account: made, role: 'operator' }),
      await command({ token }, 'member.remove', { account: made }),
    ]
    // A token was not there when the password was said.
    for (const answer of await tries()) expect(answer).toMatchObject(needed)
    expect((await stack.lists.accounts()).map(({ name }) => name).toSorted()).toEqual(['dana', 'erin'])
    expect((await confirm({ token }, owner.password)).status).toBe(204)
    expect((await tries()).map(({ status }) => status)).toEqual([201, 201, 201, 201, 200, 200, 200, 200, 200])
    clock.advance(5 * minuteMs)
    expect((await command({ token }, 'project.rename', { name: 'Another' })).status).toBe(200)
    expect((await stack.call('DELETE', `/api/keys/${token.split('_')[2]}`, { token })).status).toBe(204)
  })

  it('[A10] is not for those who have none', async () => {
    const service = (await makeKey({ cookie }, 'svc')).body.token as string
    for (const type of ['member.add', 'member.change'] as const) {
      const answer = await command({ token: service }, type, { account: 'erin', role: 'viewer' })
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    }
    expect(await confirm({ token: service }, owner.password)).toMatchObject({ status: 403 })
    expect(await confirm({}, owner.password)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
  })

  it('[A10] [T10] is guessed there as little as at the door', async () => {
    clock.advance(5 * minuteMs)
    for (let round = 0; round < 5; round += 1) {
      expect(await confirm({ cookie }, `guess number ${round}`)).toMatchObject({
        status: 401,
        body: { code: 'wrong_credentials' },
      })
    }
    // The sixth waits, whoever asks and whatever it is.
    await expect.poll(async () => (await confirm({ cookie }, owner.password)).status).toBe(429)
    expect(await makeKey({ cookie })).toMatchObject(needed)
  })

  it('[A10] counts for the credential that said it alone, and a new password counts as said', async () => {
    const other = (await stack.call('POST', '/api/auth/sign-in', { body: owner })).cookie ?? ''
    clock.advance(5 * minuteMs)
    await stack.confirm({ cookie })
    expect(await makeKey({ cookie: other })).toMatchObject(needed)
    const next = 'seven grey herons over the weir'
    const body = { current: owner.password, next }
    const changed = await stack.call('POST', '/api/auth/password', { cookie: other, body })
    expect((await makeKey({ cookie: changed.cookie ?? '' })).status).toBe(201)
  })

  it('[A10] that somebody knew a password proves nothing once it is another one', async () => {
    const token = (await makeKey({ cookie })).body.token as string
    await stack.confirm({ token })
    const next = 'seven grey herons over the weir'
    const change = (current: string, other: string, who: CallOptions): Promise<Answer> =>
      stack.call('POST', '/api/auth/password', { ...who, body: { current, next: other } })
    const changed = await change(owner.password, next, { cookie })
    expect(changed.status).toBe(200)
    expect(await makeKey({ token })).toMatchObject(needed)
    await stack.confirm({ token }, next)
    expect((await makeKey({ token })).status).toBe(201)
  })

  it('[A10] a password that is changed while it is compared proves nothing either', () => {
    const proofs = new Proofs(clock)
    const before = proofs.changes
    proofs.forget('a1')
    proofs.note('k1', 'a1', before)
    expect(proofs.missing(person('a1', { key: 'k1' }))).toMatchObject({ code: 'password_needed' })
    proofs.note('k1', 'a1', proofs.changes)
    expect(proofs.missing(person('a1', { key: 'k1' }))).toBeUndefined()
  })
})
