import { CreatedKey, CreateKeyBody, KeyPage, type KeyRow } from '@hotline/protocol/http'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { Keys } from '../../access/keys.ts'
import type { Principal } from '../../access/principal.ts'
import type { KeyTable } from '../../log/tables.ts'
import { Nothing, type RegisterRoute } from '../route.ts'

/** Names are shown in lists and logs: nothing in them moves a cursor or ends a line. */
const plainText = /^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u
const NewKeyBody = CreateKeyBody.extend({
  name: CreateKeyBody.shape.name.regex(plainText, 'may not hold control characters'),
})

/** Personal tokens, keys of services and keys of runners. */
export function registerKeyRoutes(route: RegisterRoute, keys: Keys): void {
  route({
    method: 'GET',
    url: '/api/keys',
    summary: 'My keys and sessions, without their secrets',
    permission: 'signed-in',
    revalidate: 'etag',
    answer: KeyPage,
    handle: async ({ principal }) => ({
      value: { keys: (await keys.list(principal)).map((row) => keyRow(row, principal)) },
    }),
  })

  route({
    method: 'POST',
    url: '/api/keys',
    summary: 'Make a key; its secret is shown once, in this answer',
    permission: 'write',
    status: 201,
    refuses: ['already_exists', 'queue_full', 'idempotency_mismatch', 'not_found'],
    example: { kind: 'svc', name: 'nightly build', days: 30, scopes: ['read', 'write'] },
    proof: 'password',
    answer: CreatedKey,
    body: NewKeyBody,
    once: 'idempotency-key',
    handle: async ({ principal, body, idempotencyKey }) => {
      const made = await keys.create(principal, body, idempotencyKey)
      if ('code' in made) return { problem: made }
      return { value: { ...keyRow(made.row, principal), token: made.token } }
    },
  })

  route({
    method: 'DELETE',
    url: '/api/keys/:key',
    summary: 'End a key or a session',
    permission: 'signed-in',
    answer: Nothing,
    params: z.strictObject({ key: Id }),
    handle: async ({ principal, params }) => {
      const refusal = await keys.revoke(principal, params.key)
      return refusal ? { problem: refusal } : { value: undefined }
    },
  })
}

function keyRow(row: KeyTable, asker: Principal): KeyRow {
  return {
    key: row.key,
    kind: row.kind,
    name: row.name,
    scopes: JSON.parse(row.scopes) as string[],
    projects: row.projects === null ? null : (JSON.parse(row.projects) as string[]),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    lastUsedFrom: row.last_used_from,
    current: row.key === asker.key,
  }
}
