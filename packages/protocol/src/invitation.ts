import { z } from 'zod'
import { Role } from './actor.ts'
import { AccountName, Password } from './http.ts'
import { Id } from './ids.ts'

/** `POST /api/invitations` (admins of the server): a link with which one person makes their account. */
export const InviteBody = z.strictObject({
  /** Chosen by who invites: with the link nobody finds out which names there are. */
  name: AccountName,
  /** Where the person is to be a member, and as what. */
  project: Id,
  role: Role.default('operator'),
})

/** Answer: the link is shown once, here. */
export const Invited = z.object({
  key: z.string(),
  /** With the code in its fragment, which is sent to nobody. */
  link: z.string(),
  expiresAt: z.string(),
})

/** `POST /api/auth/invitation` */
export const InvitationCodeBody = z.strictObject({ code: z.string().max(160) })

/** What the invited person sees before they choose a password. */
export const Invitation = z.object({
  name: z.string(),
  invitedBy: z.string(),
  project: z.string(),
  role: Role,
  expiresAt: z.string(),
})
export type Invitation = z.infer<typeof Invitation>

/** `POST /api/auth/invitation/accept` */
export const AcceptInvitationBody = z.strictObject({ code: z.string().max(160), password: Password })
