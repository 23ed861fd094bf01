import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mintToken } from '../../src/access/token.ts'
import { type Logger, openLogger } from '../../src/machine/logger.ts'
import { answerOf, type CallOptions, openHttpStack, owner } from './http-stack.ts'

function collect(debugAreas: readonly string[] = []): { logger: Logger; lines: string[] } {
  const lines: string[] = []
  return { lines, logger: openLogger({ debugAreas, destination: { write: (line) => void lines.push(line) } }) }
}

describe('the log', () => {
  const hostile = [
    'a\nb',
    'a\r\n{"level":"error","msg":"forged"}',
    '\u001b[2J\u001b[31mred',
    '\u009b31m',
    '\u0085\u2028\u2029',
    '\u202egnp.exe',
    '\u0000\u0007\u0008',
    '\ud800',
    '"}{"',
    'x'.repeat(1024 * 1024),
  ]

  it('[T43] whatever a field holds, it is one bounded line of printable JSON', () => {
    for (const text of hostile) {
      const { logger, lines } = collect()
      logger.info(text, { text, nested: { [text]: [text, { text }] }, error: new Error(text) })
      logger.area(text).warn('event', { text })
      expect(lines).toHaveLength(2)
      for (const line of lines) {
        expect(line.endsWith('\n')).toBe(true)
        expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/)
        expect(line.length).toBeLessThan(20_000)
        expect(() => JSON.parse(line) as unknown).not.toThrow()
      }
    }
  })

  it('[T43] a field that is large in another way is bounded too', () => {
    const { logger, lines } = collect()
    const round: Record<string, unknown> = { list: Array.from({ length: 100_000 }, () => 'x') }
    round['self'] = round
    logger.info('event', { ...Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`f${at}`, at])), round })
    logger.info('event', { round, big: 10n, symbol: Symbol('x'), fn: () => 1, nothing: undefined })
    for (const line of lines) expect(line.length).toBeLessThan(5_000)
  })

  it('[T07] secrets are left out by their names and by their form', () => {
    const { logger, lines } = collect()
    const { text } = mintToken('pat', 'some-key')
    logger.info(`went to /x?token=${text}`, {
      password: owner.password,
      Authorization: `Bearer ${text}`,
      nested: { cookie: text, token: text, body: 'private words', query: 'a=1' },
      message: `the token ${text} was refused`,
      error: new Error(`bad ${text}`),
    })
    const line = lines.join('')
    expect(line).not.toContain(text.slice(10))
    for (const word of [owner.password, 'private words', 'a=1']) expect(line).not.toContain(word)
    expect(line).toContain('hl_pat_…')
  })

  it('[Q4] details are written for the named areas alone', () => {
    const { logger, lines } = collect(['access'])
    logger.area('access').debug('seen')
    logger.area('http').debug('unseen')
    logger.area('http').info('plain')
    expect(lines.map((line) => (JSON.parse(line) as { msg: string; area: string }).msg)).toEqual(['seen', 'plain'])
  })

  it('[T07] no secret that was handed out, wherever it is put, is in the log, the audit, an answer or the metrics', async () => {
    const plenty = '1000000'
    await using stack = await openHttpStack({
      env: {
        HOTLINE_LIMIT_REQUESTS_PER_NETWORK: plenty,
        HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: plenty,
        HOTLINE_LIMIT_SIGN_INS_PER_ACCOUNT: plenty,
        HOTLINE_LIMIT_SIGN_INS_PER_NETWORK: plenty,
      },
    })
    const secrets = new Map<string, string>()
    const keep = (what: string, secret: string | undefined): string => {
      if (secret === undefined || secret.length < 12) throw new Error(`no ${what}`)
      secrets.set(what, secret)
      return secret
    }
    keep('code', stack.access.bootstrap.link('')?.split('=')[1])
    keep('password', owner.password)
    const cookie = await stack.claim()
    keep('session', cookie.split('=')[1])
    keep('second session', (await stack.call('POST', '/api/auth/sign-in', { body: owner })).cookie?.split('=')[1])
    for (const kind of ['pat', 'svc', 'run']) {
      keep(kind, (await stack.call('POST', '/api/keys', { cookie, body: { kind, name: kind } })).body.token)
    }
    keep('ticket', (await stack.call('POST', '/api/auth/ticket', { cookie })).body.ticket)
    keep('key of the runner', readFileSync(join(stack.dir, 'runner-key'), 'utf8').trim())
    const member = { name: 'erin', password: keep('password of another', 'a kettle under the blue bridge') }
    expect((await stack.call('POST', '/api/accounts', { cookie, body: member })).status).toBe(201)
    keep('session of another', (await stack.call('POST', '/api/auth/sign-in', { body: member })).cookie?.split('=')[1])

    const answers: string[] = []
    const send = async (method: string, target: string, who: CallOptions = {}, raw?: string): Promise<void> => {
      const headers = [...(who.headers ?? []), ['Content-Type', 'application/json'] as const]
      const answer =
        raw === undefined
          ? await stack.call(method, target, who)
          : answerOf(await stack.send({ method, target, headers, body: raw }))
      answers.push(JSON.stringify([answer.status, answer.headers, answer.body]))
    }
    for (const secret of secrets.values()) {
      const text = encodeURIComponent(secret)
      const paths = [`/api/me?token=${text}`, `/${text}`, `/api/keys/${text}`, `/api/sessions/${text}?after=${text}`]
      for (const path of [...paths, `/api/sessions?before=${text}`, `/api/sessions?limit=${text}`, `/x/${text}.js`]) {
        await send('GET', path)
        await send('GET', path, { cookie })
      }
      await send('DELETE', `/api/keys/${text}`, { cookie })
      const bodies = [
        `{"name":"x","password":"${secret}"`,
        `{"name":"${secret}","password":"${secret}"}`,
        `{"name":5,"password":["${secret}"]}`,
        `{"id":"${secret}","stream":"${secret}","type":"${secret}","data":{}}`,
        `{"current":"${secret}","next":"x"}`,
        `"${secret}"`,
        secret,
      ]
      for (const body of bodies) {
        for (const target of ['sign-in', 'bootstrap', 'password', 'confirm']) {
          await send(
            'POST',
            `/api/auth/${target}`,
            {
              headers: [
                ['Cookie', cookie],
                ['Origin', stack.origin],
              ],
            },
            body,
          )
        }
        await send(
          'POST',
          '/api/commands',
          {
            headers: [
              ['Cookie', cookie],
              ['Origin', stack.origin],
            ],
          },
          body,
        )
      }
      await send('GET', '/api/me', { token: `${text}x` })
      await send('GET', '/api/me', { cookie: `hotline-local=${text}x` })
      await send('GET', '/api/me', {
        headers: [
          ['Authorization', `Basic ${text}`],
          ['X-Api-Key', text],
        ],
      })
      await send('GET', '/api/me', { cookie, origin: `http://${text}.example` })
      await send('GET', '/api/me', {
        cookie,
        headers: [
          ['X-Forwarded-For', text],
          ['User-Agent', text],
        ],
      })
    }
    for (const path of ['/metrics', '/api/me', '/api/keys', '/api/accounts', '/api/people'])
      await send('GET', path, { cookie })

    const events = await stack.store.read('server:main', { after: 0, limit: 1_000, maxBytes: 1e7 })
    const places = {
      'the log': stack.logged.join('\n'),
      'the audit': events.map(({ bytes }) => Buffer.from(bytes).toString('utf8')).join('\n'),
      'an answer': answers.join('\n'),
    }
    expect(stack.logged.length).toBeGreaterThan(500)
    expect(places['an answer']).toContain('hotline_http_requests_total')
    const found: string[] = []
    for (const [what, secret] of secrets) {
      for (const [where, text] of Object.entries(places)) {
        if (text.includes(secret) || text.includes(encodeURIComponent(secret))) found.push(`${what} in ${where}`)
      }
    }
    expect(found).toEqual([])
  })
})
