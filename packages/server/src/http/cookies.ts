import type { Visit } from './guard.ts'

/** Longest Cookie header that is read, and how many cookies: localhost shares its cookies among all ports. */
const headerMaxChars = 12_000
const cookiesMax = 200

/**
 * The name tells how the cookie may travel: with `__Host-` a browser keeps it to https and this host alone. On plain
 * loopback it has another name, which is never read over a proxy.
 */
function cookieName(visit: Visit): string {
  return visit.secure ? '__Host-hotline' : 'hotline-local'
}

/** The session's secret in a Cookie header; `strange` where the header is not one that a browser of ours would send. */
export function readSessionCookie(
  header: string | undefined,
  visit: Visit,
): { token: string } | 'none' | 'twice' | 'strange' {
  if (header === undefined) return 'none'
  const pairs = header.split(';')
  if (header.length > headerMaxChars || pairs.length > cookiesMax) return 'strange'
  const wanted = cookieName(visit)
  let found: string | undefined
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, Math.max(at, 0)).trim()
    if (name === '__proto__') return 'strange'
    if (name !== wanted) continue
    const value = pair.slice(at + 1).trim()
    if (found !== undefined && found !== value) return 'twice'
    found = value
  }
  return found === undefined ? 'none' : { token: found }
}

/** What the browser keeps from an earlier sign-in, whoever's that was. It opens nothing, so a strange one is left unread. */
export function readMarkCookie(header: string | undefined, secure: boolean): string | undefined {
  if (header === undefined || header.length > headerMaxChars) return undefined
  const start = `${markName(secure)}=`
  const pair = header.split(';', cookiesMax).find((one) => one.trimStart().startsWith(start))
  return pair?.trim().slice(start.length)
}

/** A Set-Cookie header that lets the browser be known the next time. Other sites do not send it along. */
export function markCookie(mark: string, visit: Visit, maxAgeMs: number): string {
  return [
    `${markName(visit.secure)}=${mark}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Strict',
    `Max-Age=${Math.floor(maxAgeMs / 1_000)}`,
    ...(visit.secure ? ['Secure'] : []),
  ].join('; ')
}

function markName(secure: boolean): string {
  return secure ? '__Host-hotline-browser' : 'hotline-browser-local'
}

/** A Set-Cookie header that gives the browser its session. */
export function sessionCookie(token: string, visit: Visit, maxAgeMs: number): string {
  return [
    `${cookieName(visit)}=${token}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Lax',
    `Max-Age=${Math.floor(maxAgeMs / 1_000)}`,
    ...(visit.secure ? ['Secure'] : []),
  ].join('; ')
}

/** A Set-Cookie header that takes it away. */
export function endedCookie(visit: Visit): string {
  return sessionCookie('', visit, 0)
}
