import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { guardChildren } from '@hotline/testing/child-guard'
import { freePort } from '@hotline/testing/free-port'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { readConfig } from '../../src/config/read-config.ts'
import { type RunningServer, startServer } from '../../src/start-server.ts'
import { owner } from './http-stack.ts'

const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
const nginx = folders.map((folder) => join(folder, 'nginx')).find((path) => existsSync(path))
const name = 'hotline.example.org'

/** The configuration that the documentation shows, for other places. */
function documented(places: { listen: number; hotline: number; cert: string; key: string }): string {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/operations.md'), 'utf8')
  const shown = /```nginx\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  const changes: [string, string][] = [
    ['listen 443 ssl http2;', `listen 127.0.0.1:${places.listen} ssl http2;`],
    ['/etc/ssl/hotline.pem', places.cert],
    ['/etc/ssl/hotline.key', places.key],
    ['http://127.0.0.1:4680', `http://127.0.0.1:${places.hotline}`],
  ]
  return changes.reduce((config, [from, to]) => {
    expect(config).toContain(from)
    return config.replace(from, to)
  }, shown)
}

describe.runIf(nginx !== undefined)('behind nginx, as documented', () => {
  const guard = guardChildren()
  let dir: TempDir
  let server: RunningServer
  let ca: Buffer
  let port: number
  let origin: string

  beforeAll(async () => {
    dir = await openTempDir()
    port = await freePort()
    const hotline = await freePort()
    origin = `https://${name}:${port}`
    const [key, cert] = [join(dir.path, 'key.pem'), join(dir.path, 'cert.pem')]
    const kind = `-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`.split(' ')
    const names = ['-addext', `subjectAltName=DNS:${name}`]
    execFileSync('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    ca = readFileSync(cert)
    const config = readConfig({
      HOTLINE_DATA_DIR: join(dir.path, 'data'),
      HOTLINE_PORT: String(hotline),
      HOTLINE_LISTEN: '127.0.0.1',
      HOTLINE_PUBLIC_URL: origin,
      HOTLINE_BEHIND_PROXY: 'true',
      HOTLINE_TRUSTED_PROXIES: '127.0.0.1,::1',
    })
    server = await startServer(config, join(dir.path, 'no-page'))
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    for (const one of temporary) mkdirSync(join(dir.path, one))
    const file = join(dir.path, 'nginx.conf')
    writeFileSync(
      file,
      `${process.getuid?.() === 0 ? 'user root;' : ''}
       daemon off; pid ${dir.path}/nginx.pid; error_log stderr;
       events {}
       http {
         access_log off;
         ${temporary.map((one) => `${one}_temp_path ${dir.path}/${one};`).join('\n')}
         ${documented({ listen: port, hotline, cert, key })}
       }`,
    )
    await guard.startChild({ command: nginx ?? '', args: ['-p', dir.path, '-c', file, '-e', 'stderr'] })
    await waitFor(async () => (await call('GET', '/readyz')).response.statusCode === 200, { what: 'nginx' })
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await guard[Symbol.asyncDispose]()
    await dir.remove()
  })

  function call(
    method: string,
    path: string,
    more: { body?: object; headers?: Readonly<Record<string, string>>; localAddress?: string } = {},
  ): Promise<{ response: IncomingMessage; body: string }> {
    return new Promise((resolve, reject) => {
      const headers = {
        host: `${name}:${port}`,
        origin,
        ...(more.body ? { 'content-type': 'application/json' } : {}),
        ...more.headers,
      }
      const { localAddress = '127.0.0.1' } = more
      const where = { host: '127.0.0.1', localAddress, servername: name, port, method, path, ca, headers }
      const asked = request(where, (response) => {
        void text(response).then((body) => resolve({ response, body }), reject)
      })
      asked.on('error', reject)
      asked.end(more.body ? JSON.stringify(more.body) : undefined)
    })
  }

  it('[O8] people begin, sign in and open a socket; cookie and address are those of https and of the visitor', async () => {
    expect(server.url).toBe(origin)
    const code = server.bootstrap?.split('#bootstrap=')[1]
    const claimed = await call('POST', '/api/auth/bootstrap', { body: { code, ...owner } })
    expect(claimed.response.statusCode).toBe(200)
    const setCookie = claimed.response.headers['set-cookie']?.[0] ?? ''
    expect(setCookie).toMatch(/^__Host-hotline=.*; Secure$/)
    const cookie = setCookie.split(';')[0] ?? ''
    expect((await call('GET', '/api/me', { headers: { cookie } })).response.statusCode).toBe(200)

    const ticket = await call('POST', '/api/auth/ticket', { body: {}, headers: { cookie } })
    const { ticket: secret } = JSON.parse(ticket.body) as { ticket: string }
    const socket = new WebSocket(`wss://127.0.0.1:${port}/api/ws`, 'hotline.v1', {
      agent: new Agent({ ca, servername: name }),
      origin,
      headers: { host: `${name}:${port}` },
    })
    const frames: string[] = []
    socket.on('message', (bytes: Buffer) => frames.push(bytes.toString()))
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    socket.send(JSON.stringify({ t: 'hello', ticket: secret }))
    await waitFor(() => frames.some((frame) => frame.includes('"t":"welcome"')), { what: 'the welcome' })
    socket.send(JSON.stringify({ t: 'follow', stream: 'project:default', after: '0' }))
    await waitFor(() => frames.some((frame) => frame.includes('"t":"caught_up"')), { what: 'the events' })
    socket.terminate()
  })

  it.each([
    ['from elsewhere', '127.0.0.2'],
    ['on the machine of the proxy', '127.0.0.1'],
  ])('[O8] what a visitor %s says of their own address is not believed', async (_name, localAddress) => {
    // Sign-ins of one network are counted together, whatever it says; then it has to stay away for minutes.
    let tries = 0
    let heard = 0
    const isLocked = async (): Promise<boolean> => {
      tries += 1
      const headers = { 'x-forwarded-for': `203.0.113.${tries % 250}`, 'x-forwarded-proto': 'http' }
      const body = { name: `nobody${tries}`, password: 'not the password of anybody' }
      const { response } = await call('POST', '/api/auth/sign-in', { body, headers, localAddress })
      if (response.statusCode === 401) heard += 1
      return response.statusCode === 429 && Number(response.headers['retry-after']) > 60
    }
    await waitFor(isLocked, { what: 'the lock of the network', everyMs: 1 })
    expect(heard).toBeGreaterThan(0)
    expect(heard).toBeLessThanOrEqual(30)
  })

  it('[O8] another name is refused', async () => {
    const { response } = await call('GET', '/readyz', { headers: { host: 'elsewhere.example.org' } })
    expect(response.statusCode).toBe(421)
  })
})
