import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mintToken } from '../../src/access/token.ts'
import { type DeclaredRoute, Nothing } from '../../src/http/route.ts'
import { type CallOptions, type HttpStack, openHttpStack } from './http-stack.ts'

/** The routes of the server, as the server registers them, and none beside. */
let stack: HttpStack
beforeAll(async () => {
  stack = await openHttpStack({ env: { HOTLINE_LIMIT_REQUESTS_PER_NETWORK: '100000' } })
})
afterAll(() => stack[Symbol.asyncDispose]())

describe('every route', () => {
  /** Nothing, and everything that looks like a credential and is none. */
  async function strangers(): Promise<Record<string, CallOptions>> {
    const cookie = await stack.claim()
    const key = async (): Promise<{ key: string; token: string }> =>
      (await stack.call('POST', '/api/keys', { cookie, body: { kind: 'pat', name: 'x' } })).body
    const { token } = await key()
    const revoked = await key()
    expect((await stack.call('DELETE', `/api/keys/${revoked.key}`, { cookie })).status).toBe(204)
    const ticket = (await stack.call('POST', '/api/auth/ticket', { cookie })).body.ticket as string
    const [name = '', session = ''] = cookie.split('=')
    const idOf = (text: string): string => text.split('_')[2] ?? ''
    const minted = (kind: 'pat' | 'svc' | 'run' | 'ses', id: string): string => mintToken(kind, id).text
    return {
      nobody: {},
      'an unknown personal token': { token: minted('pat', randomUUID()) },
      'an unknown service': { token: minted('svc', randomUUID()) },
      'an unknown runner': { token: minted('run', randomUUID()) },
      'an unknown session': { cookie: `${name}=${minted('ses', randomUUID())}` },
      'a key with a wrong secret': { token: minted('pat', idOf(token)) },
      'a session with a wrong secret': { cookie: `${name}=${minted('ses', idOf(session))}` },
      'a revoked key': { token: revoked.token },
      'a session in the header': { token: session },
      'a key in the cookie': { cookie: `${name}=${token}` },
      'a ticket in the header': { token: ticket },
      'another scheme': { headers: [['Authorization', `Basic ${Buffer.from(`x:${token}`).toString('base64')}`]] },
      'no token in the header': { headers: [['Authorization', 'Bearer ']] },
    }
  }

  it('[T01] [T17] no route answers without a credential, or with a wrong one, but those that are open by declaration', async () => {
    const { served } = stack.http
    // What the framework answers is what was declared, and the page.
    const declared = stack.http.declared.map(({ method, url }) => `${method} ${url}`)
    const page = ['GET /', 'GET /*']
    expect(served.filter((route) => !route.startsWith('HEAD ') && !page.includes(route))).toEqual(declared)
    expect(served.length).toBeGreaterThan(30)
    const wrong = await strangers()
    const open: string[] = []
    for (const one of served) {
      const [method = '', url = ''] = one.split(' ')
      const path = url.replaceAll(/:\w+|\*/g, 'x')
      const answers: [who: string, status: number][] = []
      for (const [who, carrier] of Object.entries(wrong)) {
        answers.push([who, (await stack.call(method, path, carrier)).status])
      }
      const same = answers[0]?.[1]
      expect([one, answers]).toEqual([one, answers.map(([who]) => [who, same])])
      if (same !== 401) open.push(one)
    }
    expect(open).toEqual([
      'GET /api/auth/state',
      'HEAD /api/auth/state',
      'POST /api/auth/bootstrap',
      'POST /api/auth/sign-in',
      'GET /.well-known/jwks.json',
      'HEAD /.well-known/jwks.json',
      'POST /api/auth/device',
      'POST /api/auth/device/token',
      'POST /api/auth/invitation',
      'POST /api/auth/invitation/accept',
      'POST /api/auth/password-reset/here',
      'POST /api/auth/password-reset',
      'POST /api/auth/password-reset/accept',
      'GET /healthz',
      'HEAD /healthz',
      'GET /readyz',
      'HEAD /readyz',
      'GET /api/openapi.json',
      'HEAD /api/openapi.json',
      'GET /api/asyncapi.json',
      'HEAD /api/asyncapi.json',
      'GET /',
      'HEAD /',
      'GET /*',
      'HEAD /*',
    ])
    expect((await stack.call('GET', '/api/nothing')).status).toBe(404)
  })

  it('[T17] the permission of every route is what this list says', () => {
    const listed = stack.http.declared.map(({ method, url, permission, proof }: DeclaredRoute) =>
      [`${method} ${url}: ${permission}`, ...(proof ? [proof] : [])].join(', '),
    )
    expect(listed).toMatchInlineSnapshot(`
      [
        "GET /api/auth/state: open",
        "POST /api/auth/bootstrap: open",
        "POST /api/auth/sign-in: open",
        "POST /api/auth/sign-out: signed-in",
        "POST /api/auth/sign-out-everywhere: write",
        "POST /api/auth/password: own",
        "POST /api/auth/confirm: signed-in",
        "POST /api/auth/token: signed-in",
        "GET /.well-known/jwks.json: open",
        "POST /api/auth/ticket: signed-in",
        "POST /api/auth/device: open",
        "POST /api/auth/device/token: open",
        "POST /api/auth/device/look: write",
        "POST /api/auth/device/approve: write, password",
        "POST /api/auth/device/deny: write",
        "GET /api/me: signed-in",
        "GET /api/people: read",
        "GET /api/accounts: account-admin",
        "POST /api/accounts: account-admin, password",
        "POST /api/accounts/:account/disable: account-admin, password",
        "POST /api/accounts/:account/enable: account-admin, password",
        "POST /api/invitations: account-admin, password",
        "POST /api/auth/invitation: open",
        "POST /api/auth/invitation/accept: open",
        "POST /api/accounts/:account/password-reset: account-admin, password",
        "DELETE /api/accounts/:account/password-reset: account-admin",
        "POST /api/auth/password-reset/here: open",
        "POST /api/auth/password-reset: open",
        "POST /api/auth/password-reset/accept: open",
        "GET /api/me/second-factor: signed-in",
        "POST /api/me/second-factor: own, password",
        "POST /api/me/second-factor/confirm: own, password",
        "POST /api/me/second-factor/remove: own, password",
        "DELETE /api/accounts/:account/second-factor: account-admin, password",
        "GET /api/keys: signed-in",
        "POST /api/keys: write, password",
        "DELETE /api/keys/:key: signed-in",
        "GET /healthz: open",
        "GET /readyz: open",
        "GET /metrics: read",
        "POST /api/commands: signed-in",
        "GET /api/sessions: read",
        "GET /api/sessions/:id: signed-in",
        "GET /api/sessions/:id/events: signed-in",
        "GET /api/sessions/:id/transcript: signed-in",
        "GET /api/asks: read",
        "GET /api/asks/status: read",
        "GET /api/snoozes: read",
        "POST /api/approvals/decide: decide",
        "GET /api/unread: read",
        "GET /api/tasks: read",
        "GET /api/tasks/:id: read",
        "GET /api/projects/:id/tasks/:taskId/interactions: read",
        "DELETE /api/projects/:id/tasks/:taskId/interactions: admin, password",
        "POST /api/agent: write",
        "GET /api/agent/history: read",
        "GET /api/agent/:taskId: read",
        "POST /api/agent/:taskId/approve: decide",
        "POST /api/agent/:taskId/undo: write",
        "DELETE /api/agent/:taskId: write",
        "PUT /api/runner: runner",
        "GET /api/runner/work: runner",
        "GET /api/queue: read",
        "GET /api/agents: read",
        "GET /api/connections: signed-in",
        "GET /api/usage: read",
        "PUT /api/sessions/:id/content/:digest: runner",
        "GET /api/sessions/:id/content/:digest: signed-in",
        "POST /api/sessions/:id/attachments: signed-in",
        "GET /api/sessions/:id/attachments/:digest: signed-in",
        "POST /api/follow: signed-in",
        "GET /api/sessions/:id/stream: signed-in",
        "GET /api/ws/stats: read",
        "GET /ws/agents/:name: read",
        "GET /api/agent/:taskId/updates: read",
        "GET /api/projects/:id/tasks/:taskId/interact: read",
        "GET /ws/permissions: read",
        "GET /api/channels: account-admin",
        "PUT /api/runner/evidence: runner",
        "GET /api/sessions/:id/evidence: signed-in",
        "PUT /api/runner/folder: runner",
        "GET /api/runners/:id/folder: write",
        "POST /api/runner/trust: runner",
        "GET /api/projects/:id/trusted: read",
        "GET /api/projects/:id/members: read",
        "GET /api/projects/:id/webhooks: admin",
        "POST /api/projects/:id/webhooks: admin, password",
        "PUT /api/projects/:id/webhooks/:webhook: admin, password",
        "DELETE /api/projects/:id/webhooks/:webhook: admin",
        "POST /api/projects/:id/webhooks/:webhook/rotate: admin, password",
        "POST /api/projects/:id/webhooks/:webhook/test: admin",
        "GET /api/projects/:id/webhooks/:webhook/deliveries: admin",
        "POST /api/projects/:id/webhooks/:webhook/deliveries/:delivery/replay: admin",
        "GET /api/audit: read",
        "GET /api/audit/export: read",
        "GET /api/audit/key: signed-in",
        "POST /api/audit/key: account-admin, password",
        "GET /api/audit/chain: read",
        "GET /api/sessions/:id/export: signed-in",
        "GET /api/search: read",
        "GET /api/projects/:id/policy: read",
        "GET /api/policy: account-admin",
        "GET /api/openapi.json: open",
        "GET /api/asyncapi.json: open",
      ]
    `)
  })

  it('[T17] a route without a permission, or with a made-up one, does not boot', async () => {
    const without = { method: 'GET', url: '/api/forgotten', handle: () => ({}) }
    const opening = openHttpStack({ register: (route) => route(without as never) })
    await expect(opening).rejects.toThrow(/GET \/api\/forgotten does not declare a known permission/)
    const wrong = openHttpStack({ register: (route) => route({ ...without, permission: 'anyone' } as never) })
    await expect(wrong).rejects.toThrow(/permission/)
  })

  it('[OA6] a route that does not declare what it does and answers does not boot', async () => {
    const bare = { method: 'GET', url: '/api/bare', permission: 'open', handle: () => ({ value: undefined }) }
    for (const part of [{}, { summary: 'Something' }, { answer: Nothing }]) {
      const opening = openHttpStack({ register: (route) => route({ ...bare, ...part } as never) })
      await expect(opening).rejects.toThrow(/GET \/api\/bare does not declare what it answers/)
    }
  })
})
