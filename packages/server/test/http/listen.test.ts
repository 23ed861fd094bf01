import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { sendRawRequest } from '@hotline/testing/raw-http'
import { openTempDir } from '@hotline/testing/temp-dir'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/read-config.ts'
import { addressReader } from '../../src/http/addresses.ts'
import { neighbourhoodOf, networkOf } from '../../src/machine/network-of.ts'
import { hostTable } from '../../src/http/hosts.ts'
import { startServer } from '../../src/start-server.ts'
import { openHttpStack, rawBytes } from './http-stack.ts'

async function taken(host: string, port = 0): Promise<{ port: number } & AsyncDisposable> {
  const server: Server = createServer().listen({ host, port })
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}

describe('listening', () => {
  it('[Q9] takes the next port that is free on all addresses, and says so', async () => {
    await using first = await taken('127.0.0.1')
    await using stack = await openHttpStack({
      env: { HOTLINE_PORT: String(first.port), HOTLINE_LISTEN: '127.0.0.1,::1' },
    })
    expect(stack.port).toBeGreaterThan(first.port)
    expect(stack.listening.notes.join(' ')).toContain(`Port ${first.port} is taken`)
    for (const host of ['127.0.0.1', '::1']) {
      expect((await sendRawRequest({ host, port: stack.port }, rawBytes({}, stack.port))).status).toBe(200)
    }
  })

  it('[Q9] a port that is taken on one of the addresses is taken', async () => {
    await using other = await taken('::1')
    await using stack = await openHttpStack({
      env: { HOTLINE_PORT: String(other.port), HOTLINE_LISTEN: '127.0.0.1,::1' },
    })
    expect(stack.port).not.toBe(other.port)
  })

  it('[Q9] under a public name the port that was asked for is the only one', async () => {
    await using first = await taken('127.0.0.1')
    await using dir = await openTempDir()
    const config = readConfig({
      HOTLINE_DATA_DIR: dir.path,
      HOTLINE_LISTEN: '127.0.0.1',
      HOTLINE_PORT: String(first.port),
      HOTLINE_PUBLIC_URL: `http://localhost:${first.port}`,
    })
    const starting = startServer(config, dir.path)
    await expect(starting).rejects.toThrow(`The port ${first.port} is taken. Set HOTLINE_PORT to one that is free.`)
  })

  it('[Q9] an address that this machine does not have is left out, and that is said', async () => {
    await using stack = await openHttpStack({ env: { HOTLINE_LISTEN: '127.0.0.1,127.0.0.2,::1' } })
    expect(stack.listening.addresses).toContain('127.0.0.2')
    const elsewhere = openHttpStack({
      env: {
        HOTLINE_LISTEN: '127.0.0.1,203.0.113.1',
        HOTLINE_BEHIND_PROXY: 'true',
        HOTLINE_TRUSTED_PROXIES: '127.0.0.1',
        HOTLINE_PUBLIC_URL: 'https://hotline.example.org',
      },
    })
    await using left = await elsewhere
    expect(left.listening.notes.join(' ')).toContain('cannot listen on 203.0.113.1')
  })
})

describe('names', () => {
  it('[T02] the names of a server are its public URL and the loopback names where it listens', () => {
    const names = (of: Partial<Parameters<typeof hostTable>[0]>): string[] =>
      [...hostTable({ listen: ['127.0.0.1', '::1'], port: 4680, publicUrl: undefined, tls: 'off', ...of })].map(
        ([host, { origin }]) => `${host} ${origin}`,
      )
    expect(names({})).toEqual([
      'localhost:4680 http://localhost:4680',
      '127.0.0.1:4680 http://127.0.0.1:4680',
      '[::1]:4680 http://[::1]:4680',
    ])
    expect(names({ listen: ['127.0.0.1'], port: 80 })).toEqual([
      'localhost http://localhost',
      '127.0.0.1 http://127.0.0.1',
    ])
    expect(names({ listen: ['192.168.0.5'], publicUrl: 'https://h.example', tls: 'on' })).toEqual([
      'h.example https://h.example',
    ])
  })

  it('[T02] under the public name only what came over https is answered, and only from a proxy that is named', async () => {
    await using stack = await openHttpStack({
      env: {
        HOTLINE_BEHIND_PROXY: 'true',
        HOTLINE_TRUSTED_PROXIES: '127.0.0.1',
        HOTLINE_PUBLIC_URL: 'https://hotline.example.org',
      },
    })
    const forwarded = [
      ['X-Forwarded-For', '203.0.113.9'],
      ['X-Forwarded-Proto', 'https'],
    ] as const
    const name = ['Host', 'hotline.example.org'] as const
    const status = async (headers: readonly (readonly [string, string])[]): Promise<number> =>
      (await stack.send({ headers })).status
    expect(await status([name, ...forwarded])).toBe(200)
    expect(await status([name])).toBe(421)
    expect(await status([name, ['X-Forwarded-For', '203.0.113.9'], ['X-Forwarded-Proto', 'http']])).toBe(421)
    expect(await status([['Host', `localhost:${stack.port}`]])).toBe(200)
    // A proxy that does not pass the name on would make strangers look local.
    expect(await status([['Host', `localhost:${stack.port}`], ...forwarded])).toBe(421)
  })
})

describe('addresses', () => {
  it('[T10] a network is an address, or the /64 of one in IPv6', () => {
    expect(networkOf('203.0.113.9')).toBe('203.0.113.9')
    expect(networkOf('2001:db8:1:2:aaaa::1')).toBe('2001:db8:1:2::/64')
    expect(networkOf('2001:DB8:1:2::')).toBe('2001:db8:1:2::/64')
    expect(networkOf('2001:db8::1')).toBe('2001:db8:0:0::/64')
    expect(networkOf('::1')).toBe('0:0:0:0::/64')
    expect(networkOf('2001:0db8:0001:0002:0003:0004:0005:0006')).toBe('2001:db8:1:2::/64')
    expect(neighbourhoodOf('203.0.113.9')).toBe('203.0.113.9')
    expect(neighbourhoodOf('2001:db8:1:2::/64')).toBe('2001:db8:1::/48')
  })

  it('[T10] only trusted proxies say where somebody comes from, and only the part that they have seen', () => {
    const reader = addressReader(['10.0.0.0/8', 'fd00::1'])
    const read = (remoteAddress: string, forwarded?: string): string =>
      reader.read({
        socket: { remoteAddress },
        headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
      } as never).address
    expect(read('203.0.113.9', '6.6.6.6')).toBe('203.0.113.9')
    expect(read('10.1.1.1', '6.6.6.6')).toBe('6.6.6.6')
    expect(read('::ffff:10.1.1.1', '1.1.1.1, 6.6.6.6, 10.2.2.2')).toBe('6.6.6.6')
    expect(read('fd00::1', '6.6.6.6, ::ffff:10.9.9.9')).toBe('6.6.6.6')
    expect(read('10.1.1.1', '10.2.2.2')).toBe('10.1.1.1')
    expect(read('10.1.1.1', '')).toBe('10.1.1.1')
  })
})
