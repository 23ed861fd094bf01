import type { Webhook } from '@hotline/core/project/webhooks'
import type { Sealing } from '../../access/sealing.ts'

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

  secret(project: string, webhook: string, generation: number): string {
    return `whsec_${this.#sealing.derive(`webhook:${project}:${webhook}:${generation}`).toString('base64')}`
  }

  /** All that posts are signed with now, the newest first. */
  secrets(project: string, webhook: string, { generation, rotatedAt }: Webhook, nowMs: number): readonly string[] {
    const isOld = rotatedAt !== undefined && nowMs - Date.parse(rotatedAt) < overlapMs
    const generations = isOld ? [generation, generation - 1] : [generation]
    return generations.map((one) => this.secret(project, webhook, one))
  }
}
