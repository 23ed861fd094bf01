import { z } from 'zod'
import { SecondFactorCode } from './second-factor.ts'
import { AccountName, Password } from './http.ts'

/** Answer of what makes a link for a new password: it is shown once, here. */
export const PasswordResetLink = z.object({
  key: z.string(),
  /** With the code in its fragment, which is sent to nobody. */
  link: z.string(),
  expiresAt: z.string(),
})
export type PasswordResetLink = z.infer<typeof PasswordResetLink>

/**
 * `POST /api/auth/password-reset/here`: for whoever sits at the server's machine. `proof` is what the file `local-proof`
 * in the data directory holds at that moment; who can write there has everything.
 */
export const PasswordResetHereBody = z.strictObject({
  name: AccountName,
  proof: z.string().max(160),
  /** `remove`: the second factor of the account ends at once. */
  secondFactor: z.enum(['keep', 'remove']).default('keep'),
})

/** `POST /api/auth/password-reset` */
export const PasswordResetCodeBody = z.strictObject({ code: z.string().max(160) })

/** For whom the link is. */
export const PasswordReset = z.object({ name: z.string(), expiresAt: z.string() })
export type PasswordReset = z.infer<typeof PasswordReset>

/** `POST /api/auth/password-reset/accept`; `revoke`: tokens, API keys and invitations of the account end as well. */
export const AcceptPasswordResetBody = z.strictObject({
  code: z.string().max(160),
  password: Password,
  /** Of the second factor, where the account has one. The one of the link is `code`. */
  secondCode: SecondFactorCode.optional(),
  keys: z.enum(['keep', 'revoke']).default('keep'),
})
