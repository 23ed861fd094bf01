import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { readConfig } from '../../src/config/read-config.ts'
import { type RunningServer, startServer } from '../../src/start-server.ts'
import { owner } from './http-stack.ts'

let dir: TempDir
let server: RunningServer
let ca: Buffer
let port: number

beforeAll(async () => {
  dir = await openTempDir()
  const [key, cert] = [join(dir.path, 'key.pem'), join(dir.path, 'cert.pem')]
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1'
  const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'.split(' ')
  execFileSync('openssl', ['req', ...kind, '-addext', names, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  ca = readFileSync(cert)
  const config = readConfig({
    HOTLINE_DATA_DIR: join(dir.path, 'data'),
    HOTLINE_PORT: '0',
    HOTLINE_LISTEN: '127.0.0.1',
    HOTLINE_TLS_CERT: cert,
    HOTLINE_TLS_KEY: key,
  })
  server = await startServer(config, join(dir.path, 'no-page'))
  port = Number(new URL(server.url).port)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await dir.remove()
})

function call(
  method: string,
  path: string,
  body?: object,
  cookie?: string,
): Promise<{ response: IncomingMessage; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      origin: server.url,
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(cookie === undefined ? {} : { cookie }),
    }
    const asked = request({ host: 'localhost', family: 4, port, method, path, ca, headers }, (response) => {
      void text(response).then((said) => resolve({ response, body: said }), reject)
    })
    asked.on('error', reject)
    asked.end(body ? JSON.stringify(body) : undefined)
  })
}

describe('a server with a certificate', () => {
  it('[Q16] speaks https, keeps its cookie to https, and tells browsers to stay there', async () => {
    expect(server.url).toBe(`https://localhost:${port}`)
    const code = server.bootstrap?.split('=')[1] ?? ''
    const first = await call('POST', '/api/auth/bootstrap', { code, ...owner })
    expect(first.response.statusCode).toBe(200)
    const cookie = first.response.headers['set-cookie']?.[0] ?? ''
    expect(cookie).toMatch(/^__Host-/)
    expect(cookie).toContain('Secure')
    expect(first.response.headers['strict-transport-security']).toContain('max-age=')

    const ticket = await call('POST', '/api/auth/ticket', {}, cookie.split(';')[0])
    expect(ticket.response.statusCode).toBe(201)
    const socket = new WebSocket(`wss://localhost:${port}/api/ws`, ['hotline.v1'], {
      ca,
      family: 4,
      origin: server.url,
    })
    const heard = await new Promise<string>((resolve, reject) => {
      socket.once('open', () =>
        socket.send(JSON.stringify({ t: 'hello', ticket: (JSON.parse(ticket.body) as { ticket: string }).ticket })),
      )
      socket.once('message', (bytes: Buffer) => resolve(bytes.toString()))
      socket.once('error', reject)
    })
    socket.terminate()
    expect(JSON.parse(heard)).toMatchObject({ t: 'welcome', principal: { name: owner.name } })
  })

  it('[Q16] answers nothing to who speaks plain http', async () => {
    const failed = await new Promise((resolve) => {
      get({ host: '127.0.0.1', port, path: '/healthz' }, (response) => resolve(response.statusCode)).on(
        'error',
        resolve,
      )
    })
    expect(failed).toBeInstanceOf(Error)
  })
})
