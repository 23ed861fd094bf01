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
  /** It came with a token that was signed for its key, which ends then; such a one makes no other. */
  signedUntilMs?: number | undefined
  /** Where it spoke from, for the log: `web:<key>`, `api:<key>`, `runner:<id>`, and `cli:<terminal>/<key>` as it says of itself. */
  channel: string
  /** The address that it speaks from, as far as it can be believed; absent for what speaks from nowhere. */
  address?: string | undefined
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

/** What the command line says that it is: its terminal, or its process where it has none. */
const commandLine = /^hotline-cli\/([A-Za-z0-9][A-Za-z0-9._-]{0,39})$/

/**
 * The same principal with what its program says of itself. That is a claim, and worth little: only somebody who came with a
 * personal token can say that it was the command line, whose word that is stays in the channel as the key, and nothing is
 * decided by it. The page, services and runners are known by their credential and cannot be called otherwise.
 */
export function speakingThrough(principal: Principal, client: string | undefined): Principal {
  const place = commandLine.exec(client ?? '')?.[1]
  const isPersonal = principal.kind === 'person' && principal.channel === `api:${principal.key}`
  return place === undefined || !isPersonal ? principal : { ...principal, channel: `cli:${place}/${principal.key}` }
}
