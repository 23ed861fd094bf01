import { randomInt } from 'node:crypto'
import type { DeviceScope } from '@hotline/protocol/device-sign-in'
import { type Problem, problem } from '@hotline/protocol/error'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { Clock } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import { tooMany } from './accounts.ts'
import type { Authenticator } from './authenticator.ts'
import type { Keys, MadeKey } from './keys.ts'
import type { Principal } from './principal.ts'
import { consume } from './sign-in-limits.ts'
import { mintToken, parseToken } from './token.ts'

/** 32 letters that are not taken for each other: eight of them are 40 bits. */
const letters = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'
const codeChars = 8
/** A code that nobody confirmed is over after this. */
const codeMs = 10 * 60 * 1_000
/** How often a program may ask; each time that it asks sooner it has to wait so much longer, up to the most. */
const intervalMs = 5_000
const slowerByMs = 5_000
const intervalMaxMs = 60_000
/** The way through a network is not always as long; so much sooner is not too soon. */
const leewayMs = 1_000
/** Codes that are open at the same time, on the whole server and for one network. */
const openMax = 1_000
const openMaxOfNetwork = 10
/** Codes that one network may begin, and wrong ones that one account may type, while a code lives. */
const startsMax = 30
const triesMax = 5

/** A program as it introduced itself, and where it spoke from. */
export interface AskingProgram {
  machine: string
  scopes: readonly DeviceScope[]
  address: string
  /** The address, or the /64 of an IPv6 address. */
  network: string
}

/** What the program gets. */
export interface StartedSignIn {
  deviceCode: string
  userCode: string
  expiresAt: string
  intervalMs: number
}

/** What came of it so far. */
export type SignInOutcome =
  | { state: 'pending'; intervalMs: number }
  | { state: 'denied' }
  | { state: 'approved'; made: MadeKey; name: string }

/** An open sign-in as the person sees it. */
export interface OpenSignIn extends AskingProgram {
  userCode: string
  startedAt: string
  expiresAt: string
}

type Decision =
  | { is: 'open' }
  | { is: 'denied' }
  | { is: 'approved'; by: Principal; scopes: readonly DeviceScope[]; days: number }
  /** The token is being made for the one who asked first. */
  | { is: 'handed out' }

interface SignIn extends OpenSignIn {
  deviceHash: string
  endsMs: number
  intervalMs: number
  /** When it may ask next. */
  nextMs: number
  /** The account that looked first; nobody else can confirm it. */
  claimedBy: string | undefined
  decision: Decision
}

/**
 * Signs in programs that have no browser. A sign-in is begun by the program, looked at and decided by a person who is
 * signed in, and taken by the program, once. Codes live in memory: after a restart the program asks anew. The token is made
 * when it is taken, with the rights that the person's own credential has at that moment; where that has ended, so has the
 * confirmation.
 */
export class DeviceSignIns {
  readonly #ports: { clock: Clock; ids: Ids; keys: Keys; authenticator: Authenticator }
  readonly #byDevice = new Map<string, SignIn>()
  readonly #byCode = new Map<string, SignIn>()
  readonly #starts = new RateLimiterMemory({ points: startsMax, duration: codeMs / 1_000 })
  readonly #tries = new RateLimiterMemory({ points: triesMax, duration: codeMs / 1_000 })

  constructor(ports: { clock: Clock; ids: Ids; keys: Keys; authenticator: Authenticator }) {
    this.#ports = ports
  }

  /** A new code. */
  async start(program: AskingProgram): Promise<StartedSignIn | Problem> {
    const { clock, ids } = this.#ports
    const waitMs = await consume(this.#starts, program.network)
    if (waitMs !== undefined) return tooMany(waitMs)
    this.#sweep()
    const ofNetwork = [...this.#byDevice.values()].filter(({ network }) => network === program.network).length
    if (this.#byDevice.size >= openMax || ofNetwork >= openMaxOfNetwork) return tooMany(codeMs / 10)
    const device = mintToken('dev', ids.uuid())
    const nowMs = clock.monotonicMs()
    const wallMs = clock.wallMs()
    const signIn: SignIn = {
      ...program,
      deviceHash: device.hash,
      userCode: this.#newCode(),
      startedAt: new Date(wallMs).toISOString(),
      expiresAt: new Date(wallMs + codeMs).toISOString(),
      endsMs: nowMs + codeMs,
      intervalMs,
      nextMs: nowMs + intervalMs - leewayMs,
      claimedBy: undefined,
      decision: { is: 'open' },
    }
    this.#byDevice.set(signIn.deviceHash, signIn)
    this.#byCode.set(plainCode(signIn.userCode), signIn)
    return { deviceCode: device.text, userCode: signIn.userCode, expiresAt: signIn.expiresAt, intervalMs }
  }

  /** The program asks what came of it. Throws what reading the lists throws. */
  async ask(deviceCode: string): Promise<SignInOutcome | Problem> {
    this.#sweep()
    const hash = parseToken(deviceCode)?.hash
    const signIn = hash === undefined ? undefined : this.#byDevice.get(hash)
    if (!signIn) return over()
    const nowMs = this.#ports.clock.monotonicMs()
    const isEarly = nowMs < signIn.nextMs
    if (isEarly) signIn.intervalMs = Math.min(signIn.intervalMs + slowerByMs, intervalMaxMs)
    signIn.nextMs = nowMs + signIn.intervalMs - leewayMs
    if (isEarly) {
      const detail = `You ask too often. From now on wait ${signIn.intervalMs / 1_000} s each time.`
      return problem('rate_limited', detail, { retryAfterMs: signIn.intervalMs })
    }
    switch (signIn.decision.is) {
      case 'open':
      case 'handed out':
        return { state: 'pending', intervalMs: signIn.intervalMs }
      case 'denied':
        this.#forget(signIn)
        return { state: 'denied' }
      case 'approved':
        return this.#handOut(signIn, signIn.decision)
    }
  }

  /** Who asks; from now on the code is for this person alone. */
  look(by: Principal, userCode: string): Promise<OpenSignIn | Problem> {
    return this.#find(by, userCode)
  }

  /** Allows it to take a token with these scopes, none of which the person's own credential lacks. */
  async approve(
    by: Principal,
    what: { userCode: string; scopes: readonly DeviceScope[]; days: number },
  ): Promise<OpenSignIn | Problem> {
    const found = await this.#find(by, what.userCode)
    if ('code' in found) return found
    const missing = what.scopes.filter((scope) => !by.scopes.includes(scope))
    if (missing.length > 0) {
      return problem('forbidden', `Your own credential does not have the scope "${missing.join('", "')}".`)
    }
    found.decision = { is: 'approved', by, scopes: what.scopes, days: what.days }
    return found
  }

  /** Refuses it; the program is told. */
  async deny(by: Principal, userCode: string): Promise<Problem | undefined> {
    const found = await this.#find(by, userCode)
    if ('code' in found) return found
    found.decision = { is: 'denied' }
    return undefined
  }

  /** Counted before it is looked up, and given back when it was right: nobody goes through codes. */
  async #find(by: Principal, userCode: string): Promise<SignIn | Problem> {
    if (by.kind !== 'person' || by.account === undefined) return problem('forbidden', 'Only a person can confirm this.')
    const waitMs = await consume(this.#tries, by.account)
    if (waitMs !== undefined) return tooMany(waitMs)
    this.#sweep()
    const found = this.#byCode.get(plainCode(userCode))
    // One that somebody else looked at first is as unknown as one that was never given out.
    const isMine = found?.decision.is === 'open' && (found.claimedBy ?? by.account) === by.account
    if (!found || !isMine)
      return problem('not_found', 'There is no such code, or it is over. Look at the program again.')
    found.claimedBy = by.account
    await this.#tries.reward(by.account)
    return found
  }

  async #handOut(signIn: SignIn, decision: Decision & { is: 'approved' }): Promise<SignInOutcome | Problem> {
    const { authenticator, keys } = this.#ports
    signIn.decision = { is: 'handed out' }
    let made: MadeKey | Problem | undefined
    try {
      const by = await authenticator.renewed(decision.by)
      if (!by) {
        this.#forget(signIn)
        return over()
      }
      const name = `hotline on ${signIn.machine}`
      made = await keys.create(by, { kind: 'pat', name, days: decision.days, scopes: decision.scopes })
      if ('code' in made) return made
      this.#forget(signIn)
      return { state: 'approved', made, name: by.name }
    } finally {
      // What could not be written is tried again when the program asks again.
      if (!made || 'code' in made) signIn.decision = decision
    }
  }

  #newCode(): string {
    for (;;) {
      const code = Array.from({ length: codeChars }, () => letters[randomInt(letters.length)]).join('')
      if (!this.#byCode.has(code)) return `${code.slice(0, 4)}-${code.slice(4)}`
    }
  }

  /** All live equally long, so the oldest stand first. */
  #sweep(): void {
    const nowMs = this.#ports.clock.monotonicMs()
    for (const signIn of this.#byDevice.values()) {
      if (signIn.endsMs > nowMs) return
      this.#forget(signIn)
    }
  }

  #forget(signIn: SignIn): void {
    this.#byDevice.delete(signIn.deviceHash)
    this.#byCode.delete(plainCode(signIn.userCode))
  }
}

/** As people type it: in any case, divided as they like. */
function plainCode(typed: string): string {
  return typed.toUpperCase().replaceAll(/[\s-]/g, '')
}

function over(): Problem {
  const detail =
    'The code is unknown, was used, or is too old, or whoever confirmed it has signed out since. Begin again.'
  return problem('device_code_over', detail)
}
