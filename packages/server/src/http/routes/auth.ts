import { problem } from '@hotline/protocol/error'
import {
  AuthState,
  BootstrapBody,
  ChangePasswordBody,
  ConfirmBody,
  SignedInAnswer,
  SignInBody,
  SignOutEverywhereBody,
  ServiceToken,
  Ticket,
} from '@hotline/protocol/http'
import type { Access } from '../../access/open-access.ts'
import { endedCookie } from '../cookies.ts'
import { originOf } from '../doors.ts'
import type { RegisterRoute } from '../route.ts'
import { isBrowser, placeOf, signedIn } from '../signed-in.ts'

/** The first account, signing in and out, passwords, tickets for sockets. */
export function registerAuthRoutes(route: RegisterRoute, access: Access): void {
  const { accounts, bootstrap, tickets } = access

  route({
    method: 'GET',
    url: '/api/auth/state',
    permission: 'open',
    answer: AuthState,
    handle: ({ principal }) => ({ value: { bootstrap: bootstrap.state, signedIn: principal !== undefined } }),
  })

  route({
    method: 'POST',
    url: '/api/auth/bootstrap',
    permission: 'open',
    answer: SignedInAnswer,
    body: BootstrapBody,
    handle: async ({ body, visit, principal }) => {
      const claimed = await bootstrap.claim(body, placeOf(visit, principal))
      if (!('code' in claimed)) await access.finishFirstAccount()
      return signedIn(claimed, visit)
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/sign-in',
    permission: 'open',
    answer: SignedInAnswer,
    body: SignInBody,
    handle: async ({ body, visit, principal }) =>
      signedIn(await accounts.signIn(body.name, body.password, placeOf(visit, principal)), visit),
  })

  route({
    method: 'POST',
    url: '/api/auth/sign-out',
    permission: 'signed-in',
    handle: async ({ principal, visit }) => {
      if (!isBrowser(principal)) {
        return {
          problem: problem('invalid_request', 'A token is not signed out; revoke it with DELETE /api/keys/<id>.'),
        }
      }
      const refusal = await accounts.signOut(principal)
      return refusal ? { problem: refusal } : { value: undefined, setCookie: endedCookie(visit) }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/sign-out-everywhere',
    permission: 'write',
    body: SignOutEverywhereBody,
    handle: async ({ principal, body, visit }) => {
      const refusal = await access.signOutEverywhere(principal, body.keys)
      if (refusal) return { problem: refusal }
      return isBrowser(principal) ? { value: undefined, setCookie: endedCookie(visit) } : { value: undefined }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/password',
    permission: 'own',
    answer: SignedInAnswer,
    body: ChangePasswordBody,
    handle: async ({ principal, body, visit }) => {
      const changed = await accounts.changePassword(principal, body.current, body.next, placeOf(visit, undefined))
      // A program that changed the password goes on with its token and gets no cookie.
      if ('code' in changed || isBrowser(principal)) return signedIn(changed, visit)
      return { value: { account: changed.account } }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/confirm',
    permission: 'signed-in',
    body: ConfirmBody,
    handle: async ({ principal, body, visit }) => {
      const refusal = await accounts.confirm(principal, body.password, placeOf(visit, undefined))
      return refusal ? { problem: refusal } : { value: undefined }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/token',
    permission: 'signed-in',
    answer: ServiceToken,
    handle: async ({ principal }) => {
      const issued = await access.serviceTokens.issue(principal)
      return 'code' in issued ? { problem: issued } : { value: issued, status: 201 }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/ticket',
    permission: 'signed-in',
    answer: Ticket,
    handle: ({ principal, visit }) => {
      const issued = tickets.issue(principal.key, originOf(visit))
      if (issued) return { value: issued, status: 201 }
      const detail = 'Too many tickets are open. Use one, or wait half a minute.'
      return { problem: problem('rate_limited', detail, { retryAfterMs: 30_000 }) }
    },
  })
}
