import type { Clock } from '../../machine/clock.ts'
import { postWebhook } from '../../machine/post-webhook.ts'
import type { Channel, Delivered } from '../channel.ts'

/** Where a webhook leads, and what it is signed with. */
export interface WebhookOptions {
  name: string
  /** Of the settings, checked there. */
  url: string
  secrets: readonly string[]
}

/** A signed POST for each request, and one when it is over. */
export function openWebhook({ name, url, secrets }: WebhookOptions, clock: Clock, waitMs?: number): Channel {
  function post(id: string, type: string, data: object, signal: AbortSignal): Promise<Delivered> {
    const body = JSON.stringify({ type, timestamp: new Date(clock.wallMs()).toISOString(), data })
    return postWebhook({ url, secrets, id, contentType: 'application/json', body }, { clock, signal, waitMs })
  }
  return {
    name: `webhook:${name}`,
    target: new URL(url).host,
    deliver: ({ key, request }, signal) => post(key, 'permission-request', request, signal),
    withdraw: ({ key, ending, words }, signal) => post(key, 'permission-withdrawn', { ...ending, words }, signal),
  }
}
