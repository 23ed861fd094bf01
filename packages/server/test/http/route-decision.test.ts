import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Callers, openCallers } from './callers.ts'
import { table } from './decision-table.ts'
import { openHttpStack } from './http-stack.ts'

let callers: Callers
beforeAll(async () => {
  callers = await openCallers()
})
afterAll(() => callers[Symbol.asyncDispose]())

describe('one decision', () => {
  it('[T16] [T17] each route lets in exactly those credentials', async () => {
    await using stack = await openHttpStack()
    const rows: [route: string, row: string[]][] = []
    for (const { method, url, permission, upload } of stack.http.declared) {
      const admitted: string[] = []
      for (const [name, who] of Object.entries(callers.who)) {
        const path = url.replaceAll(/:\w+/g, 'x')
        const isAsked = method === 'GET' || upload !== undefined
        // Nobody's body has this member: whoever is let in to change something is told so, and nothing is changed.
        const answer = await callers.call(method, path, who, isAsked ? undefined : { nothing: 1 })
        const { status, body } = answer
        if (method === 'GET' ? [200, 400, 404].includes(status) : status === 400) admitted.push(name)
        else if (body.code === 'password_needed') admitted.push(`${name}: password_needed`)
        else expect([path, name, status, body.code]).toEqual([path, name, 403, 'forbidden'])
      }
      const everybody = admitted.length === Object.keys(callers.who).length && !admitted.join().includes('needed')
      rows.push([`${method} ${url}`, everybody ? ['everybody'] : admitted])
      if (permission === 'open' || permission === 'signed-in') expect(everybody).toBe(true)
    }
    expect(table(rows)).toMatchInlineSnapshot(`
      "GET /api/auth/state, POST /api/auth/bootstrap, POST /api/auth/sign-in, POST /api/auth/sign-out, POST /api/auth/confirm, POST /api/auth/token, GET /.well-known/jwks.json, POST /api/auth/ticket, POST /api/auth/device, POST /api/auth/device/token, GET /api/me, POST /api/auth/invitation, POST /api/auth/invitation/accept, POST /api/auth/password-reset/here, POST /api/auth/password-reset, POST /api/auth/password-reset/accept, GET /api/me/second-factor, GET /api/keys, DELETE /api/keys/:key, GET /healthz, GET /readyz, POST /api/commands, GET /api/sessions/:id, GET /api/sessions/:id/events, GET /api/sessions/:id/transcript, GET /api/connections, GET /api/sessions/:id/content/:digest, POST /api/sessions/:id/attachments, GET /api/sessions/:id/attachments/:digest, POST /api/follow, GET /api/sessions/:id/stream, GET /api/sessions/:id/evidence, GET /api/audit/key, GET /api/sessions/:id/export, GET /api/openapi.json, GET /api/asyncapi.json:
        everybody
      POST /api/auth/sign-out-everywhere, POST /api/auth/device/look, POST /api/auth/device/deny, POST /api/agent, POST /api/agent/:taskId/undo, DELETE /api/agent/:taskId, GET /api/runners/:id/folder:
        owner in a browser
        admin in a browser
        admin by token
        service of admin
        approver in a browser
        approver by token
        service of approver
        operator in a browser
        operator by token
        service of operator
        viewer in a browser
        viewer by token
        service of viewer
        stranger in a browser
        stranger by token
        owner by token
        owner by the token of this machine
        owner with scope write
        service for default
        owner for elsewhere
        owner for no project
        service of approver, signed
        owner by token, with the password said
      POST /api/auth/password:
        owner in a browser
        admin in a browser
        admin by token
        service of admin
        approver in a browser
        approver by token
        service of approver
        operator in a browser
        operator by token
        service of operator
        viewer in a browser
        viewer by token
        service of viewer
        stranger in a browser
        stranger by token
        owner by token
        owner by the token of this machine
        service for default
        owner for elsewhere
        owner for no project
        service of approver, signed
        owner by token, with the password said
      POST /api/auth/device/approve, POST /api/keys:
        owner in a browser
        admin in a browser
        admin by token: password_needed
        approver in a browser
        approver by token: password_needed
        operator in a browser
        operator by token: password_needed
        viewer in a browser
        viewer by token: password_needed
        stranger in a browser
        stranger by token: password_needed
        owner by token: password_needed
        owner by the token of this machine: password_needed
        owner with scope write: password_needed
        owner for elsewhere: password_needed
        owner for no project: password_needed
        owner by token, with the password said
      GET /api/people, GET /metrics, GET /api/sessions, GET /api/asks, GET /api/asks/status, GET /api/snoozes, GET /api/unread, GET /api/tasks, GET /api/tasks/:id, GET /api/projects/:id/tasks/:taskId/interactions, GET /api/agent/history, GET /api/agent/:taskId, GET /api/queue, GET /api/agents, GET /api/usage, GET /api/ws/stats, GET /ws/agents/:name, GET /api/agent/:taskId/updates, GET /api/projects/:id/tasks/:taskId/interact, GET /ws/permissions, GET /api/projects/:id/trusted, GET /api/projects/:id/members, GET /api/audit, GET /api/audit/export, GET /api/search, GET /api/projects/:id/policy:
        owner in a browser
        admin in a browser
        admin by token
        service of admin
        approver in a browser
        approver by token
        service of approver
        operator in a browser
        operator by token
        service of operator
        viewer in a browser
        viewer by token
        service of viewer
        stranger in a browser
        stranger by token
        owner by token
        owner by the token of this machine
        owner with scope read
        service with scope read
        service for default
        owner for elsewhere
        owner for no project
        runner
        runner for elsewhere
        runner of this machine
        service of approver, signed
        owner by token, with the password said
      GET /api/accounts, DELETE /api/accounts/:account/password-reset, GET /api/channels, GET /api/policy:
        owner in a browser
        owner by token
        owner by the token of this machine
        owner with scope admin
        owner by token, with the password said
      POST /api/accounts, POST /api/accounts/:account/disable, POST /api/accounts/:account/enable, POST /api/invitations, POST /api/accounts/:account/password-reset, DELETE /api/accounts/:account/second-factor, POST /api/audit/key:
        owner in a browser
        owner by token: password_needed
        owner by the token of this machine: password_needed
        owner with scope admin: password_needed
        owner by token, with the password said
      POST /api/me/second-factor, POST /api/me/second-factor/confirm, POST /api/me/second-factor/remove:
        owner in a browser
        admin in a browser
        admin by token: password_needed
        approver in a browser
        approver by token: password_needed
        operator in a browser
        operator by token: password_needed
        viewer in a browser
        viewer by token: password_needed
        stranger in a browser
        stranger by token: password_needed
        owner by token: password_needed
        owner by the token of this machine: password_needed
        owner for elsewhere: password_needed
        owner for no project: password_needed
        owner by token, with the password said
      POST /api/approvals/decide, POST /api/agent/:taskId/approve:
        owner in a browser
        admin in a browser
        admin by token
        service of admin
        approver in a browser
        approver by token
        service of approver
        operator in a browser
        operator by token
        service of operator
        viewer in a browser
        viewer by token
        service of viewer
        stranger in a browser
        stranger by token
        owner by token
        owner by the token of this machine
        owner with scope decide
        owner with scopes decide and decide_high
        service for default
        owner for elsewhere
        owner for no project
        service of approver, signed
        owner by token, with the password said
      DELETE /api/projects/:id/tasks/:taskId/interactions, POST /api/projects/:id/webhooks, PUT /api/projects/:id/webhooks/:webhook, POST /api/projects/:id/webhooks/:webhook/rotate:
        owner in a browser
        admin in a browser
        admin by token: password_needed
        approver in a browser
        approver by token: password_needed
        operator in a browser
        operator by token: password_needed
        viewer in a browser
        viewer by token: password_needed
        stranger in a browser
        stranger by token: password_needed
        owner by token: password_needed
        owner by the token of this machine: password_needed
        owner with scope admin: password_needed
        owner for elsewhere: password_needed
        owner for no project: password_needed
        owner by token, with the password said
      PUT /api/runner, GET /api/runner/work, PUT /api/sessions/:id/content/:digest, PUT /api/runner/evidence, PUT /api/runner/folder, POST /api/runner/trust:
        runner
        runner for elsewhere
        runner of this machine
      GET /api/projects/:id/webhooks, DELETE /api/projects/:id/webhooks/:webhook, POST /api/projects/:id/webhooks/:webhook/test, GET /api/projects/:id/webhooks/:webhook/deliveries, POST /api/projects/:id/webhooks/:webhook/deliveries/:delivery/replay:
        owner in a browser
        admin in a browser
        admin by token
        service of admin
        approver in a browser
        approver by token
        service of approver
        operator in a browser
        operator by token
        service of operator
        viewer in a browser
        viewer by token
        service of viewer
        stranger in a browser
        stranger by token
        owner by token
        owner by the token of this machine
        owner with scope admin
        service for default
        owner for elsewhere
        owner for no project
        service of approver, signed
        owner by token, with the password said
      GET /api/audit/chain:
        owner in a browser
        owner by token
        owner by the token of this machine
        owner by token, with the password said"
    `)
  })
})
