import { type Problem, problem } from '@hotline/protocol/error'
import type { SigningKeySet } from '@hotline/protocol/http'
import { jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import type { Clock } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import type { Principal } from './principal.ts'
import type { SigningKeys } from './signing-keys.ts'

/** One algorithm, and one type of token: what says anything else of itself is not looked at. */
const algorithm = 'EdDSA'
const tokenType = 'hotline-service+jwt'
const lifeSeconds = 10 * 60
/** How far the clocks of two nodes, or of one before and after it was set, may be apart. */
const skewSeconds = 5
/** Ours has about 400 characters. */
const maxChars = 1_000
const form = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

const Claims = z.object({ sub: z.string(), iat: z.int(), exp: z.int() })

/** What a signed token stands for. */
export interface SignedClaim {
  /** The service's key; what it may do is in its row. */
  key: string
  endsMs: number
}

/**
 * Short-lived tokens of services: whoever has an API key exchanges it for one, and hands that to what should not hold the
 * key itself. It says which key it stands for and until when, and nothing else: rights are read from the key's row at every
 * use, so it ends with the key, and with its owner's account.
 */
export class ServiceTokens {
  readonly #keys: SigningKeys
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(ports: { keys: SigningKeys; clock: Clock; ids: Ids }) {
    this.#keys = ports.keys
    this.#clock = ports.clock
    this.#ids = ports.ids
  }

  /** The public keys of what it signed; a new one stands there before it signs. */
  async publicKeys(): Promise<SigningKeySet> {
    await this.#keys.current()
    return this.#keys.published()
  }

  /** A token for the service that asks with its key; one does not make another. */
  async issue(by: Principal): Promise<{ token: string; expiresAt: string } | Problem> {
    if (by.kind !== 'service') return problem('forbidden', 'Only the API key of a service is exchanged for a token.')
    if (by.signedUntilMs !== undefined) {
      return problem('forbidden', 'A token that was signed makes no other. Use the API key.')
    }
    const { kid, privateKey } = await this.#keys.current()
    const now = Math.floor(this.#clock.wallMs() / 1_000)
    const end = Math.min(now + lifeSeconds, Math.floor((by.endsMs ?? Infinity) / 1_000))
    const { issuer } = this.#keys
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: algorithm, typ: tokenType, kid })
      .setIssuer(issuer)
      .setAudience(audienceOf(issuer))
      .setSubject(by.key)
      .setIssuedAt(now)
      .setExpirationTime(end)
      .setJti(this.#ids.uuid())
      .sign(privateKey)
    return { token, expiresAt: new Date(end * 1_000).toISOString() }
  }

  /** What a token stands for; undefined for one that is not ours, not for us, over, or not what it should be. */
  async verify(token: string): Promise<SignedClaim | undefined> {
    const { issuer } = this.#keys
    const nowMs = this.#clock.wallMs()
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          const key = this.#keys.find(kid)
          if (!key) throw new Error('a key that is not ours')
          return key
        },
        {
          algorithms: [algorithm],
          typ: tokenType,
          issuer,
          audience: audienceOf(issuer),
          requiredClaims: ['sub', 'jti', 'iat', 'exp'],
          maxTokenAge: lifeSeconds,
          clockTolerance: skewSeconds,
          currentDate: new Date(nowMs),
        },
      )
      const { sub, iat, exp } = Claims.parse(payload)
      return exp - iat <= lifeSeconds ? { key: sub, endsMs: exp * 1_000 } : undefined
    } catch {
      // The library throws a class of its own for each thing that can be wrong; whoever sent it is told none of them.
      return undefined
    }
  }
}

/** Whether it looks like a token that was signed, and not like one that is looked up. */
export function looksSigned(text: string): boolean {
  return text.length <= maxChars && form.test(text)
}

function audienceOf(issuer: string): string {
  return `${issuer}:api`
}
