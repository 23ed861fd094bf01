import type { Permission } from '@hotline/core/roles'
import type { Actor } from '@hotline/protocol/actor'

/**
 * Who stands behind a request, whatever door it came through. Built in one place (`authenticate`); handlers never see the
 * raw request's credentials. What it may do is read from rows, never from what the sender says of itself.
 */
export interface Principal {
  kind: 'person' | 'service' | 'runner' | 'system'
  /** Account, service key or runner id. */
  id: string
  name: string
  /** The account whose roles on projects count: a person's own, the owner's for a service; absent for the others. */
  account?: string | undefined
  /** The credential that was used: its row id. */
  key: string
  /** May manage accounts of this server. */
  admin: boolean
  /** Permissions that the credential itself is limited to; the role on the project limits further. */
  scopes: readonly Permission[]
  /** Projects that the credential is limited to; absent: all of its account. */
  projects?: readonly string[] | undefined
  /** Version of the account's rights when this was built; an older one than stored is dead. */
  accessVersion: number
  /** When the credential ends as far as is known now, in wall milliseconds; absent: it does not. */
  endsMs?: number | undefined
  /** Where it spoke from, for the log: `web:…`, `api:<key>`, `runner:<id>`. */
  channel: string
}

/** Who did it, as events name them. */
export function actorOf(principal: Principal): Actor {
  return { kind: principal.kind, id: principal.id }
}

/**
 * One text for whoever sends, over all their connections and keys: what has been sent before is looked up under it and
 * limits count by it. It stands in stored rows, so it never changes.
 */
export function senderKey({ kind, id }: Pick<Principal, 'kind' | 'id'>): string {
  return `${kind}:${id}`
}
