import { describe, expect, it } from 'vitest'
import { mintToken } from '../../src/access/token.ts'
import { type Logger, openLogger } from '../../src/machine/logger.ts'
import { openHttpStack, owner } from './http-stack.ts'

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

  it('[T07] no secret that was handed out in a whole run is in the log or in the audit', async () => {
    await using stack = await openHttpStack()
    const code = stack.access.bootstrap.link('')?.split('=')[1] ?? ''
    const cookie = await stack.claim()
    const secrets = [code, owner.password, cookie.split('=')[1] ?? '']
    for (const kind of ['pat', 'svc', 'run']) {
      const made = await stack.call('POST', '/api/keys', { cookie, body: { kind, name: kind } })
      secrets.push(made.body.token)
      await stack.call('GET', `/api/me?token=${made.body.token}`, { token: made.body.token })
      await stack.call('GET', `/${made.body.token}`, {})
      await stack.call('GET', `/api/keys/${made.body.token}`, { cookie })
      await stack.call('POST', '/api/auth/sign-in', { body: { name: made.body.token, password: made.body.token } })
    }
    secrets.push((await stack.call('POST', '/api/auth/ticket', { cookie })).body.ticket)
    await stack.call('POST', '/api/auth/sign-in', { body: { ...owner, name: 'x' } })
    const events = await stack.store.read('server:main', { after: 0, limit: 1_000, maxBytes: 1e7 })
    const written = [...stack.logged, ...events.map(({ bytes }) => Buffer.from(bytes).toString('utf8'))].join('\n')
    expect(stack.logged.length).toBeGreaterThan(10)
    for (const secret of secrets) expect(written).not.toContain(secret)
    const scraped = await stack.call('GET', '/metrics', { cookie })
    for (const secret of secrets) expect(scraped.body).not.toContain(secret)
  })
})
