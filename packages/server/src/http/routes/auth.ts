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
  SigningKeySet,
  Ticket,
} from '@hotline/protocol/http'
import type { Access } from '../../access/open-access.ts'
import { endedCookie } from '../cookies.ts'
import { originOf } from '../doors.ts'
import { Nothing, type RegisterRoute } from '../route.ts'
import { isBrowser, placeOf, signedIn } from '../signed-in.ts'

/** The first account, signing in and out, passwords, tickets for sockets. */
export function registerAuthRoutes(route: RegisterRoute, access: Access): void {
  const { accounts, bootstrap, tickets } = access

  route({
    method: 'GET',
    url: '/api/auth/state',
    summary: 'What a page must ask for first',
    permission: 'open',
    answer: AuthState,
    handle: ({ principal }) => ({ value: { bootstrap: bootstrap.state, signedIn: principal !== undefined } }),
  })

  route({
    method: 'POST',
    url: '/api/auth/bootstrap',
    summary: 'Make the first account of a fresh server',
    permission: 'open',
    refuses: ['weak_password', 'wrong_credentials', 'bootstrap_closed', 'already_exists'],
    example: { code: 'the code that the server printed', name: 'dana', password: 'a long walk in the rain' },
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
    summary: 'Sign in with a password; the answer sets a cookie',
    permission: 'open',
    refuses: ['wrong_credentials', 'code_needed'],
    example: { name: 'dana', password: 'a long walk in the rain' },
    answer: SignedInAnswer,
    body: SignInBody,
    handle: async ({ body, visit, principal }) =>
      signedIn(await accounts.signIn(body, placeOf(visit, principal)), visit),
  })

  route({
    method: 'POST',
    url: '/api/auth/sign-out',
    summary: 'End the session of this browser',
    permission: 'signed-in',
    answer: Nothing,
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
    summary: 'End all sessions of my account, and its keys where that is wished',
    permission: 'write',
    answer: Nothing,
    example: { keys: 'keep' },
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
    summary: 'Change my password',
    permission: 'own',
    refuses: ['wrong_credentials', 'weak_password'],
    example: { current: 'a long walk in the rain', next: 'a longer walk in the snow' },
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
    summary: 'Say my password again, for what asks for that within five minutes',
    permission: 'signed-in',
    answer: Nothing,
    refuses: ['wrong_credentials'],
    example: { password: 'a long walk in the rain' },
    body: ConfirmBody,
    handle: async ({ principal, body, visit }) => {
      const refusal = await accounts.confirm(principal, body.password, placeOf(visit, undefined))
      return refusal ? { problem: refusal } : { value: undefined }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/token',
    summary: 'For an API key: a signed token of the same rights that lives ten minutes',
    permission: 'signed-in',
    status: 201,
    answer: ServiceToken,
    handle: async ({ principal }) => {
      const issued = await access.serviceTokens.issue(principal)
      return 'code' in issued ? { problem: issued } : { value: issued }
    },
  })

  route({
    method: 'GET',
    url: '/.well-known/jwks.json',
    summary: 'The public keys of signed tokens, for programs that check one themselves',
    permission: 'open',
    revalidate: 'etag',
    answer: SigningKeySet,
    handle: async () => ({ value: await access.serviceTokens.publicKeys() }),
  })

  route({
    method: 'POST',
    url: '/api/auth/ticket',
    summary: 'A ticket by which a WebSocket says who it is, good once and for 30 seconds',
    permission: 'signed-in',
    status: 201,
    answer: Ticket,
    handle: ({ principal, visit }) => {
      const issued = tickets.issue(principal.key, originOf(visit))
      if (issued) return { value: issued }
      const detail = 'Too many tickets are open. Use one, or wait half a minute.'
      return { problem: problem('rate_limited', detail, { retryAfterMs: 30_000 }) }
    },
  })
}
