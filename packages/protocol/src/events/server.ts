import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { Id } from '../ids.ts'

/**
 * Kinds of secrets that are handed out: browser session, personal token, API key of a service, runner, socket ticket, code
 * of a program that is being signed in, invitation, link for a new password.
 */
export const KeyKind = z.enum(['ses', 'pat', 'svc', 'run', 'wst', 'dev', 'inv', 'rst'])
export type KeyKind = z.infer<typeof KeyKind>

/** The audit of the server's own stream. Secrets and their hashes are never in an event. */
export const serverEvents = {
  'account.created': defineEvent(
    1,
    z.looseObject({ account: Id, admin: z.boolean() }),
    z.looseObject({ name: z.string() }),
  ),
  'account.disabled': defineEvent(1, z.looseObject({ account: Id })),
  'account.enabled': defineEvent(1, z.looseObject({ account: Id })),
  /** `reset`: by the link with this id, and not by somebody who knew the one before. */
  'account.password_changed': defineEvent(1, z.looseObject({ account: Id, reset: Id.optional() })),
  /** Out of every browser; with `revoke` tokens, API keys and invitations ended as well. */
  'account.signed_out': defineEvent(1, z.looseObject({ account: Id, keys: z.enum(['keep', 'revoke']) })),
  'account.signed_in': defineEvent(1, z.looseObject({ account: Id, key: Id })),
  'account.locked': defineEvent(1, z.looseObject({ account: Id, until: z.string() })),
  'account.second_factor_added': defineEvent(1, z.looseObject({ account: Id })),
  /** By its person, by an admin, or on the server's machine: the actor says it. */
  'account.second_factor_removed': defineEvent(1, z.looseObject({ account: Id })),
  /** One of the codes for a lost app was shown in the place of a code. */
  'account.recovery_code_used': defineEvent(1, z.looseObject({ account: Id, left: z.int() })),
  'key.created': defineEvent(
    1,
    z.looseObject({
      key: Id,
      kind: KeyKind,
      account: Id.optional(),
      expiresAt: z.string(),
      scopes: z.array(z.string()),
      projects: z.array(Id).optional(),
    }),
    z.looseObject({ name: z.string() }),
  ),
  'key.revoked': defineEvent(1, z.looseObject({ key: Id })),
  /** Another key signs the heads of the log from here on; both public halves. */
  'head_key.replaced': defineEvent(1, z.looseObject({ key: z.string(), before: z.string() })),
  'runner.enrolled': defineEvent(1, z.looseObject({ runner: Id, key: Id }), z.looseObject({ name: z.string() })),
}
