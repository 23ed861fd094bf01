import type { Command } from '@hotline/protocol/command'
import type { KnownEvent } from '@hotline/protocol/events'
import { namesEvents } from '@hotline/protocol/known-event'
import { accept, type Decision, refuse } from '../decision.ts'

/** Where events of a project are posted to. */
export interface Webhook {
  url: string
  events: readonly string[]
  description: string
  enabled: boolean
  addedAt: string
  /** Which secret it is signed with: 1, 2, 3, … */
  generation: number
  rotatedAt?: string | undefined
}

/** Those of a project, by their ids. */
export type Webhooks = Readonly<Record<string, Webhook>>

const webhooksMax = 20

/** Ids are chosen by people: one may be what every object has. */
function held(webhooks: Webhooks, webhook: string): Webhook | undefined {
  return Object.hasOwn(webhooks, webhook) ? webhooks[webhook] : undefined
}

/** What a command means for the webhooks of a project; undefined for one that is about something else. */
export function decideWebhooks(webhooks: Webhooks, command: Command): Decision | undefined {
  const refusal = refuseUnknown(command)
  if (refusal) return refusal
  if (command.type === 'webhook.add') {
    const { webhook, events, url, description } = command.data
    if (held(webhooks, webhook)) return refuse('already_exists', 'A webhook with this id exists.')
    if (Object.keys(webhooks).length >= webhooksMax) {
      return refuse('invalid_request', `A project has ${webhooksMax} webhooks at most. Remove one first.`)
    }
    const body = { url, ...(description === undefined ? {} : { description }) }
    return accept({ type: 'webhook.added', data: { webhook, events }, body })
  }
  if (!isOfWebhook(command)) return undefined
  const { webhook } = command.data
  const now = held(webhooks, webhook)
  if (!now) return refuse('not_found', 'There is no webhook with this id.')
  switch (command.type) {
    case 'webhook.change': {
      const { url, events, description, enabled } = command.data
      const data = { webhook, ...(events ? { events } : {}), ...(enabled === undefined ? {} : { enabled }) }
      const body = { ...(url === undefined ? {} : { url }), ...(description === undefined ? {} : { description }) }
      return accept({ type: 'webhook.changed', data, body })
    }
    case 'webhook.remove':
      return accept({ type: 'webhook.removed', data: { webhook } })
    case 'webhook.rotate':
      return accept({ type: 'webhook.rotated', data: { webhook, generation: now.generation + 1 } })
    case 'webhook.disable':
      return now.enabled ? accept({ type: 'webhook.disabled', data: { webhook } }) : accept()
  }
}

/** A name that is mistyped would be waited for in vain. */
function refuseUnknown(command: Command): Decision | undefined {
  if (command.type !== 'webhook.add' && command.type !== 'webhook.change') return undefined
  const unknown = command.data.events?.find((name) => !namesEvents(name))
  if (unknown === undefined) return undefined
  return refuse(
    'invalid_request',
    `There are no events "${unknown}". The document of the WebSocket protocol lists them all.`,
  )
}

type OfWebhook = Extract<Command, { type: 'webhook.change' | 'webhook.remove' | 'webhook.rotate' | 'webhook.disable' }>

function isOfWebhook(command: Command): command is OfWebhook {
  return ['webhook.change', 'webhook.remove', 'webhook.rotate', 'webhook.disable'].includes(command.type)
}

/** The fold; undefined for an event that is about something else. */
export function evolveWebhooks(webhooks: Webhooks, event: KnownEvent): Webhooks | undefined {
  if (event.type === 'webhook.added') {
    const { webhook, events } = event.data
    const { url = '', description = '' } = event.body ?? {}
    // What was erased leads nowhere.
    const enabled = url !== ''
    return { ...webhooks, [webhook]: { url, events, description, enabled, addedAt: event.at, generation: 1 } }
  }
  if (event.type === 'webhook.removed') {
    const { [event.data.webhook]: _, ...others } = webhooks
    return others
  }
  if (event.type !== 'webhook.changed' && event.type !== 'webhook.rotated' && event.type !== 'webhook.disabled') {
    return undefined
  }
  const now = held(webhooks, event.data.webhook)
  return now ? { ...webhooks, [event.data.webhook]: changed(now, event) } : webhooks
}

type Change = Extract<KnownEvent, { type: 'webhook.changed' | 'webhook.rotated' | 'webhook.disabled' }>

function changed(now: Webhook, event: Change): Webhook {
  switch (event.type) {
    case 'webhook.changed': {
      const { events = now.events, enabled = now.enabled } = event.data
      const { url = now.url, description = now.description } = event.body ?? {}
      return { ...now, url, events, description, enabled }
    }
    case 'webhook.rotated':
      return { ...now, generation: event.data.generation, rotatedAt: event.at }
    case 'webhook.disabled':
      return { ...now, enabled: false }
  }
}

/** Whether events of this type go to it. A family is without its lines in lists (`task.indexed`): they repeat what was said. */
export function isWanted({ events }: Pick<Webhook, 'events'>, type: string): boolean {
  const isLine = type.endsWith('.indexed')
  return events.some((one) => one === type || (!isLine && one.endsWith('.*') && type.startsWith(one.slice(0, -1))))
}
