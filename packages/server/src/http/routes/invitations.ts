import { SignedInAnswer } from '@hotline/protocol/http'
import { AcceptInvitationBody, Invitation, InvitationCodeBody, InviteBody, Invited } from '@hotline/protocol/invitation'
import type { Invitations } from '../../access/invitations.ts'
import type { RegisterRoute } from '../route.ts'
import { placeOf, signedIn } from '../signed-in.ts'

/** Inviting a person, and taking the invitation up. */
export function registerInvitationRoutes(route: RegisterRoute, invitations: Invitations): void {
  route({
    method: 'POST',
    url: '/api/invitations',
    summary: 'Invite a person; the answer holds the link',
    permission: 'account-admin',
    status: 201,
    refuses: ['already_exists', 'queue_full', 'not_found'],
    proof: 'password',
    answer: Invited,
    body: InviteBody,
    handle: async ({ principal, body, visit }) => {
      const made = await invitations.invite(principal, body)
      if ('code' in made) return { problem: made }
      const { row, secret } = made
      const link = `${visit.origin}/#invite=${secret}`
      return { value: { key: row.key, link, expiresAt: row.expires_at } }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/invitation',
    summary: 'What an invitation is for',
    permission: 'open',
    refuses: ['invitation_over', 'not_found'],
    answer: Invitation,
    body: InvitationCodeBody,
    handle: async ({ body, visit }) => {
      const found = await invitations.look(body.code, visit.network)
      if ('code' in found) return { problem: found }
      const { row, inviter, project, role } = found
      const invitedBy = inviter.name
      return { value: { name: row.name, invitedBy, project: project.name, role, expiresAt: row.expires_at } }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/invitation/accept',
    summary: 'Accept an invitation: make the account and sign in',
    permission: 'open',
    refuses: ['invitation_over', 'weak_password', 'already_exists', 'not_found'],
    answer: SignedInAnswer,
    body: AcceptInvitationBody,
    handle: async ({ body, visit, principal }) =>
      signedIn(await invitations.accept(body.code, body.password, placeOf(visit, principal)), visit),
  })
}
