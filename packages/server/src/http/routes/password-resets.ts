import { SignedInAnswer } from '@hotline/protocol/http'
import {
  AcceptPasswordResetBody,
  PasswordReset,
  PasswordResetCodeBody,
  PasswordResetHereBody,
  PasswordResetLink,
} from '@hotline/protocol/password-reset'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { MadeReset, PasswordResets } from '../../access/password-resets.ts'
import type { Visit } from '../guard.ts'
import { Nothing, type RegisterRoute, type RouteAnswer } from '../route.ts'
import { placeOf, signedIn } from '../signed-in.ts'

const OfAccount = z.strictObject({ account: Id })

/** Links for a new password: made by an admin or at the server's machine, and taken up by their person. */
export function registerPasswordResetRoutes(
  route: RegisterRoute,
  resets: PasswordResets,
  publicUrl: string | undefined,
): void {
  const linkOf = ({ row, secret }: MadeReset, visit: Visit): RouteAnswer<PasswordResetLink> => ({
    value: {
      key: row.key,
      link: `${publicUrl ?? visit.origin}/#reset=${secret}`,
      expiresAt: row.expires_at,
    },
  })

  route({
    method: 'POST',
    url: '/api/accounts/:account/password-reset',
    summary: 'Make a link by which a person sets a new password',
    permission: 'account-admin',
    status: 201,
    proof: 'password',
    answer: PasswordResetLink,
    params: OfAccount,
    handle: async ({ principal, params, visit }) => {
      const made = await resets.make(principal, params.account)
      return 'code' in made ? { problem: made } : linkOf(made, visit)
    },
  })

  route({
    method: 'DELETE',
    url: '/api/accounts/:account/password-reset',
    summary: 'End such a link',
    permission: 'account-admin',
    answer: Nothing,
    params: OfAccount,
    handle: async ({ principal, params }) => {
      const refusal = await resets.takeBack(principal, params.account)
      return refusal ? { problem: refusal } : { value: undefined }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/password-reset/here',
    summary: 'On the machine of the server: such a link without a credential',
    permission: 'open',
    status: 201,
    refuses: ['wrong_credentials', 'not_found'],
    answer: PasswordResetLink,
    body: PasswordResetHereBody,
    handle: async ({ body, visit }) => {
      const made = await resets.makeHere(body, visit.network)
      return 'code' in made ? { problem: made } : linkOf(made, visit)
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/password-reset',
    summary: 'Whose password a link is for',
    permission: 'open',
    refuses: ['reset_over', 'not_found'],
    answer: PasswordReset,
    body: PasswordResetCodeBody,
    handle: async ({ body, visit }) => {
      const found = await resets.look(body.code, visit.network)
      if ('code' in found) return { problem: found }
      return { value: { name: found.account.name, expiresAt: found.row.expires_at } }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/password-reset/accept',
    summary: 'Set the new password and sign in',
    permission: 'open',
    refuses: ['reset_over', 'weak_password', 'code_needed', 'not_found'],
    answer: SignedInAnswer,
    body: AcceptPasswordResetBody,
    handle: async ({ body, visit, principal }) =>
      signedIn(await resets.accept(body.code, body, placeOf(visit, principal)), visit),
  })
}
