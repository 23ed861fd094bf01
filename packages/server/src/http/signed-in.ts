import type { Problem } from '@hotline/protocol/error'
import type { SignedInAnswer } from '@hotline/protocol/http'
import type { z } from 'zod'
import type { Place, SignedIn } from '../access/accounts.ts'
import { sessionMaxMs } from '../access/browser-sessions.ts'
import { browserMaxMs } from '../access/known-browser.ts'
import type { Principal } from '../access/principal.ts'
import { nameOfBrowser } from './browser-name.ts'
import { markCookie, sessionCookie } from './cookies.ts'
import type { Visit } from './guard.ts'
import type { RouteAnswer } from './route.ts'

/** Whether it came with the cookie of a browser. */
export function isBrowser(principal: Principal): boolean {
  return principal.channel.startsWith('web:')
}

/** Where somebody signs in; a browser's session from before is replaced. */
export function placeOf(visit: Visit, before: Principal | undefined): Place {
  const place = {
    network: visit.network,
    address: visit.address,
    device: nameOfBrowser(visit.userAgent),
    mark: visit.mark,
  }
  return before && isBrowser(before) ? { ...place, replaces: before.key } : place
}

/** The answer to whoever has just signed in: the account, and the cookie of its session. */
export function signedIn(outcome: SignedIn | Problem, visit: Visit): RouteAnswer<z.input<typeof SignedInAnswer>> {
  if ('code' in outcome) return { problem: outcome }
  return {
    value: { account: outcome.account },
    setCookie: [
      sessionCookie(outcome.session.text, visit, sessionMaxMs),
      markCookie(outcome.mark, visit, browserMaxMs),
    ],
  }
}
