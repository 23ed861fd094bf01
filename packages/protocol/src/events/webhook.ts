import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { Id } from '../ids.ts'

const Words = z.looseObject({ url: z.string().optional(), description: z.string().optional() })

/** Where what happens in a project is posted to. No secret is in any of them. */
export const webhookEvents = {
  'webhook.added': defineEvent(1, z.looseObject({ webhook: Id, events: z.array(z.string()) }), Words),
  'webhook.changed': defineEvent(
    1,
    z.looseObject({ webhook: Id, events: z.array(z.string()).optional(), enabled: z.boolean().optional() }),
    Words,
  ),
  'webhook.removed': defineEvent(1, z.looseObject({ webhook: Id })),
  'webhook.rotated': defineEvent(1, z.looseObject({ webhook: Id, generation: z.int() })),
  /** Its receiver said that it is gone for good. */
  'webhook.disabled': defineEvent(1, z.looseObject({ webhook: Id })),
}
