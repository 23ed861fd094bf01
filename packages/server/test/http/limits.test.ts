import { PassThrough } from 'node:stream'
import { headerOf, openRawConnection } from '@hotline/testing/raw-http'
import { describe, expect, it } from 'vitest'
import { Nothing } from '../../src/http/route.ts'
import { openHttpStack, rawBytes } from './http-stack.ts'

const behindProxy = {
  HOTLINE_PUBLIC_URL: 'https://hotline.example.org',
  HOTLINE_BEHIND_PROXY: 'true',
  HOTLINE_TRUSTED_PROXIES: '127.0.0.1',
}

describe('limits', () => {
  it('[Q13] requests of one network beyond the limit are told when to come back, and others are not touched', async () => {
    await using stack = await openHttpStack({ env: { ...behindProxy, HOTLINE_LIMIT_REQUESTS_PER_NETWORK: '20' } })
    const from = (address: string) =>
      stack.send({
        headers: [
          ['Host', 'hotline.example.org'],
          ['X-Forwarded-For', address],
          ['X-Forwarded-Proto', 'https'],
        ],
      })
    const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => from(`2001:db8::${at.toString(16)}`)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20)
    const refused = answers.find(({ status }) => status === 429)
    expect(refused && headerOf(refused, 'retry-after')).toMatch(/^([1-9]|10)$/)
    expect((await from('2001:db8:0:1::1')).status).toBe(200)
  })

  it('[Q13] requests of one principal are counted whatever its address and key', async () => {
    await using stack = await openHttpStack({ env: { HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: '20' } })
    const cookie = await stack.claim()
    const { token } = (await stack.call('POST', '/api/keys', { cookie, body: { kind: 'pat', name: 'x' } })).body
    const statuses = []
    for (let at = 0; at < 30; at += 1) {
      statuses.push((await stack.call('GET', '/api/me', at % 2 === 0 ? { cookie } : { token })).status)
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(19)
    expect(statuses.at(-1)).toBe(429)
    // Nobody in particular is not that principal.
    expect((await stack.call('GET', '/healthz')).status).toBe(200)
  })
})

describe('streams', () => {
  async function streaming() {
    const ended: string[] = []
    const stack = await openHttpStack({
      register: (route) => {
        route({
          method: 'GET',
          url: '/api/stream',
          summary: 'For a test',
          answer: Nothing,
          permission: 'open',
          handle: ({ signal }) => {
            const stream = new PassThrough()
            stream.write('data: one\n\n')
            signal.addEventListener('abort', () => {
              ended.push('aborted')
              stream.end()
            })
            return { stream, contentType: 'text/event-stream' }
          },
        })
      },
    })
    const connection = await openRawConnection({ port: stack.port })
    await connection.send(rawBytes({ target: '/api/stream' }, stack.port))
    await connection.reader.readThrough('data: one\n\n', 'the first line of the stream')
    return { stack, connection, ended }
  }

  it('[Q14] a handler is told when its client goes away', async () => {
    const { stack, connection, ended } = await streaming()
    await using _ = stack
    connection.reset()
    await expect.poll(() => ended).toEqual(['aborted'])
  })

  it('[Q14] a handler is told when the server goes down, and the server waits for nobody', async () => {
    const { stack, connection, ended } = await streaming()
    await using _ = connection
    const closed = stack[Symbol.asyncDispose]()
    await expect.poll(() => ended).toEqual(['aborted'])
    await closed
  })
})
