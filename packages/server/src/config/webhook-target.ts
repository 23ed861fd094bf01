/** A secret as it stands in the settings: `whsec_` and 24 to 64 bytes in base64. */
export const secretPattern: RegExp = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/

/** At home plain HTTP hides nothing from anybody. */
const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Where we may post to: https, or http to this machine; a name, a password or a fragment is no part of it. */
export function isWebhookUrl(text: string): boolean {
  const url = URL.parse(text)
  if (!url) return false
  const isPrivate = url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname))
  return isPrivate && url.username === '' && url.password === '' && url.hash === ''
}
