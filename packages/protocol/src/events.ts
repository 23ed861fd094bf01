import type { z } from 'zod'
import type { Draft, Envelope, EventSpec } from './event.ts'
import { accountEvents } from './events/account.ts'
import { approvalEvents } from './events/approval.ts'
import { budgetEvents } from './events/budget.ts'
import { checkpointEvents } from './events/checkpoint.ts'
import { controlEvents } from './events/control.ts'
import { draftEvents } from './events/draft.ts'
import { messageEvents } from './events/message.ts'
import { outputEvents } from './events/output.ts'
import { policyEvents } from './events/policy.ts'
import { projectEvents } from './events/project.ts'
import { serverEvents } from './events/server.ts'
import { sessionEvents } from './events/session.ts'
import { taskEvents } from './events/task.ts'
import { turnEvents } from './events/turn.ts'
import { webhookEvents } from './events/webhook.ts'
import { workspaceEvents } from './events/workspace.ts'

/** Every type of event that this version knows. */
export const eventSpecs = {
  ...sessionEvents,
  ...messageEvents,
  ...turnEvents,
  ...outputEvents,
  ...approvalEvents,
  ...controlEvents,
  ...budgetEvents,
  ...checkpointEvents,
  ...workspaceEvents,
  ...draftEvents,
  ...projectEvents,
  ...taskEvents,
  ...policyEvents,
  ...serverEvents,
  ...accountEvents,
  ...webhookEvents,
} as const satisfies Record<string, EventSpec>

type Specs = typeof eventSpecs

/** The name of an event that this version knows, `noun.verbed`. */
export type EventType = keyof Specs

/** What is loose on the wire is closed inside: the members that this version knows. */
type Known<T> = T extends readonly (infer U)[]
  ? Known<U>[]
  : T extends object
    ? { [K in keyof T as string extends K ? never : K]: Known<T[K]> }
    : T

export type DataOf<T extends EventType> = Known<z.infer<Specs[T]['data']>>

/** What can be erased of an event: people's and agents' own words. */
export type BodyOf<T extends EventType> = Specs[T]['body'] extends z.ZodType
  ? Known<z.infer<Specs[T]['body']>>
  : undefined

/** An event of a known type; the body is absent where it was erased. */
export type EventOf<T extends EventType> = T extends EventType
  ? Omit<Envelope, 'type' | 'data' | 'body'> & { type: T; data: DataOf<T>; body?: BodyOf<T> | undefined }
  : never

/** An event of any type that this version knows. */
export type KnownEvent = EventOf<EventType>

/** A draft of a known type: what `decide` returns and what a runner reports. */
export type DraftOf<T extends EventType> = T extends EventType
  ? Specs[T]['body'] extends z.ZodType
    ? Omit<Draft<T, DataOf<T>, BodyOf<T>>, 'body'> & { body: BodyOf<T> }
    : Omit<Draft<T, DataOf<T>>, 'body'>
  : never

/** The same before it has a place. */
export type KnownDraft = DraftOf<EventType>
