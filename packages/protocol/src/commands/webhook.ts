import { z } from 'zod'
import { Id } from '../ids.ts'

/** The types of events that go out: one type (`approval.requested`), or a family (`approval.*`). */
export const WebhookEvents = z
  .array(
    z
      .string()
      .max(100)
      .regex(/^[a-z][a-z_]*\.(\*|[a-z][a-z_]*)$/, 'must be like approval.requested or approval.*'),
  )
  .min(1)
  .max(50)

const Url = z.string().min(1).max(2_000)
const Description = z.string().max(200)

/** Where what happens in a project is posted to. Whether the address may be used is looked at each time that it is. */
export const webhookCommands = {
  'webhook.add': z.strictObject({ webhook: Id, url: Url, events: WebhookEvents, description: Description.optional() }),
  'webhook.change': z.strictObject({
    webhook: Id,
    url: Url.optional(),
    events: WebhookEvents.optional(),
    description: Description.optional(),
    enabled: z.boolean().optional(),
  }),
  'webhook.remove': z.strictObject({ webhook: Id }),
  /** A new secret; the one before counts for another day. */
  'webhook.rotate': z.strictObject({ webhook: Id }),
  /** Its receiver says that it is gone for good. */
  'webhook.disable': z.strictObject({ webhook: Id }),
}
