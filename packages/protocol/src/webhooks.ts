import { z } from 'zod'
import { webhookCommands } from './commands/webhook.ts'

/** A webhook of a project, without its secret. */
export const WebhookRow = z.object({
  webhook: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  description: z.string(),
  enabled: z.boolean(),
  addedAt: z.string(),
  /** When its secret was made anew; absent where it never was. */
  rotatedAt: z.string().optional(),
})
export type WebhookRow = z.infer<typeof WebhookRow>

/** `GET /api/projects/:id/webhooks`. */
export const WebhookPage = z.object({ webhooks: z.array(WebhookRow) })
export type WebhookPage = z.infer<typeof WebhookPage>

/** `POST /api/projects/:id/webhooks`. */
export const NewWebhook = webhookCommands['webhook.add'].omit({ webhook: true })

/** `PUT /api/projects/:id/webhooks/:webhook`: what is left out stays. */
export const WebhookChange = webhookCommands['webhook.change'].omit({ webhook: true })

/** The secret of a webhook, shown once: what its posts are signed with. */
export const WebhookSecret = z.object({ webhook: z.string(), secret: z.string() })
export type WebhookSecret = z.infer<typeof WebhookSecret>

/** What has not arrived. `waiting`: it is tried again at `dueAt`, and later events of its stream wait; `dead`: it is not. */
export const WebhookDelivery = z.object({
  /** Its `webhook-id`. */
  id: z.string(),
  state: z.enum(['waiting', 'dead']),
  stream: z.string(),
  seq: z.int(),
  tries: z.int(),
  why: z.string(),
  dueAt: z.string().optional(),
})
export type WebhookDelivery = z.infer<typeof WebhookDelivery>

/** `GET /api/projects/:id/webhooks/:webhook/deliveries?state=dead`. */
export const WebhookDeliveries = z.object({ deliveries: z.array(WebhookDelivery) })
export type WebhookDeliveries = z.infer<typeof WebhookDeliveries>

/** What became of one post: that it was taken, or why it was not. */
export const WebhookTried = z.object({ taken: z.boolean(), why: z.string().optional() })
export type WebhookTried = z.infer<typeof WebhookTried>
