import type { Me } from '@hotline/protocol/http'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mintToken } from '../../src/access/token.ts'
import { type Answer, type CallOptions, type HttpStack, openHttpStack } from '../http/http-stack.ts'

const dayMs = 24 * 60 * 60 * 1_000
const password = 'nine slow barges under the bridge'
let clock: HandClock
let stack: HttpStack
let cookie: string

beforeEach(async () => {
  clock = handClock()
  stack = await openHttpStack({ clock })
  cookie = await stack.claim()
})
afterEach(() => stack[Symbol.asyncDispose]())

const invite = (body: object, who: CallOptions = { cookie }): Promise<Answer> =>
  stack.call('POST', '/api/invitations', { ...who, body: { project: 'default', ...body } })
const look = (code: string): Promise<Answer> => stack.call('POST', '/api/auth/invitation', { body: { code } })
const accept = (code: string, more: object = {}, who: CallOptions = {}): Promise<Answer> =>
  stack.call('POST', '/api/auth/invitation/accept', { ...who, body: { code, password, ...more } })
const over = { status: 410, body: { code: 'invitation_over' } }

async function codeFor(name: string, more: object = {}): Promise<string> {
  const made = await invite({ name, ...more })
  expect(made.status).toBe(201)
  return (made.body.link as string).split('#invite=')[1] ?? ''
}
async function checks(): Promise<number> {
  return (await stack.metrics.passwordChecks.get()).values[0]?.value ?? 0
}

describe('an invitation', () => {
  it('[A15] is a link with which one person chooses a password and is in the project at once', async () => {
    const made = await invite({ name: 'Mel', role: 'approver' })
    expect(made.body.link).toMatch(new RegExp(`^${stack.origin}/#invite=hl_inv_`))
    const code = (made.body.link as string).split('#invite=')[1] ?? ''
    expect((await look(code)).body).toMatchObject({
      name: 'Mel',
      invitedBy: 'dana',
      project: 'My project',
      role: 'approver',
    })
    expect(await accept(code, { password: 'password12345' })).toMatchObject({
      status: 400,
      body: { code: 'weak_password' },
    })
    const entered = await accept(code)
    expect(entered.status).toBe(200)
    const me = (await stack.call('GET', '/api/me', { cookie: entered.cookie ?? '' })).body as Me
    expect(me).toMatchObject({ name: 'Mel', admin: false, projects: [{ project: 'default', role: 'approver' }] })
    const again = await stack.call('POST', '/api/auth/sign-in', { body: { name: 'mel', password } })
    expect(again.status).toBe(200)
    // Once.
    for (const answer of [await look(code), await accept(code)]) expect(answer).toMatchObject(over)
    const people = (await stack.call('GET', '/api/people', { cookie })).body.people as { name: string }[]
    expect(people.map(({ name }) => name)).toContain('Mel')
    // The audit says who let whom in, and the code is nowhere.
    const events = await stack.store.read('server:main', { after: 0, limit: 1_000, maxBytes: 1e7 })
    expect(events.map(({ type }) => type).slice(-4, -1)).toEqual([
      'account.created',
      'key.revoked',
      'account.signed_in',
    ])
    expect(stack.logged.join('')).not.toContain(code)
  })

  it('[A15] is taken by one of two who come at once', async () => {
    const code = await codeFor('mel')
    const both = await Promise.all([accept(code), accept(code, { password: 'seven grey herons over the weir' })])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 410])
    expect((await stack.lists.accounts()).filter(({ name }) => name === 'mel')).toHaveLength(1)
  })

  it('[A15] ends after a week, when it is revoked, and with the right of whoever made it', async () => {
    const revoked = await codeFor('mel')
    const { key } = (
      (await stack.call('GET', '/api/keys', { cookie })).body.keys as { key: string; kind: string }[]
    ).find(({ kind }) => kind === 'inv') ?? { key: '' }
    expect((await stack.call('DELETE', `/api/keys/${key}`, { cookie })).status).toBe(204)
    expect(await accept(revoked)).toMatchObject(over)

    const boss = { name: 'boss', password: 'two green lanterns on the quay' }
    const made = await stack.call('POST', '/api/accounts', { cookie, body: { ...boss, admin: true } })
    const join = { id: 'join', stream: 'project:default', type: 'member.add' }
    const data = { account: made.body.account as string, role: 'admin' }
    expect((await stack.call('POST', '/api/commands', { cookie, body: { ...join, data } })).status).toBe(200)
    const theirs = { cookie: (await stack.call('POST', '/api/auth/sign-in', { body: boss })).cookie ?? '' }
    const link = (await invite({ name: 'kim' }, theirs)).body.link as string
    const orphaned = link.split('#invite=')[1] ?? ''
    expect((await look(orphaned)).status).toBe(200)
    expect((await stack.call('POST', `/api/accounts/${data.account}/disable`, { cookie, body: {} })).status).toBe(200)
    expect(await look(orphaned)).toMatchObject(over)

    const late = await codeFor('lee')
    clock.advance(7 * dayMs - 1_000)
    expect((await look(late)).status).toBe(200)
    clock.advance(1_000)
    for (const answer of [await look(late), await accept(late)]) expect(answer).toMatchObject(over)
  })

  it('[A15] is made by an admin of the server who may add to the project, with the password', async () => {
    const stranger = await codeFor('mel')
    const mel = { cookie: (await accept(stranger)).cookie ?? '' }
    expect((await invite({ name: 'kim' }, mel)).status).toBe(403)
    expect((await invite({ name: 'kim', project: 'nowhere' })).status).toBe(404)
    expect(await invite({ name: 'DANA' })).toMatchObject({ status: 409, body: { code: 'already_exists' } })
    expect((await invite({ name: 'a b' })).status).toBe(400)
    clock.advance(5 * 60_000)
    expect(await invite({ name: 'kim' })).toMatchObject({ status: 401, body: { code: 'password_needed' } })
  })

  it('[A15] whose name was taken meanwhile makes nothing', async () => {
    const [one, other] = [await codeFor('mel'), await codeFor('MEL')]
    expect((await accept(one)).status).toBe(200)
    expect(await accept(other, { password: 'seven grey herons over the weir' })).toMatchObject(over)
    expect((await stack.lists.accounts()).map(({ name }) => name)).toEqual(['dana', 'mel'])
  })

  it('[T11] tells nobody which names or codes there are: wrong ones answer alike, with the same work, and not for ever', async () => {
    const real = await codeFor('mel')
    const id = real.split('_')[2] ?? ''
    const wrong = [
      mintToken('inv', id).text,
      mintToken('inv', '0198a1c4-0000-7000-8000-000000000000').text,
      mintToken('pat', id).text,
      'x',
      real.slice(0, -1),
    ]
    const before = await checks()
    const answers = new Set<string>()
    for (const code of wrong) {
      for (const answer of [await look(code), await accept(code)]) {
        answers.add(JSON.stringify([answer.status, answer.body]))
      }
    }
    expect(answers.size).toBe(1)
    expect((await checks()) - before).toBe(0)
    let statuses: number[] = []
    for (let tries = 0; tries < 40; tries += 1) statuses = [...statuses, (await look(wrong[0] ?? '')).status]
    expect(statuses.at(-1)).toBe(429)
  })

  it('[A15] is no credential', async () => {
    const code = await codeFor('mel')
    expect((await stack.call('GET', '/api/me', { token: code })).status).toBe(401)
    expect((await stack.call('GET', '/api/me', { cookie: `hotline-local=${code}` })).status).toBe(401)
  })
})
