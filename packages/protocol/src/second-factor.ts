import { z } from 'zod'

/**
 * The second factor of a person: codes of an authenticator app (TOTP, RFC 6238: SHA-1, six digits, thirty seconds), asked for
 * beside the password at every sign-in, and recovery codes for when the app is lost.
 */

/** Six digits of the app, or a recovery code; blanks and hyphens in it count for nothing. */
export const SecondFactorCode = z.string().min(6).max(40)

/** `GET /api/me/second-factor` */
export const SecondFactorState = z.object({
  on: z.boolean(),
  /** When it was turned on. */
  since: z.string().nullable(),
  /** How many recovery codes are left. */
  recoveryCodes: z.int(),
})
export type SecondFactorState = z.infer<typeof SecondFactorState>

/** `POST /api/me/second-factor`: what an app is told. Nothing is asked for yet. */
export const StartedSecondFactor = z.object({
  /** In base32, for typing. */
  secret: z.string(),
  /** The same as `otpauth://…`, for a QR code. */
  uri: z.string(),
})
export type StartedSecondFactor = z.infer<typeof StartedSecondFactor>

/** `POST /api/me/second-factor/confirm` and `…/remove` */
export const SecondFactorBody = z.strictObject({ code: SecondFactorCode })

/** Answer of what turns it on: each works once in the place of a code. They are shown here and nowhere else. */
export const RecoveryCodes = z.object({ recoveryCodes: z.array(z.string()) })
export type RecoveryCodes = z.infer<typeof RecoveryCodes>
