import type { Webhook } from '@hotline/core/project/webhooks'
import { parseCommand, type CommandType } from '@hotline/protocol/command'
import { type Problem, problem } from '@hotline/protocol/error'
import { Id } from '@hotline/protocol/ids'
import {
  NewWebhook,
  WebhookChange,
  WebhookDeliveries,
  type WebhookDelivery,
  WebhookPage,
  WebhookSecret,
  WebhookTried,
} from '@hotline/protocol/webhooks'
import { z } from 'zod'
import type { Principal } from '../../access/principal.ts'
import type { Ids } from '../../machine/ids.ts'
import { targetRefusal } from '../../machine/outside-address.ts'
import type { OutsidePosted } from '../../machine/post-outside.ts'
import type { Exchange } from '../../session/exchange.ts'
import { nothingHere } from '../../session/outcome.ts'
import { Nothing, type RegisterRoute } from '../route.ts'

/** A webhook with its names. */
type Named = Webhook & { project: string; webhook: string }

/** What posts for webhooks. */
export interface HookDesk {
  deliveries(hook: Named): Promise<readonly WebhookDelivery[]>
  replay(hook: Named, id: string, signal: AbortSignal): Promise<OutsidePosted | undefined>
  test(hook: Named, signal: AbortSignal): Promise<OutsidePosted>
}

/** What the routes of webhooks need. */
export interface WebhookRoutePorts {
  exchange: Exchange
  ids: Ids
  hooks: HookDesk
  secretOf: (hook: Named) => string
  targets: readonly string[]
}

const OfProject = z.strictObject({ id: Id })
const OfWebhook = z.strictObject({ id: Id, webhook: Id })

/** Webhooks of a project, for its admins. */
export function registerWebhookRoutes(
  route: RegisterRoute,
  { exchange, ids, hooks, secretOf, targets }: WebhookRoutePorts,
): void {
  async function read(principal: Principal, project: string): Promise<Record<string, Webhook> | Problem> {
    const refusal = await exchange.refusalIn(principal, project, 'admin')
    if (refusal) return refusal
    const state = (await exchange.snapshot(`project:${project}`))?.state
    return state?.kind === 'project' ? { ...state.webhooks } : nothingHere()
  }

  async function find(principal: Principal, of: z.infer<typeof OfWebhook>): Promise<Named | { problem: Problem }> {
    const webhooks = await read(principal, of.id)
    if (isProblem(webhooks)) return { problem: webhooks }
    const one = Object.hasOwn(webhooks, of.webhook) ? webhooks[of.webhook] : undefined
    return one ? { ...one, project: of.id, webhook: of.webhook } : { problem: nothingHere() }
  }

  async function send(
    principal: Principal,
    project: string,
    type: CommandType,
    data: object,
  ): Promise<Problem | undefined> {
    const parsed = parseCommand({ id: ids.uuid(), stream: `project:${project}`, type, data })
    if ('issues' in parsed) return problem('invalid_request', 'The request is not valid.', { issues: parsed.issues })
    const outcome = await exchange.command(principal, parsed.command)
    return outcome.ok ? undefined : outcome.problem
  }

  function refusalOf(url: string | undefined): Problem | undefined {
    const why = url === undefined ? undefined : targetRefusal(url, targets)
    return why === undefined ? undefined : problem('invalid_request', why)
  }

  route({
    method: 'GET',
    url: '/api/projects/:id/webhooks',
    summary: 'Where what happens in a project is posted to',
    permission: 'admin',
    answer: WebhookPage,
    params: OfProject,
    handle: async ({ principal, params }) => {
      const webhooks = await read(principal, params.id)
      if (isProblem(webhooks)) return { problem: webhooks }
      const rows = Object.entries(webhooks).map(
        ([webhook, { url, events, description, enabled, addedAt, rotatedAt }]) => ({
          webhook,
          url,
          events: [...events],
          description,
          enabled,
          addedAt,
          ...(rotatedAt === undefined ? {} : { rotatedAt }),
        }),
      )
      return { value: { webhooks: rows } }
    },
  })
  route({
    method: 'POST',
    url: '/api/projects/:id/webhooks',
    summary: 'Posts what happens in a project somewhere; answers the secret once',
    permission: 'admin',
    proof: 'password',
    status: 201,
    answer: WebhookSecret,
    params: OfProject,
    body: NewWebhook,
    handle: async ({ principal, params, body }) => {
      const webhook = ids.uuid()
      // Whether it leads inside is nobody's business who may not add one.
      const lacking = await exchange.refusalIn(principal, params.id, 'admin')
      const refusal =
        lacking ?? refusalOf(body.url) ?? (await send(principal, params.id, 'webhook.add', { webhook, ...body }))
      if (refusal) return { problem: refusal }
      const hook = await find(principal, { id: params.id, webhook })
      return 'problem' in hook ? hook : { value: { webhook, secret: secretOf(hook) } }
    },
  })
  route({
    method: 'PUT',
    url: '/api/projects/:id/webhooks/:webhook',
    summary: 'Changes a webhook, or turns it off and on',
    permission: 'admin',
    proof: 'password',
    refuses: ['not_found'],
    answer: Nothing,
    params: OfWebhook,
    body: WebhookChange,
    handle: async ({ principal, params, body }) => {
      const lacking = await exchange.refusalIn(principal, params.id, 'admin')
      const data = { webhook: params.webhook, ...body }
      const refusal = lacking ?? refusalOf(body.url) ?? (await send(principal, params.id, 'webhook.change', data))
      return refusal ? { problem: refusal } : { value: undefined }
    },
  })
  route({
    method: 'DELETE',
    url: '/api/projects/:id/webhooks/:webhook',
    summary: 'Posts nothing there any more',
    permission: 'admin',
    refuses: ['not_found'],
    answer: Nothing,
    params: OfWebhook,
    handle: async ({ principal, params }) => {
      const refusal = await send(principal, params.id, 'webhook.remove', { webhook: params.webhook })
      return refusal ? { problem: refusal } : { value: undefined }
    },
  })
  route({
    method: 'POST',
    url: '/api/projects/:id/webhooks/:webhook/rotate',
    summary: 'Makes a new secret; the one before counts for another day',
    permission: 'admin',
    proof: 'password',
    refuses: ['not_found'],
    answer: WebhookSecret,
    params: OfWebhook,
    handle: async ({ principal, params }) => {
      const refusal = await send(principal, params.id, 'webhook.rotate', { webhook: params.webhook })
      if (refusal) return { problem: refusal }
      const hook = await find(principal, params)
      if ('problem' in hook) return hook
      return { value: { webhook: params.webhook, secret: secretOf(hook) } }
    },
  })
  route({
    method: 'POST',
    url: '/api/projects/:id/webhooks/:webhook/test',
    summary: 'Posts a test to a webhook',
    permission: 'admin',
    refuses: ['not_found'],
    answer: WebhookTried,
    params: OfWebhook,
    handle: async ({ principal, params, signal }) => {
      const hook = await find(principal, params)
      return 'problem' in hook ? hook : { value: tried(await hooks.test(hook, signal)) }
    },
  })
  route({
    method: 'GET',
    url: '/api/projects/:id/webhooks/:webhook/deliveries',
    summary: 'What has not arrived at a webhook',
    permission: 'admin',
    refuses: ['not_found'],
    answer: WebhookDeliveries,
    params: OfWebhook,
    query: z.strictObject({ state: z.enum(['waiting', 'dead']).optional() }),
    handle: async ({ principal, params, query }) => {
      const hook = await find(principal, params)
      if ('problem' in hook) return hook
      const all = await hooks.deliveries(hook)
      return { value: { deliveries: all.filter(({ state }) => query.state === undefined || state === query.state) } }
    },
  })
  route({
    method: 'POST',
    url: '/api/projects/:id/webhooks/:webhook/deliveries/:delivery/replay',
    summary: 'Posts once more what was given up',
    permission: 'admin',
    refuses: ['not_found'],
    answer: WebhookTried,
    params: OfWebhook.extend({ delivery: z.string().max(500) }),
    handle: async ({ principal, params, signal }) => {
      const hook = await find(principal, params)
      if ('problem' in hook) return hook
      const posted = await hooks.replay(hook, params.delivery, signal)
      return posted ? { value: tried(posted) } : { problem: nothingHere() }
    },
  })
}

function isProblem(read: Record<string, Webhook> | Problem): read is Problem {
  return 'code' in read && typeof read.code === 'string'
}

function tried(posted: OutsidePosted): z.input<typeof WebhookTried> {
  return posted === 'taken' ? { taken: true } : { taken: false, why: posted.why }
}
