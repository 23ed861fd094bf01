import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import { openTempDir } from '@hotline/testing/temp-dir'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SigningKeys } from '../../src/access/signing-keys.ts'
import { type Answer, type CallOptions, type HttpStack, openHttpStack, owner } from '../http/http-stack.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const dayMs = 24 * 60 * minuteMs
let clock: HandClock
let stack: HttpStack
let cookie: string
let key: { key: string; token: string }

beforeEach(async () => {
  clock = handClock()
  stack = await openHttpStack({ clock })
  cookie = await stack.claim()
  key = (await makeKey({ kind: 'svc', scopes: ['read', 'write'] })).body as { key: string; token: string }
})
afterEach(() => stack[Symbol.asyncDispose]())

const makeKey = (body: object): Promise<Answer> =>
  stack.call('POST', '/api/keys', { cookie, body: { name: 'ci', ...body } })
const exchange = (who: CallOptions): Promise<Answer> => stack.call('POST', '/api/auth/token', who)
const me = async (token: string): Promise<Answer> => stack.call('GET', '/api/me', { token })
async function signed(): Promise<string> {
  const answer = await exchange({ token: key.token })
  expect(answer.status).toBe(201)
  return answer.body.token as string
}

describe('the token of a service', () => {
  it('[A14] is exchanged for its key, lives ten minutes and has the rights of the key', async () => {
    const answer = await exchange({ token: key.token })
    expect(Date.parse(answer.body.expiresAt as string) - clock.wallMs()).toBeGreaterThan(10 * minuteMs - 2 * secondMs)
    const token = answer.body.token as string
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'EdDSA', typ: 'hotline-service+jwt' })
    // Nothing of the owner or of rights goes about in it.
    expect(Object.keys(decodeJwt(token)).toSorted()).toEqual(['aud', 'exp', 'iat', 'iss', 'jti', 'sub'])
    const own = (await stack.call('GET', '/api/me', { token: key.token })).body as object
    expect((await me(token)).body).toEqual(own)
    clock.advance(10 * minuteMs - secondMs)
    expect((await me(token)).status).toBe(200)
    clock.advance(secondMs)
    expect((await me(token)).status).toBe(401)
    // Nothing of it is in the log.
    expect(stack.logged.join('')).not.toContain(token.split('.')[2])
  })

  it('[A14] ends with the key, with its expiry and with its owner, at once', async () => {
    const token = await signed()
    const short = (await makeKey({ kind: 'svc', days: 1 })).body as { key: string; token: string }
    clock.advance(dayMs - minuteMs)
    const last = await exchange({ token: short.token })
    expect(Date.parse(last.body.expiresAt as string) - clock.wallMs()).toBeLessThanOrEqual(minuteMs)
    const lastToken = last.body.token as string
    expect((await me(lastToken)).status).toBe(200)
    clock.advance(minuteMs)
    expect((await me(lastToken)).status).toBe(401)
    expect((await me(token)).status).toBe(401)

    const revoked = await signed()
    expect((await me(revoked)).status).toBe(200)
    const again = (await stack.call('POST', '/api/auth/sign-in', { body: owner })).cookie ?? ''
    expect((await stack.call('DELETE', `/api/keys/${key.key}`, { cookie: again })).status).toBe(204)
    expect((await me(revoked)).status).toBe(401)

    const other = await stack.call('POST', '/api/keys', { cookie: again, body: { kind: 'svc', name: 'x' } })
    const ofOwner = (await exchange({ token: other.body.token as string })).body.token as string
    expect((await me(ofOwner)).status).toBe(200)
    const everywhere = await stack.call('POST', '/api/auth/sign-out-everywhere', {
      cookie: again,
      body: { keys: 'revoke' },
    })
    expect(everywhere.status).toBe(204)
    expect((await me(ofOwner)).status).toBe(401)
  })

  it('[A14] is for services alone, and makes no other', async () => {
    const person = (await makeKey({ kind: 'pat' })).body.token as string
    const runner = (await makeKey({ kind: 'run' })).body.token as string
    for (const who of [{ cookie }, { token: person }, { token: runner }, { token: await signed() }]) {
      expect(await exchange(who)).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    }
    expect((await exchange({})).status).toBe(401)
    // Nor is it a cookie.
    expect((await stack.call('GET', '/api/me', { cookie: `hotline-local=${await signed()}` })).status).toBe(401)
  })
})

describe('a token that the server did not sign like this', () => {
  /** The real key, so that one thing is wrong at a time. */
  function realKey(): { privateKey: KeyObject; issuer: string; kid: string } {
    const file = JSON.parse(readFileSync(join(stack.dir, 'signing-keys'), 'utf8')) as {
      issuer: string
      keys: { seed: string }[]
    }
    const seed = Buffer.from(file.keys[0]?.seed ?? '', 'base64url')
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
    return { privateKey: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }), issuer: file.issuer, kid: '' }
  }
  interface Parts {
    head?: Record<string, unknown>
    claims?: Record<string, unknown>
    by?: KeyObject | Uint8Array
  }
  async function forge({ head = {}, claims = {}, by }: Parts): Promise<string> {
    const { privateKey, issuer } = realKey()
    const { kid } = decodeProtectedHeader(await signed())
    const now = Math.floor(clock.wallMs() / 1_000)
    const given: Record<string, unknown> = {
      iss: issuer,
      aud: `${issuer}:api`,
      sub: key.key,
      iat: now,
      exp: now + 600,
      jti: 'a',
      ...claims,
    }
    for (const [name, value] of Object.entries(given)) if (value === undefined) delete given[name]
    const header: Record<string, unknown> = { alg: 'EdDSA', typ: 'hotline-service+jwt', kid, ...head }
    for (const [name, value] of Object.entries(header)) if (value === undefined) delete header[name]
    return new SignJWT(given)
      .setProtectedHeader(header as { alg: string })
      .sign(by ?? privateKey, { crit: { 'urn:odd': true } })
  }

  it('[T09] the forger of these tests makes one that is taken where nothing is wrong with it', async () => {
    expect((await me(await forge({}))).status).toBe(200)
  })

  const now = (): number => Math.floor(clock.wallMs() / 1_000)
  const cases: [string, () => Parts][] = [
    ['signed by another key under our name for ours', () => ({ by: generateKeyPairSync('ed25519').privateKey })],
    ['no kid', () => ({ head: { kid: undefined } })],
    ['an unknown kid', () => ({ head: { kid: 'another' } })],
    ['a kid that is a path', () => ({ head: { kid: '../../x' } })],
    ['no type', () => ({ head: { typ: undefined } })],
    ['another type', () => ({ head: { typ: 'JWT' } })],
    [
      'a key of its own in the head',
      () => ({ by: generateKeyPairSync('ed25519').privateKey, head: { jwk: { kty: 'OKP' } } }),
    ],
    [
      'a place for keys in the head',
      () => ({ by: generateKeyPairSync('ed25519').privateKey, head: { jku: 'http://evil.example' } }),
    ],
    ['a member that must be understood', () => ({ head: { crit: ['urn:odd'], 'urn:odd': 1 } })],
    ['another issuer', () => ({ claims: { iss: 'urn:hotline:another' } })],
    ['no issuer', () => ({ claims: { iss: undefined } })],
    ['another audience', () => ({ claims: { aud: 'urn:other:api' } })],
    ['no audience', () => ({ claims: { aud: undefined } })],
    ['no end', () => ({ claims: { exp: undefined } })],
    ['an end as text', () => ({ claims: { exp: '4000000000' } })],
    ['an end that is over', () => ({ claims: { iat: now() - 700, exp: now() - 100 } })],
    ['an end that is over by less than clocks may differ', () => ({ claims: { iat: now() - 602, exp: now() - 2 } })],
    ['a longer life than ten minutes', () => ({ claims: { exp: now() + 601 } })],
    ['a beginning in the future', () => ({ claims: { iat: now() + 60, exp: now() + 600 } })],
    ['a beginning to come', () => ({ claims: { nbf: now() + 60 } })],
    ['no beginning', () => ({ claims: { iat: undefined } })],
    ['a beginning long ago', () => ({ claims: { iat: now() - 10_000 } })],
    ['no id', () => ({ claims: { jti: undefined } })],
    ['nobody', () => ({ claims: { sub: undefined } })],
    ['a key that there is not', () => ({ claims: { sub: '0198a1c4-0000-7000-8000-000000000000' } })],
    ['a list for a key', () => ({ claims: { sub: [key.key] } })],
  ]
  it.each(cases)('[T09] is not believed: %s', async (_what, parts) => {
    // Where the library that signs will not make it, nobody else's server would either.
    const token = await forge(parts())
    expect(await me(token)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
  })

  it('[T09] nor one for a key of another kind, whoever signed it', async () => {
    const kinds = await Promise.all(
      (['pat', 'run'] as const).map(async (kind) => (await makeKey({ kind })).body.key as string),
    )
    const session = (await stack.lists.keysOf((await stack.lists.accounts())[0]?.account ?? '')).find(
      ({ kind }) => kind === 'ses',
    )
    for (const sub of [...kinds, session?.key ?? '', (await stack.lists.accounts())[0]?.account ?? '']) {
      expect((await me(await forge({ claims: { sub, admin: true } }))).status).toBe(401)
    }
  })

  it('[T09] nor one of another algorithm, however it is signed', async () => {
    const real = await signed()
    const [head = '', claims = '', signature = ''] = real.split('.')
    const b64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const { kid } = decodeProtectedHeader(real)
    const publicKey = (await SigningKeys.open(stack.dir, clock)).find(kid)
    const secret = Buffer.from(publicKey?.export({ format: 'pem', type: 'spki' }) ?? '')
    const byHmac = await new SignJWT(decodeJwt(real))
      .setProtectedHeader({ alg: 'HS256', typ: 'hotline-service+jwt', kid: kid ?? '' })
      .sign(secret)
    const typ = 'hotline-service+jwt'
    const forged = [
      byHmac,
      `${b64({ alg: 'none', typ, kid })}.${claims}.`,
      `${b64({ alg: 'none', typ, kid })}.${claims}.${signature}`,
      `${b64({ alg: 'NONE', typ, kid })}.${claims}.AA`,
      `${b64({ alg: 'ES256', typ, kid })}.${claims}.${signature}`,
      `${b64({ alg: 'RS256', typ, kid })}.${claims}.${signature}`,
      `${head}.${b64({ ...decodeJwt(real), sub: 'other' })}.${signature}`,
      `${head}.${claims}.${randomBytes(64).toString('base64url')}`,
      `${head}.${claims}.${signature.slice(0, -2)}`,
      `${head}.${claims}`,
      `${head}.${claims}.${signature}.${signature}`,
      `${head}=.${claims}.${signature}`,
      `.${claims}.${signature}`,
    ]
    for (const token of forged) expect([token, (await me(token)).status]).toEqual([token, 401])
    expect((await me(real)).status).toBe(200)
    // One of a megabyte is not even a head.
    expect([431, 400]).toContain((await me('a'.repeat(1_000_000)).catch(() => ({ status: 431 }))).status)
  })
})

describe('the keys that sign', () => {
  const fileIn = (dir: string): string => join(dir, 'signing-keys')

  it('[A17] are published: another program verifies a token with nothing but these', async () => {
    const shown = (await stack.call('GET', '/.well-known/jwks.json', {})).body as unknown as JSONWebKeySet
    const keySet = createLocalJWKSet(shown)
    const { iss = '' } = decodeJwt(await signed())
    const rules = { algorithms: ['EdDSA'], issuer: iss, audience: `${iss}:api`, currentDate: new Date(clock.wallMs()) }
    const { payload } = await jwtVerify(await signed(), keySet, rules)
    expect(payload.sub).toBe(key.key)
    const [head, body] = (await signed()).split('.')
    const foreign = sign(null, Buffer.from(`${head}.${body}`), generateKeyPairSync('ed25519').privateKey).toString(
      'base64url',
    )
    await expect(jwtVerify(`${head}.${body}.${foreign}`, keySet, rules)).rejects.toThrow(
      'signature verification failed',
    )
    // The secret half is not among what is shown.
    expect(shown.keys.map((one) => Object.keys(one).toSorted())).toEqual([['alg', 'crv', 'kid', 'kty', 'use', 'x']])
  })

  it('[A17] are published while they are believed, the next one before it signs', async () => {
    const kids = async (): Promise<unknown[]> => {
      const { body } = await stack.call('GET', '/.well-known/jwks.json', {})
      return (body as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
    }
    const [first] = await kids()
    clock.advance(30 * dayMs)
    const [before, next] = await kids()
    expect([before, next === first, next]).toEqual([first, false, expect.any(String)])
    clock.advance(60 * minuteMs + 1)
    expect(await kids()).toEqual([next])
  })

  it('[T08] are made at the first start, for their owner alone, and stay', async () => {
    expect(statSync(fileIn(stack.dir)).mode & 0o777).toBe(0o600)
    const token = await signed()
    const { dir } = stack
    await using home = await openTempDir()
    await using other = await openHttpStack({ dir: home.path, clock })
    expect(readFileSync(fileIn(dir), 'utf8')).not.toBe(readFileSync(fileIn(home.path), 'utf8'))
    expect((await other.call('GET', '/api/me', { token })).status).toBe(401)
  })

  it('[T08] are believed after a restart; without their file what they signed is worth nothing', async () => {
    await using home = await openTempDir()
    const first = await openHttpStack({ dir: home.path, clock })
    const session = await first.claim()
    const made = await first.call('POST', '/api/keys', { cookie: session, body: { kind: 'svc', name: 'x' } })
    const token = (await first.call('POST', '/api/auth/token', { token: made.body.token as string })).body
      .token as string
    await first[Symbol.asyncDispose]()
    const second = await openHttpStack({ dir: home.path, clock })
    expect((await second.call('GET', '/api/me', { token })).status).toBe(200)
    await second[Symbol.asyncDispose]()
    writeFileSync(fileIn(home.path), '')
    await expect(openHttpStack({ dir: home.path, clock })).rejects.toThrow('cannot be used')
  })

  it.each([
    ['too short', randomBytes(16).toString('base64url')],
    ['too long', randomBytes(64).toString('base64url')],
    ['in a standard', 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'],
    ['nothing but zeros', Buffer.alloc(32).toString('base64url')],
    ['no chance', Buffer.from('secretsecretsecretsecretsecretse').toString('base64url')],
  ])('[T08] stop the start where one is %s', async (_what, seed) => {
    await using home = await openTempDir()
    const issuer = 'urn:hotline:0198a1c4-0000-7000-8000-000000000000'
    const file = { issuer, keys: [{ seed, createdAt: '2026-01-01T00:00:00.000Z' }] }
    writeFileSync(fileIn(home.path), JSON.stringify(file), { mode: 0o600 })
    await expect(SigningKeys.open(home.path, clock)).rejects.toThrow(/signing keys in .* cannot be used/)
  })

  it('[T08] change every month: the last one is believed an hour longer, and one before that not at all', async () => {
    await using home = await openTempDir()
    const keys = await SigningKeys.open(home.path, clock)
    const first = await keys.current()
    clock.advance(30 * dayMs - 1)
    expect((await keys.current()).kid).toBe(first.kid)
    clock.advance(1)
    const [second, same] = await Promise.all([keys.current(), keys.current()])
    expect(second.kid).not.toBe(first.kid)
    expect(same.kid).toBe(second.kid)
    expect(keys.find(first.kid)).toBeDefined()
    // As a restart reads them.
    expect((await SigningKeys.open(home.path, clock)).find(first.kid)).toBeDefined()
    clock.advance(60 * minuteMs + 1)
    expect(keys.find(first.kid)).toBeUndefined()
    expect(keys.find(second.kid)).toBeDefined()
    clock.advance(30 * dayMs)
    const third = await keys.current()
    const later = await SigningKeys.open(home.path, clock)
    expect([first, second, third].map(({ kid }) => later.find(kid) !== undefined)).toEqual([false, true, true])
  })
})
