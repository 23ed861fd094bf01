import { randomBytes } from 'node:crypto'
import { type Problem, problem } from '@hotline/protocol/error'
import type { SecondFactorState, StartedSecondFactor } from '@hotline/protocol/second-factor'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { generateSecret, generateURI, verifySync } from 'otplib'
import type { Lists } from '../log/lists.ts'
import type { RowChange, SecondFactorTable } from '../log/tables.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import { sha256 } from '../machine/sha256.ts'
import type { AccessChange, AccessDraft, AccessLog } from './access-log.ts'
import { consume } from './sign-in-limits.ts'
import { storeProblem, subjectOf, tooMany } from './accounts.ts'
import { actorOf, type Principal } from './principal.ts'
import type { Sealing } from './sealing.ts'

const stepSeconds = 30
/** Clocks of phones: the code before and the one after are taken as well. */
const toleranceSeconds = 30
const recoveryCount = 10
const recoveryBytes = 10
const wrongMax = 10
const ofApp = /^\d{6}$/

/** What second factors need of the world. */
export interface SecondFactorPorts {
  lists: Lists
  log: AccessLog
  clock: Clock
  sealing: Sealing
}

/** What came with a password: a code that is good, with what is to be written so that it is good once; or a problem. */
export type Shown =
  | ({ ok: true } & Pick<AccessChange, 'events' | 'rows'>)
  /** `isWrong`: somebody may be guessing. */
  | { ok: false; problem: Problem; isWrong: boolean }

/**
 * Second factors of people: a secret that their authenticator app has as well, sealed, and recovery codes, of which digests are
 * kept. Each code works once: the row that says so is written in the transaction of what it was shown for, and of two that show
 * the same code one is refused.
 */
export class SecondFactors {
  readonly #ports: SecondFactorPorts
  readonly #wrong = new RateLimiterMemory({ points: wrongMax, duration: 15 * 60 })

  constructor(ports: SecondFactorPorts) {
    this.#ports = ports
  }

  async state(of: Principal): Promise<SecondFactorState> {
    const row = of.kind === 'person' ? await this.#ports.lists.secondFactor(of.id) : undefined
    const isOn = row !== undefined && row.since !== null
    return { on: isOn, since: row?.since ?? null, recoveryCodes: isOn ? codesOf(row).length : 0 }
  }

  /** A new secret, which is asked for once a code of it was shown. What was begun before is over. */
  async start(by: Principal): Promise<StartedSecondFactor | Problem> {
    const { lists, log, sealing } = this.#ports
    if (by.kind !== 'person') return onlyPeople()
    const before = await lists.secondFactor(by.id)
    if (before && before.since !== null) return isOnAlready()
    const secret = generateSecret()
    const row = { account: by.id, secret: sealing.seal(secret, by.id), last_step: 0, recovery: '[]', since: null }
    const written = await log.write({ actor: actorOf(by), events: [], rows: replace(before, row) })
    if (!written.ok) return storeProblem(written)
    return { secret, uri: generateURI({ issuer: 'Hotline', label: by.name, secret }) }
  }

  /** Turns it on, for whoever shows that their app has the secret. Answers the recovery codes. */
  async confirm(by: Principal, code: string): Promise<readonly string[] | Problem> {
    const { lists, log, clock } = this.#ports
    if (by.kind !== 'person') return onlyPeople()
    const row = await lists.secondFactor(by.id)
    if (!row || isGone(row))
      return problem('not_found', 'Nothing was begun. Ask for a secret first (POST /api/me/second-factor).')
    if (row.since !== null) return isOnAlready()
    const step = this.#stepOf(row, plainOf(code))
    if (typeof step !== 'number') return wrongCode()
    const codes = Array.from({ length: recoveryCount }, () => randomBytes(recoveryBytes).toString('hex'))
    const recovery = JSON.stringify(codes.map((one) => sha256(one)))
    const written = await log.write({
      actor: actorOf(by),
      channel: by.channel,
      address: by.address,
      events: [{ type: 'account.second_factor_added', subject: subjectOf(by.id), data: { account: by.id } }],
      rows: replace(row, { ...row, last_step: step, recovery, since: timestamp(clock) }),
    })
    return written.ok ? codes.map(grouped) : storeProblem(written)
  }

  /** Turns one's own off; it takes a code, so that a session that was left open is not enough. */
  async remove(by: Principal, code: string): Promise<Problem | undefined> {
    if (by.kind !== 'person') return onlyPeople()
    const shown = await this.showCounted(by.id, code)
    if (!shown.ok) return shown.problem
    const row = shown.rows.length === 0 ? undefined : await this.#ports.lists.secondFactor(by.id)
    // What is removed is the very row that the code was looked up in: its own change would only be undone by this one.
    return row ? this.#drop(by, row, shown.events) : isOff()
  }

  /** An admin turns it off for somebody who has lost their app and their codes. */
  async removeOf(by: Principal, account: string): Promise<Problem | undefined> {
    if (by.account === account) {
      return problem('forbidden', 'Your own takes a code: POST /api/me/second-factor/remove.')
    }
    const row = await this.#ports.lists.secondFactor(account)
    return !row || row.since === null ? isOff() : this.#drop(by, row)
  }

  /** What turns it off as part of another change; nothing where there is none. */
  async dropOf(account: string): Promise<Pick<AccessChange, 'events' | 'rows'>> {
    const row = await this.#ports.lists.secondFactor(account)
    if (!row) return { events: [], rows: [] }
    await this.#wrong.delete(account)
    return { events: row.since === null ? [] : [removed(account)], rows: replace(row, gone(account)) }
  }

  /**
   * The same for doors that count no tries by themselves: after ten wrong codes for an account, none is looked at for a quarter
   * of an hour.
   */
  async showCounted(account: string, code: string | undefined): Promise<Shown> {
    // Before anything is looked at, so that guesses that come at the same time are counted too.
    const waitMs = await consume(this.#wrong, account)
    if (waitMs !== undefined) return { ok: false, problem: tooMany(waitMs), isWrong: false }
    const shown = await this.show(account, code)
    if (shown.ok || !shown.isWrong) await this.#wrong.reward(account)
    return shown
  }

  /** Looks at the code that came with a right password. Where none is asked for, anything is good and nothing is written. */
  async show(account: string, code: string | undefined): Promise<Shown> {
    const row = await this.#ports.lists.secondFactor(account)
    if (!row || row.since === null) return { ok: true, events: [], rows: [] }
    if (code === undefined) return { ok: false, problem: codeNeeded(), isWrong: false }
    const plain = plainOf(code)
    if (ofApp.test(plain)) {
      const step = this.#stepOf(row, plain)
      if (step === 'unreadable') return { ok: false, problem: unreadable(), isWrong: false }
      if (step === 'wrong') return { ok: false, problem: wrongCode(), isWrong: true }
      return { ok: true, events: [], rows: replace(row, { ...row, last_step: step }) }
    }
    const left = codesOf(row)
    const rest = left.filter((one) => one !== sha256(plain))
    if (rest.length === left.length) return { ok: false, problem: wrongCode(), isWrong: true }
    const data = { account, left: rest.length }
    return {
      ok: true,
      events: [{ type: 'account.recovery_code_used', subject: subjectOf(account), data }],
      rows: replace(row, { ...row, recovery: JSON.stringify(rest) }),
    }
  }

  async #drop(by: Principal, row: SecondFactorTable, shown: readonly AccessDraft[] = []): Promise<Problem | undefined> {
    const { account } = row
    const written = await this.#ports.log.write({
      actor: actorOf(by),
      channel: by.channel,
      address: by.address,
      events: [...shown, removed(account)],
      rows: replace(row, gone(account)),
    })
    if (!written.ok) return storeProblem(written)
    await this.#wrong.delete(account)
    return undefined
  }

  /** The time step of a code of the app that was not used yet. `unreadable`: its secret was sealed with a key that is gone. */
  #stepOf(row: SecondFactorTable, token: string): number | 'wrong' | 'unreadable' {
    if (!ofApp.test(token)) return 'wrong'
    const secret = this.#ports.sealing.unseal(row.secret, row.account)
    if (secret === undefined) return 'unreadable'
    const epoch = Math.floor(this.#ports.clock.wallMs() / 1_000)
    // The clock was set back: until it is there again, none of its codes is new.
    if (row.last_step > Math.floor((epoch + toleranceSeconds) / stepSeconds)) return 'wrong'
    const result = verifySync({ secret, token, epoch, epochTolerance: toleranceSeconds, afterTimeStep: row.last_step })
    return result.valid ? Math.floor(epoch / stepSeconds) + result.delta : 'wrong'
  }
}

/** Of two who do this with the same row, the second finds it there and is refused as a conflict. */
function replace(before: SecondFactorTable | undefined, row: SecondFactorTable): readonly RowChange[] {
  const drop = before && {
    account: before.account,
    secret: before.secret,
    last_step: before.last_step,
    recovery: before.recovery,
  }
  return [...(drop ? [{ table: 'second_factors', drop } as const] : []), { table: 'second_factors', insert: row }]
}

/** What stays where one was removed: whoever has read the row before finds another one, and cannot bring it back. */
function gone(account: string): SecondFactorTable {
  return { account, secret: '', last_step: 0, recovery: '[]', since: null }
}

function isGone({ secret }: SecondFactorTable): boolean {
  return secret === ''
}

function codesOf({ recovery }: SecondFactorTable): readonly string[] {
  return JSON.parse(recovery) as readonly string[]
}

/** As people copy a code: with blanks, hyphens and capitals. */
function plainOf(code: string): string {
  return code.replace(/[\s-]/gu, '').toLowerCase()
}

/** A recovery code as it is shown: `0123-4567-…`. */
function grouped(code: string): string {
  return code.replace(/.{4}(?=.)/g, '$&-')
}

function removed(account: string): AccessDraft {
  return { type: 'account.second_factor_removed', subject: subjectOf(account), data: { account } }
}

function codeNeeded(): Problem {
  return problem(
    'code_needed',
    'This account has a second factor. Send "code" too: six digits of the app, or a recovery code.',
  )
}

function wrongCode(): Problem {
  return problem(
    'code_needed',
    'The code is wrong, or was used. Take the next one that the app shows, or a recovery code.',
  )
}

function unreadable(): Problem {
  return problem(
    'code_needed',
    'Codes of the app cannot be checked: this server has lost the key of its secret. Use a recovery code, and set the app up anew.',
  )
}

function isOnAlready(): Problem {
  return problem('already_exists', 'There is a second factor already. Remove it first, with one of its codes.')
}

function isOff(): Problem {
  return problem('not_found', 'This account has no second factor.')
}

function onlyPeople(): Problem {
  return problem('forbidden', 'Only a person has a second factor.')
}
