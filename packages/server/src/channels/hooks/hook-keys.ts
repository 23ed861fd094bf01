import type { Webhook } from '@hotline/core/project/webhooks'
import type { Sealing } from '../../access/sealing.ts'

/** What a secret is made of, beside the server's key. */
type Keyed = Pick<Webhook, 'addedAt' | 'generation'> & { project: string; webhook: string }

/** So long the secret before counts beside the new one. */
const overlapMs = 24 * 60 * 60_000

/**
 * Secrets of webhooks, made each time from the server's own key, the webhook and the number of its secret: none is kept anywhere, and
 * neither the log nor the database tells them.
 */
export class HookKeys {
  readonly #sealing: Pick<Sealing, 'derive'>

  constructor(sealing: Pick<Sealing, 'derive'>) {
    this.#sealing = sealing
  }

  /** When it was added is part of it: whoever removes a webhook and adds one of the same id has none of its secrets again. */
  secret({ project, webhook, addedAt, generation }: Keyed): string {
    const of = `webhook:${project}:${webhook}:${addedAt}:${generation}`
    return `whsec_${this.#sealing.derive(of).toString('base64')}`
  }

  /** All that posts are signed with now, the newest first. */
  secrets(hook: Keyed & Pick<Webhook, 'rotatedAt'>, nowMs: number): readonly string[] {
    const { generation, rotatedAt } = hook
    const isOld = rotatedAt !== undefined && nowMs - Date.parse(rotatedAt) < overlapMs
    const generations = isOld ? [generation, generation - 1] : [generation]
    return generations.map((one) => this.secret({ ...hook, generation: one }))
  }
}
