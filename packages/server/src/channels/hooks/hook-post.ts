import type { Webhook } from '@hotline/core/project/webhooks'
import type { Envelope } from '@hotline/protocol/event'
import { splitStream } from '@hotline/protocol/stream'
import type { Clock } from '../../machine/clock.ts'
import { type OutsidePosted, postOutside } from '../../machine/post-outside.ts'
import type { HookKeys } from './hook-keys.ts'

/** A webhook with its names. */
export interface Hook extends Webhook {
  project: string
  webhook: string
}

/** What it takes to post. */
export interface HookPostPorts {
  keys: HookKeys
  clock: Clock
  /** Hosts with ports that the operator allows, wherever they are. */
  targets: readonly string[]
}

/** Under which it is in the book: people choose the id of a webhook, and those of two projects may be the same. */
export function bookKey({ project, webhook }: Pick<Hook, 'project' | 'webhook'>): string {
  return `${project}.${webhook}`
}

/** The same at every try, and after a restart. */
export function deliveryId(webhook: string, stream: string, seq: number): string {
  return `${webhook}.${stream}.${seq}`
}

/** Posts an event, signed. */
export function postEvent(
  hook: Hook,
  event: Envelope,
  ports: HookPostPorts,
  signal: AbortSignal,
): Promise<OutsidePosted> {
  const { kind, id } = splitStream(event.stream)
  const of = kind === 'session' ? { session: id } : kind === 'task' ? { task: id } : {}
  const data = { project: hook.project, ...of, event }
  return postHook(
    hook,
    { id: deliveryId(hook.webhook, event.stream, event.seq), type: event.type, at: event.at, data },
    ports,
    signal,
  )
}

/** Posts anything to a webhook. */
export function postHook(
  hook: Hook,
  { id, type, at, data }: { id: string; type: string; at: string; data: object },
  { keys, clock, targets }: HookPostPorts,
  signal: AbortSignal,
): Promise<OutsidePosted> {
  const secrets = keys.secrets(hook, clock.wallMs())
  const body = JSON.stringify({ type, timestamp: at, data })
  return postOutside({ url: hook.url, secrets, id, body }, { clock, signal, targets })
}
