import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  closeOf,
  type ErrorCode,
  errorCodes,
  errorKinds,
  errors,
  errorTitles,
  exitCodes,
  retryRules,
} from '@hotline/protocol/error'
import { headerOf, sendRawRequest } from '@hotline/testing/raw-http'
import { openRawWebSocket, requestUpgrade } from '@hotline/testing/raw-websocket'
import { openTempDir } from '@hotline/testing/temp-dir'
import { opcodes } from '@hotline/testing/websocket-frame'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/read-config.ts'
import { startServer } from '../../src/start-server.ts'
import { Nothing } from '../../src/http/route.ts'
import { answerOf, openHttpStack, owner, rawBytes } from './http-stack.ts'

const root = join(import.meta.dirname, '../../../..')

/** The test that makes each code come about; the file must name the code. */
const provokedIn: Record<ErrorCode, string> = {
  invalid_request: 'packages/server/test/http/bad-json.test.ts',
  invalid_json: 'packages/server/test/http/bad-json.test.ts',
  invalid_frame: 'packages/server/test/http/errors.test.ts',
  message_empty: 'packages/core/test/session.test.ts',
  message_too_long: 'packages/core/test/session.test.ts',
  weak_password: 'packages/server/test/access/first-account.test.ts',
  unauthenticated: 'packages/server/test/http/live-sockets.test.ts',
  wrong_credentials: 'packages/server/test/access/sign-in.test.ts',
  code_needed: 'packages/server/test/access/second-factor.test.ts',
  password_needed: 'packages/server/test/http/password-needed.test.ts',
  ticket_invalid: 'packages/server/test/http/live-sockets.test.ts',
  forbidden: 'packages/server/test/http/doors.test.ts',
  origin_refused: 'packages/server/test/http/doors.test.ts',
  not_found: 'packages/server/test/http/doors.test.ts',
  already_resolved: 'packages/core/test/session.test.ts',
  digest_mismatch: 'packages/core/test/session.test.ts',
  idempotency_mismatch: 'packages/server/test/exchange.test.ts',
  invalid_transition: 'packages/core/test/session.test.ts',
  not_queued: 'packages/core/test/session.test.ts',
  queue_full: 'packages/core/test/session.test.ts',
  must_wait: 'packages/server/test/http/session-queue.test.ts',
  fenced: 'packages/core/test/session.test.ts',
  already_exists: 'packages/server/test/http/doors.test.ts',
  keyboard_taken: 'packages/core/test/keyboard.test.ts',
  ambiguous_name: 'packages/server/test/http/agent-line.test.ts',
  last_owner: 'packages/server/test/http/errors.test.ts',
  approval_expired: 'packages/core/test/session.test.ts',
  bootstrap_closed: 'packages/server/test/access/first-account.test.ts',
  invitation_over: 'packages/server/test/access/invitation.test.ts',
  reset_over: 'packages/server/test/access/password-reset.test.ts',
  device_code_over: 'packages/server/test/access/device-sign-in.test.ts',
  cursor_gone: 'packages/server/test/http/errors.test.ts',
  too_large: 'packages/server/test/http/bad-json.test.ts',
  media_type: 'packages/server/test/http/bad-json.test.ts',
  host_refused: 'packages/server/test/http/errors.test.ts',
  unsupported: 'packages/core/test/session.test.ts',
  version_not_spoken: 'packages/server/test/http/errors.test.ts',
  rate_limited: 'packages/server/test/access/sign-in.test.ts',
  internal: 'packages/server/test/access/first-account.test.ts',
  log_damaged: 'packages/server/test/http/damaged-stream.test.ts',
  storage_unavailable: 'packages/server/test/http/errors.test.ts',
  too_slow: 'packages/testing/test/link.test.ts',
  draining: 'packages/server/test/http/going-down.test.ts',
  unreachable: 'packages/client/test/command-queue.test.ts',
}

describe('the error table', () => {
  it('[Q10] every code has a section in the documentation, with its status, exit code and retry, and no section is left over', () => {
    const text = readFileSync(join(root, 'docs/errors.md'), 'utf8')
    const sections = [...text.matchAll(/^### (\w+)\n(.+)\n\n([^#]+)/gm)].map(
      ([, code = '', line = '', words = '']) => ({ code, line, words }),
    )
    expect(sections.map(({ code }) => code)).toEqual(errorCodes)
    for (const { code, line, words } of sections) {
      const kind = errors[code as ErrorCode]
      const { status } = errorKinds[kind]
      expect(line).toContain(`exit ${exitCodes[kind]} · retry: ${retryRules[kind]}`)
      if (line.includes('HTTP')) expect(line).toContain(`HTTP ${status}`)
      if (line.includes('close')) expect(line).toContain(`close ${closeOf(code as ErrorCode)}`)
      expect(words.trim().length).toBeGreaterThan(40)
    }
  })

  it('[Q10] every code is brought about by a test', () => {
    expect(Object.keys(provokedIn).toSorted()).toEqual(errorCodes.toSorted())
    for (const [code, file] of Object.entries(provokedIn)) {
      expect(readFileSync(join(root, file), 'utf8'), `${code} in ${file}`).toMatch(new RegExp(`['"]${code}['"]`))
    }
  })

  it('[Q10] the body of a refusal is the whole problem, and the status in it is the one of the answer', async () => {
    await using stack = await openHttpStack()
    const { status, headers, body } = await stack.call('GET', '/api/me')
    expect(body).toEqual({
      type: 'urn:hotline:error:unauthenticated',
      title: errorTitles.unauthenticated,
      status: 401,
      code: 'unauthenticated',
      detail: 'Sign in, or send a token in the Authorization header.',
    })
    expect(status).toBe(401)
    expect(headerOf({ status, headers, reason: '', body: Buffer.alloc(0) }, 'www-authenticate')).toBe(
      'Bearer realm="hotline"',
    )
  })

  it('[Q11] a fault of ours is in the log and not in the answer', async () => {
    await using stack = await openHttpStack({
      register: (route) => {
        route({
          method: 'GET',
          url: '/api/fault',
          summary: 'For a test',
          answer: Nothing,
          permission: 'open',
          handle: () => {
            throw new Error('the secret of the vault')
          },
        })
      },
    })
    const { status, body } = await stack.call('GET', '/api/fault')
    expect([status, body.code]).toEqual([500, 'internal'])
    expect(JSON.stringify(body)).not.toContain('vault')
    expect(stack.logged.join('')).toContain('the secret of the vault')
  })

  it('[Q12] a log that cannot be read is 503 and says so, at the readiness check too', async () => {
    await using stack = await openHttpStack()
    const cookie = await stack.claim()
    await stack.store[Symbol.asyncDispose]()
    for (const path of ['/readyz', '/api/keys']) {
      const { status, body } = await stack.call('GET', path, { cookie })
      expect([path, status, body.code]).toEqual([path, 503, 'storage_unavailable'])
    }
    expect((await stack.call('GET', '/healthz')).status).toBe(200)
  })

  it('[Q10] the others, on a whole server', async () => {
    await using dir = await openTempDir()
    const config = readConfig({
      HOTLINE_DATA_DIR: join(dir.path, 'data'),
      HOTLINE_PORT: '0',
      HOTLINE_LISTEN: '127.0.0.1',
    })
    await using server = await startServer(config, join(dir.path, 'no-page'))
    const port = Number(new URL(server.url).port)
    const code = server.bootstrap?.split('=')[1] ?? ''
    const call = async (method: string, target: string, body?: object, host = `localhost:${port}`) => {
      const token = body !== undefined && 'code' in body ? undefined : tokenOf(dir.path)
      const headers: [string, string][] = [['Host', host]]
      if (token !== undefined) headers.push(['Authorization', `Bearer ${token}`])
      if (body) headers.push(['Content-Type', 'application/json'])
      const bytes = rawBytes({ method, target, headers, ...(body ? { body: JSON.stringify(body) } : {}) }, port)
      return answerOf(await sendRawRequest({ port }, bytes, { method }))
    }
    const { account } = (await call('POST', '/api/auth/bootstrap', { code, ...owner })).body as { account: string }

    expect((await call('GET', '/healthz', undefined, 'evil.example')).body.code).toBe('host_refused')

    const command = { id: 'c1', stream: 'project:default', type: 'member.remove', data: { account } }
    expect((await call('POST', '/api/commands', command)).body.code).toBe('password_needed')
    expect((await call('POST', '/api/auth/confirm', { password: owner.password })).status).toBe(204)
    const removed = await call('POST', '/api/commands', command)
    expect([removed.status, removed.body.code]).toEqual([409, 'last_owner'])

    const session = { project: 'default', agent: 'demo' }
    const started = await call('POST', '/api/commands', {
      id: 'c2',
      stream: 'session:s1',
      type: 'session.start',
      data: session,
    })
    expect(started.status).toBe(200)
    for (const after of ['zzzzzzzz.1', `${String(started.body.cursor).split('.')[0]}.999`]) {
      const page = await call('GET', `/api/sessions/s1/events?after=${after}`)
      expect([page.status, page.body.code]).toEqual([410, 'cursor_gone'])
    }

    const host = ['Host', `localhost:${port}`] as const
    const offered = await requestUpgrade({ port, path: '/api/ws', protocols: ['hotline.v9'], headers: [host] })
    if (offered.kind === 'open') throw new Error('a version that is not spoken was taken')
    expect((JSON.parse(offered.response.body.toString()) as { code: string }).code).toBe('version_not_spoken')

    const headers = [host, ['Authorization', `Bearer ${tokenOf(dir.path)}`]] as const
    await using socket = await openRawWebSocket({ port, path: '/api/ws', protocols: ['hotline.v1'], headers })
    await socket.nextFrame()
    await socket.send({ opcode: opcodes.text, payload: '{"t":"nonsense"}' })
    const said = JSON.parse((await socket.nextFrame()).payload.toString()) as { problem: { code: string } }
    expect(said.problem.code).toBe('invalid_frame')
  })
})

function tokenOf(dir: string): string {
  return readFileSync(join(dir, 'data/cli-token'), 'utf8').trim()
}
