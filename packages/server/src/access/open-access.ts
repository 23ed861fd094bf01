import type { Bus } from '../log/bus.ts'
import type { Lists } from '../log/lists.ts'
import type { LogStore } from '../log/log-store.ts'
import type { Clock } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import type { Logger } from '../machine/logger.ts'
import type { Metrics } from '../machine/metrics.ts'
import { type AccessFeed, watchAccess } from './access-feed.ts'
import { AccessLog, serverActor } from './access-log.ts'
import { AccountSwitch } from './account-switch.ts'
import { Accounts } from './accounts.ts'
import { Authenticator } from './authenticator.ts'
import { Bootstrap, firstAccountFact } from './bootstrap.ts'
import { DeviceSignIns } from './device-sign-ins.ts'
import { Invitations, type JoinProject } from './invitations.ts'
import { Keys } from './keys.ts'
import { ensureRunnerKey, makeCommandLineToken, renewCommandLineToken } from './local-keys.ts'
import { NewAccounts } from './new-accounts.ts'
import { defaultPasswordCost, type PasswordCost, Passwords } from './passwords.ts'
import type { Owners } from './owners.ts'
import { PasswordResets } from './password-resets.ts'
import type { Problem } from '@hotline/protocol/error'
import type { Principal } from './principal.ts'
import type { Proofs } from './proofs.ts'
import { signOutEverywhere } from './sign-out-everywhere.ts'
import { ServiceTokens } from './service-tokens.ts'
import { Sealing } from './sealing.ts'
import { SecondFactors } from './second-factors.ts'
import { SigningKeys } from './signing-keys.ts'
import { type SignInLimitOptions, SignInLimits } from './sign-in-limits.ts'
import { Tickets } from './tickets.ts'

/** What access takes from the world. */
export interface AccessPorts {
  /** Prepared by `prepareDataDirectory`. */
  dataDir: string
  store: LogStore
  lists: Lists
  bus: Bus
  clock: Clock
  ids: Ids
  logger: Logger
  metrics: Metrics
  limits: SignInLimitOptions
  /** Shared with the exchange, whose commands ask for it. */
  proofs: Proofs
  /** Shared with the exchange as well. */
  owners: Owners
  passwordCost?: PasswordCost | undefined
  /** Makes the project that the first account finds, with that account as its owner. Called again until it resolves. */
  createFirstProject: (account: string) => Promise<void>
  joinProject: JoinProject
}

/** Who may come in. Disposing waits for what is still being written. */
export interface Access extends AsyncDisposable {
  readonly accounts: Accounts
  readonly newAccounts: NewAccounts
  readonly accountSwitch: AccountSwitch
  readonly keys: Keys
  readonly deviceSignIns: DeviceSignIns
  readonly invitations: Invitations
  readonly passwordResets: PasswordResets
  readonly secondFactors: SecondFactors
  readonly serviceTokens: ServiceTokens
  readonly tickets: Tickets
  readonly authenticator: Authenticator
  readonly bootstrap: Bootstrap
  readonly proofs: Proofs
  readonly feed: AccessFeed
  readonly sealing: Sealing
  /** Ends every browser session of the asker's account, and where wished all of its keys. */
  signOutEverywhere(by: Principal, keys: 'keep' | 'revoke'): Promise<Problem | undefined>
  /** What follows the first account: its project, and the token of the local command line. Does it once. */
  finishFirstAccount(): Promise<void>
}

/** The fact that the first account has its project and its token. */
const firstStepsFact = 'first_steps'

/** Opens the doors: makes the built-in runner's key and, on a fresh server, the bootstrap code. */
export async function openAccess(ports: AccessPorts): Promise<Access> {
  const { lists, clock, ids, bus, metrics, proofs } = ports
  const logger = ports.logger.area('access')
  const fault = (error: unknown): void => logger.error('access failed', { error })
  const pending = new Set<Promise<void>>()
  const background = (work: Promise<unknown>): void => {
    const settled = work.then(() => undefined, fault).finally(() => pending.delete(settled))
    pending.add(settled)
  }
  const log = new AccessLog(ports)
  const feed = watchAccess(bus)
  const tickets = new Tickets(clock, ids)
  const limits = new SignInLimits(ports.limits)
  const passwords = new Passwords(ports.passwordCost ?? defaultPasswordCost, () => metrics.passwordChecks.inc())
  const signedIn = (outcome: string): void => metrics.signIns.inc({ outcome })
  const sealing = await Sealing.open(ports.dataDir)
  const secondFactors = new SecondFactors({ lists, log, clock, sealing })
  const accounts = new Accounts({
    lists,
    log,
    passwords,
    limits,
    proofs,
    secondFactors,
    clock,
    ids,
    background,
    signedIn,
  })
  const newAccounts = new NewAccounts({ log, passwords, clock, ids })
  const accountSwitch = new AccountSwitch({ lists, log, clock, owners: ports.owners })
  const keys = new Keys({ lists, log, clock, ids })
  const serviceTokens = new ServiceTokens({ keys: await SigningKeys.open(ports.dataDir, clock), clock, ids })
  const authenticator = new Authenticator({ lists, clock, tickets, serviceTokens, feed, fault })
  const deviceSignIns = new DeviceSignIns({ clock, ids, keys, authenticator })
  const { joinProject } = ports
  const invitations = new Invitations({ lists, log, newAccounts, limits, proofs, clock, ids, joinProject })
  const local = { dataDir: ports.dataDir, lists, log, clock, ids }
  const passwordResets = new PasswordResets({ ...local, passwords, limits, proofs, secondFactors })

  await ensureRunnerKey(local)
  await renewCommandLineToken(local)
  const bootstrap = await Bootstrap.open({ ...local, newAccounts, limits, proofs, background })

  let finishing: Promise<void> | undefined
  const finish = async (): Promise<void> => {
    const account = await lists.fact(firstAccountFact)
    if (account === undefined || (await lists.fact(firstStepsFact)) !== undefined) return
    await ports.createFirstProject(account)
    await makeCommandLineToken(account, local)
    const row = { table: 'facts', put: { name: firstStepsFact, value: 'done' } } as const
    const written = await log.write({ actor: serverActor, events: [], rows: [row] })
    if (!written.ok) throw new Error(`the first steps could not be noted: ${written.reason}`)
  }
  const finishFirstAccount = (): Promise<void> => {
    finishing ??= finish().finally(() => {
      finishing = undefined
    })
    return finishing
  }

  return {
    accounts,
    newAccounts,
    accountSwitch,
    keys,
    deviceSignIns,
    invitations,
    passwordResets,
    secondFactors,
    serviceTokens,
    tickets,
    authenticator,
    bootstrap,
    proofs,
    feed,
    sealing,
    signOutEverywhere: (by, what) => signOutEverywhere(by, what, { log, clock, proofs }),
    finishFirstAccount,
    [Symbol.asyncDispose]: async () => {
      await bootstrap[Symbol.asyncDispose]()
      authenticator[Symbol.dispose]()
      keys[Symbol.dispose]()
      feed[Symbol.dispose]()
      while (pending.size > 0) await Promise.all(pending)
    },
  }
}
