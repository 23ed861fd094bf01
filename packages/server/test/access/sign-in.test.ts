import { waitFor } from '@hotline/testing/wait-for'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import { afterEach, describe, expect, it } from 'vitest'
import { AccessLog, serverActor } from '../../src/access/access-log.ts'
import { markBrowser, readMark } from '../../src/access/known-browser.ts'
import { defaultPasswordCost, type PasswordCost } from '../../src/access/passwords.ts'
import { systemClock } from '../../src/machine/clock.ts'
import { type Answer, type HttpStack, openHttpStack, owner, type StackOptions } from '../http/http-stack.ts'

const hourMs = 60 * 60 * 1_000
const dayMs = 24 * hourMs
let stack: HttpStack

afterEach(() => stack[Symbol.asyncDispose]())

async function open(options: StackOptions = {}): Promise<string> {
  stack = await openHttpStack(options)
  return stack.claim()
}

const signIn = (password: string, name = owner.name, headers: readonly (readonly [string, string])[] = []) =>
  stack.call('POST', '/api/auth/sign-in', { body: { name, password }, headers })

async function checks(): Promise<number> {
  return (await stack.metrics.passwordChecks.get()).values[0]?.value ?? 0
}

async function eventTypes(): Promise<string[]> {
  const events = await stack.store.read('server:main', { after: 0, limit: 1_000, maxBytes: 1e7 })
  return events.map(({ type }) => type)
}

describe('signing in', () => {
  it('[A3] a name is the same in any case, a password is taken as it is', async () => {
    await open()
    expect((await signIn(owner.password, 'DaNa')).status).toBe(200)
    expect((await signIn(owner.password.toUpperCase())).status).toBe(401)
    expect((await signIn(` ${owner.password}`)).status).toBe(401)
  })

  it('[T13] a session gets a new id at each sign-in, and the old one is dead', async () => {
    const before = await open()
    const again = await stack.call('POST', '/api/auth/sign-in', { cookie: before, body: owner })
    expect(again.cookie).not.toBe(before)
    expect((await stack.call('GET', '/api/me', { cookie: before })).status).toBe(401)
    expect((await stack.call('GET', '/api/me', { cookie: again.cookie ?? '' })).status).toBe(200)
  })

  it('[T13] a session that somebody else chose is never taken over', async () => {
    await open()
    const planted =
      'hotline-local=hl_ses_0198a1c4-0000-7000-8000-000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_000000'
    const answer = await stack.call('POST', '/api/auth/sign-in', { cookie: planted, body: owner })
    expect(answer.status).toBe(200)
    expect(answer.cookie).not.toBe(planted)
    expect((await stack.call('GET', '/api/me', { cookie: planted })).status).toBe(401)
  })

  it('[A4] the cookie is for this host alone and not for scripts; over https it says so in its name', async () => {
    await open({
      env: {
        HOTLINE_PUBLIC_URL: 'https://hotline.example.org',
        HOTLINE_BEHIND_PROXY: 'true',
        HOTLINE_TRUSTED_PROXIES: '127.0.0.1',
      },
    })
    const local = await signIn(owner.password)
    const set = (headers: readonly (readonly [string, string])[]): string | undefined =>
      headers.find(([name]) => name.toLowerCase() === 'set-cookie')?.[1]
    expect(set(local.headers)).toMatch(/^hotline-local=hl_ses_\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800$/)
    const proxied = [
      ['Host', 'hotline.example.org'],
      ['X-Forwarded-For', '203.0.113.9'],
      ['X-Forwarded-Proto', 'https'],
      ['Origin', 'https://hotline.example.org'],
    ] as const
    const outside = await signIn(owner.password, owner.name, proxied)
    expect(set(outside.headers)).toMatch(
      /^__Host-hotline=hl_ses_\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800; Secure$/,
    )
    // The cookie of plain loopback is not taken over the proxy, nor the other way round.
    const over = await stack.call('GET', '/api/me', { cookie: local.cookie ?? '', origin: 'none', headers: proxied })
    expect(over.status).toBe(401)
    const back = await stack.call('GET', '/api/me', { cookie: outside.cookie ?? '', origin: 'none' })
    expect(back.status).toBe(401)
    const right = await stack.call('GET', '/api/me', { cookie: outside.cookie ?? '', origin: 'none', headers: proxied })
    expect(right.status).toBe(200)
  })

  it('[A5] a session ends after twelve hours without use and after seven days with', async () => {
    const clock: HandClock = handClock()
    await open({ clock })
    const idle = (await signIn(owner.password)).cookie ?? ''
    const used = (await signIn(owner.password)).cookie ?? ''
    for (let hours = 0; hours < 7 * 24 - 12; hours += 6) {
      clock.advance(6 * hourMs)
      expect((await stack.call('GET', '/api/me', { cookie: used })).status).toBe(200)
      // The use is written beside the answer.
      await expect
        .poll(async () => {
          const [newest] = (await stack.lists.keysOf((await stack.lists.accounts())[0]?.account ?? '')).filter(
            ({ kind, last_used_at }) => kind === 'ses' && last_used_at !== null,
          )
          return Date.parse(newest?.idle_expires_at ?? '') - clock.wallMs()
        })
        .toBeGreaterThan(11 * hourMs)
    }
    expect((await stack.call('GET', '/api/me', { cookie: idle })).status).toBe(401)
    clock.advance(11 * hourMs)
    expect((await stack.call('GET', '/api/me', { cookie: used })).status).toBe(200)
    clock.advance(2 * hourMs)
    expect((await stack.call('GET', '/api/me', { cookie: used })).status).toBe(401)
    expect(dayMs).toBe(24 * hourMs)
  })

  it('[T12] signing out ends the session at once', async () => {
    const cookie = await open()
    const out = await stack.call('POST', '/api/auth/sign-out', { cookie })
    expect(out.status).toBe(204)
    expect(out.headers.find(([name]) => name === 'set-cookie')?.[1]).toContain('Max-Age=0')
    expect((await stack.call('GET', '/api/me', { cookie })).status).toBe(401)
  })

  it('[T12] a disabled account is out at the next request, with all of its keys, and cannot come back', async () => {
    const cookie = await open()
    const { token } = (await stack.call('POST', '/api/keys', { cookie, body: { kind: 'svc', name: 'ci' } })).body
    expect((await stack.call('GET', '/api/me', { token })).status).toBe(200)
    const [account] = await stack.lists.accounts()
    if (!account) throw new Error('there is no account')
    const told: unknown[] = []
    stack.access.feed.onAccessChanged((changed) => told.push(changed.account))
    await new AccessLog({ ...stack, clock: systemClock }).write({
      actor: serverActor,
      events: [{ type: 'account.disabled', data: { account: account.account } }],
      rows: [{ table: 'accounts', set: { disabled: 1 }, where: { account: account.account } }],
    })
    // Sockets are told in the same turn; see live-sockets.test.ts for what they do then.
    expect(told).toEqual([account.account])
    expect((await stack.call('GET', '/api/me', { cookie })).status).toBe(401)
    expect((await stack.call('GET', '/api/me', { token })).status).toBe(401)
    expect((await signIn(owner.password)).status).toBe(401)
  })

  it('[T12] a change that the bus lost is noticed within a second', async () => {
    const clock = handClock()
    const cookie = await open({ clock })
    expect((await stack.call('GET', '/api/me', { cookie })).status).toBe(200)
    // As another node of a cluster would do it whose message does not arrive.
    await stack.store.append([
      { stream: 'server:main', expect: 'any', events: [], rows: [{ table: 'keys', drop: { kind: 'ses' } }] },
    ])
    clock.advance(1_000)
    expect((await stack.call('GET', '/api/me', { cookie })).status).toBe(401)
  })

  it('[T12] a new password ends every session of the account but the new one', async () => {
    const first = await open()
    const second = (await signIn(owner.password)).cookie ?? ''
    const next = 'seven grey herons over the weir'
    const wrong = await stack.call('POST', '/api/auth/password', {
      cookie: first,
      body: { current: 'not this one', next },
    })
    expect([wrong.status, wrong.body.code]).toEqual([401, 'wrong_credentials'])
    const weak = { current: owner.password, next: 'password12345' }
    expect((await stack.call('POST', '/api/auth/password', { cookie: first, body: weak })).body.code).toBe(
      'weak_password',
    )
    const changed = await stack.call('POST', '/api/auth/password', {
      cookie: first,
      body: { current: owner.password, next },
    })
    expect(changed.status).toBe(200)
    for (const cookie of [first, second]) expect((await stack.call('GET', '/api/me', { cookie })).status).toBe(401)
    expect((await stack.call('GET', '/api/me', { cookie: changed.cookie ?? '' })).status).toBe(200)
    expect((await signIn(owner.password)).status).toBe(401)
    expect((await signIn(next)).status).toBe(200)
  })
})

describe('guessing', () => {
  it('[T10] a thousand guesses from changing addresses of one /64, and with forged headers, cost few hashes', async () => {
    await open({
      env: {
        HOTLINE_PUBLIC_URL: 'https://hotline.example.org',
        HOTLINE_BEHIND_PROXY: 'true',
        HOTLINE_TRUSTED_PROXIES: '127.0.0.1',
      },
    })
    const before = await checks()
    const statuses = new Map<number, number>()
    for (let batch = 0; batch < 20; batch += 1) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, at) => {
          const tail = (batch * 50 + at).toString(16)
          // What stands left of the last proxy anybody could have written.
          const forwarded = `10.${batch}.${at}.1, 2001:db8:1:2:${tail}::${tail}`
          return signIn('wrong password here', `user${at}`, [
            ['Host', 'hotline.example.org'],
            ['X-Forwarded-For', forwarded],
            ['X-Forwarded-Proto', 'https'],
          ])
        }),
      )
      for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    expect((await checks()) - before).toBeLessThanOrEqual(30)
    expect(statuses.get(429)).toBeGreaterThanOrEqual(970)
    expect([...statuses.keys()].toSorted((a, b) => a - b)).toEqual([401, 429])
  })

  it('[T10] guesses at one name from many networks end in a lock, with a line in the audit', async () => {
    await open({
      env: {
        HOTLINE_PUBLIC_URL: 'https://hotline.example.org',
        HOTLINE_BEHIND_PROXY: 'true',
        HOTLINE_TRUSTED_PROXIES: '127.0.0.1',
        HOTLINE_LIMIT_SIGN_INS_PER_NETWORK: '100',
        HOTLINE_LIMIT_SIGN_INS_PER_ACCOUNT: '3',
      },
    })
    const before = await checks()
    let network = 0
    const guess = () =>
      signIn('wrong password here', owner.name, [
        ['Host', 'hotline.example.org'],
        ['X-Forwarded-For', `2001:db8:${(network += 1)}::1`],
        ['X-Forwarded-Proto', 'https'],
      ])
    const answers = await Promise.all(Array.from({ length: 40 }, guess))
    // Each network has three, and all strangers together four times as many.
    expect((await checks()) - before).toBeLessThanOrEqual(12)
    const limited = answers.find(({ status }) => status === 429)
    expect(limited?.body.retryAfterMs).toBeGreaterThan(0)
    expect(limited?.headers.find(([name]) => name === 'retry-after')?.[1]).toMatch(/^\d+$/)
    const locks = async (): Promise<number> => (await eventTypes()).filter((type) => type === 'account.locked').length
    await waitFor(async () => (await guess()).status === 429 && (await locks()) > 0, {
      what: 'the lock',
      everyMs: 300,
    })
    expect(await locks()).toBe(1)
    expect((await checks()) - before).toBe(12)
    // The right password does not help a stranger while the lock lasts, from wherever.
    const right = await signIn(owner.password)
    expect(right.status).toBe(429)
    expect(right.body.retryAfterMs).toBeGreaterThan(60_000)
  })

  describe('from somewhere else', () => {
    const signInFrom = async (address: string, password: string, cookie?: string): Promise<Answer> =>
      stack.call('POST', '/api/auth/sign-in', {
        body: { name: owner.name, password },
        ...(cookie === undefined ? {} : { cookie, origin: 'https://hotline.example.org' }),
        headers: [
          ['Host', 'hotline.example.org'],
          ['X-Forwarded-For', address],
          ['X-Forwarded-Proto', 'https'],
        ],
      })
    /** Guessing goes on; whenever a try is free it is spent. */
    const lock = (address: string, cookie?: string): Promise<unknown> =>
      waitFor(
        async () => {
          const { status, body } = await signInFrom(address, 'wrong password here', cookie)
          return status === 429 && (body.retryAfterMs as number) > 60_000
        },
        { what: `the lock for ${address}`, everyMs: 300 },
      )
    /** As many networks as it takes. */
    const lockForStrangers = async (): Promise<void> => {
      await Promise.all([1, 2, 3, 4].map((at) => lock(`2001:db8:${at}::1`)))
    }
    const markIn = ({ headers }: Answer): string => {
      const set = headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value)
      return /^__Host-hotline-browser=[^;]+/.exec(set.find((one) => one.includes('-browser=')) ?? '')?.[0] ?? ''
    }
    const [home, work, evil] = ['198.51.100.7', '203.0.113.80', '192.0.2.66']
    const openBehindProxy = (): Promise<string> =>
      open({
        env: {
          HOTLINE_PUBLIC_URL: 'https://hotline.example.org',
          HOTLINE_BEHIND_PROXY: 'true',
          HOTLINE_TRUSTED_PROXIES: '127.0.0.1',
          HOTLINE_LIMIT_SIGN_INS_PER_ACCOUNT: '3',
          HOTLINE_LIMIT_SIGN_INS_PER_NETWORK: '1000',
        },
      })

    it('[T10] who guesses from one network locks it for that one, and for nobody else', async () => {
      await openBehindProxy()
      await lock(evil)
      // A network that nobody knows, and a person who was never there.
      expect((await signInFrom(work, owner.password)).status).toBe(200)
      expect((await signInFrom(evil, owner.password)).status).toBe(429)
    })

    it('[T10] the networks of one customer are one, in IPv6', async () => {
      await openBehindProxy()
      const before = await checks()
      for (let at = 0; at < 20; at += 1) await signInFrom(`2001:db8:7:${at}::1`, 'wrong password here')
      expect((await checks()) - before).toBeLessThanOrEqual(3)
      expect((await signInFrom(work, owner.password)).status).toBe(200)
    })

    it('[T10] who guesses from everywhere never keeps the person out of where they are known', async () => {
      await openBehindProxy()
      expect((await signInFrom(home, owner.password)).status).toBe(200)
      await lockForStrangers()
      for (let times = 0; times < 5; times += 1) expect((await signInFrom(home, owner.password)).status).toBe(200)
      // From where nobody knows the person, nobody can tell them from whoever guesses.
      expect((await signInFrom(work, owner.password)).status).toBe(429)
      // Who guesses from there locks that place alone.
      await lock(home)
      expect((await signInFrom(home, owner.password)).status).toBe(429)
    })

    it('[T10] a browser that its person has used is let in from any network, with a count of its own', async () => {
      await openBehindProxy()
      const first = await signInFrom(home, owner.password)
      const mark = markIn(first)
      expect(mark).not.toBe('')
      await lockForStrangers()
      expect((await signInFrom(work, owner.password)).status).toBe(429)
      const again = await signInFrom(work, owner.password, mark)
      expect(again.status).toBe(200)
      // Known as the same, so that nobody collects counts.
      expect(markIn(again).split('.')[0]).toBe(mark.split('.')[0])
      // What it opens is bounded as well, and others cannot use it up.
      const before = await checks()
      await lock(evil, mark)
      expect((await checks()) - before).toBe(3)
      expect((await signInFrom(work, owner.password, mark)).status).toBe(429)
      const forged = mark.replace(/[A-Za-z0-9_-]{4}$/, 'AAAA')
      expect((await signInFrom('192.0.2.99', owner.password, forged)).status).toBe(429)
    })

    it('[T10] what a browser was known by is worth nothing with another name, after a new password, or after 90 days', async () => {
      const clock = handClock()
      stack = await openHttpStack({
        clock,
        env: {
          HOTLINE_PUBLIC_URL: 'https://hotline.example.org',
          HOTLINE_BEHIND_PROXY: 'true',
          HOTLINE_TRUSTED_PROXIES: '127.0.0.1',
        },
      })
      const cookie = await stack.claim()
      const [row] = await stack.lists.accounts()
      if (!row) throw new Error('no account')
      const now = clock.wallMs()
      const mark = markBrowser(row, now)
      const { id } = readMark(mark, row, now) ?? { id: '' }
      expect(id).not.toBe('')
      expect(mark).not.toContain(row.account)
      expect(readMark(mark, row, now + 89 * dayMs)).toEqual({ id })
      expect(readMark(mark, row, now + 91 * dayMs)).toBeUndefined()
      expect(readMark(mark, undefined, now)).toBeUndefined()
      expect(readMark(mark, { ...row, account: 'another' }, now)).toBeUndefined()
      for (const at of [0, 25, 40]) {
        const changed = `${mark.slice(0, at)}${mark[at] === 'x' ? 'y' : 'x'}${mark.slice(at + 1)}`
        expect(readMark(changed, row, now)).toBeUndefined()
      }
      const next = 'seven grey herons over the weir'
      const body = { current: owner.password, next }
      expect((await stack.call('POST', '/api/auth/password', { cookie, body })).status).toBe(200)
      expect(readMark(mark, await stack.lists.account(row.account), now)).toBeUndefined()
    })
  })

  it('[T10] after half of the tries each further one has to wait', async () => {
    await open()
    // The first pause is a second; where one request takes longer than that, a longer one is met a little later.
    let free = 0
    let waiting = await signIn('wrong password here')
    for (; waiting.status === 401; waiting = await signIn('wrong password here')) free += 1
    expect([waiting.status, waiting.body.code]).toEqual([429, 'rate_limited'])
    expect(free).toBeGreaterThanOrEqual(5)
    expect(free).toBeLessThan(10)
    expect(waiting.body.retryAfterMs).toBeLessThanOrEqual(1_000 * 2 ** (free - 5))
    await expect.poll(async () => (await signIn(owner.password)).status, { interval: 300 }).toBe(200)
    expect((await signIn('wrong password here')).status).toBe(401)
  })

  it.each<[what: string, cost: PasswordCost, pairs: number]>([
    ['a cheap hash, often', { memoryKiB: 2 * 1024, passes: 1 }, 200],
    ['the hash of a real server', defaultPasswordCost, 40],
  ])(
    '[T11] an unknown name answers the same and takes as long: %s',
    { timeout: 120_000 },
    async (_what, cost, pairs) => {
      const plenty = '1000000'
      await open({
        passwordCost: cost,
        env: { HOTLINE_LIMIT_SIGN_INS_PER_ACCOUNT: plenty, HOTLINE_LIMIT_SIGN_INS_PER_NETWORK: plenty },
      })
      const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] }
      const bodies = new Set<string>()
      const hashes = new Set<number>()
      const once = async (kind: 'known' | 'unknown'): Promise<void> => {
        const before = await checks()
        const startMs = performance.now()
        const answer = await signIn('wrong password here', kind === 'known' ? owner.name : 'nobody')
        times[kind].push(performance.now() - startMs)
        bodies.add(JSON.stringify([answer.status, answer.body, answer.headers.map(([name]) => name)]))
        hashes.add((await checks()) - before)
      }
      // What a first one costs once is nobody's.
      await once('known')
      times.known = []
      for (let pair = 0; pair < pairs; pair += 1) {
        // In changing order, so that a slow moment of the machine meets both alike.
        const order = pair % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)
        for (const kind of order) await once(kind)
      }
      expect(bodies.size).toBe(1)
      // The same work, whoever it is: that holds on every machine.
      expect([...hashes]).toEqual([1])
      // The quickest tenth of them: what the machine does beside only adds to the others.
      const quick = (values: number[]): number => values.toSorted((a, b) => a - b)[20] ?? 0
      const ratio = quick(times.known) / quick(times.unknown)
      expect(ratio).toBeGreaterThan(0.8)
      expect(ratio).toBeLessThan(1.25)
    },
  )
})
