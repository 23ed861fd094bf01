import { createHmac } from 'node:crypto'

/**
 * The headers of the Standard Webhooks scheme: what is signed is the id, the time and the bytes of the body. With two secrets, while
 * one takes the place of the other, there are two signatures, and either is enough; with none it has no signature.
 */
export function signedHeaders(
  secrets: readonly string[],
  message: { id: string; atMs: number; body: string },
): Record<string, string> {
  const seconds = String(Math.floor(message.atMs / 1_000))
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${message.id}.${seconds}.${message.body}`).digest('base64')}`
  })
  const signature: Record<string, string> = signatures.length === 0 ? {} : { 'webhook-signature': signatures.join(' ') }
  return { 'webhook-id': message.id, 'webhook-timestamp': seconds, ...signature }
}
