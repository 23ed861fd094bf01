import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Problem, problem } from '@hotline/protocol/error'
import type { Lists } from '../log/lists.ts'
import type { Clock } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import { sha256 } from '../machine/sha256.ts'
import type { AccessLog } from './access-log.ts'
import { type Place, type SignedIn, storeProblem, subjectOf, tooMany } from './accounts.ts'
import { newSession } from './browser-sessions.ts'
import { markBrowser } from './known-browser.ts'
import { removeSecretFile, writeSecretFile } from './secret-file.ts'
import { created, type NewAccounts } from './new-accounts.ts'
import type { Proofs } from './proofs.ts'
import type { SignInLimits } from './sign-in-limits.ts'
import { sameDigest } from './token.ts'

/** The fact that the first account exists; its row can be inserted once. */
export const firstAccountFact = 'first_account'

const codeBytes = 20
/** For so long after its start a fresh server can be claimed. */
const openMs = 30 * 60 * 1_000

/** What the first account needs of the world. */
export interface BootstrapPorts {
  dataDir: string
  lists: Lists
  log: AccessLog
  newAccounts: NewAccounts
  limits: SignInLimits
  proofs: Proofs
  clock: Clock
  ids: Ids
  /** Work that nobody waits for; ends before the server does. */
  background: (work: Promise<unknown>) => void
}

/** `expired`: nobody came in time, a restart opens it again. `closed`: there is an account. */
export type BootstrapState = 'open' | 'expired' | 'closed'

/**
 * The first account of a fresh server. There is no account that everybody knows and no open page: whoever reads the code
 * on the server's own terminal, or in its 0600 file, within half an hour makes the first account, once.
 */
export class Bootstrap {
  readonly #ports: BootstrapPorts
  readonly #cancel: () => void
  #state: BootstrapState
  /** Shown once by whoever starts the server; forgotten when it ends. */
  #code: string | undefined

  private constructor(ports: BootstrapPorts, code: string | undefined) {
    this.#ports = ports
    this.#code = code
    this.#state = code === undefined ? 'closed' : 'open'
    this.#cancel =
      code === undefined ? () => undefined : ports.clock.after(openMs, () => ports.background(this.#end('expired')))
  }

  /** Makes and writes a code where no account exists yet. */
  static async open(ports: BootstrapPorts): Promise<Bootstrap> {
    if ((await ports.lists.fact(firstAccountFact)) !== undefined) {
      await removeSecretFile(fileIn(ports.dataDir))
      return new Bootstrap(ports, undefined)
    }
    const code = randomBytes(codeBytes).toString('base64url')
    await writeSecretFile(fileIn(ports.dataDir), code)
    return new Bootstrap(ports, code)
  }

  get state(): BootstrapState {
    return this.#state
  }

  /** The link to print: the code is in the fragment, which browsers keep to themselves. Undefined where nothing is open. */
  link(origin: string): string | undefined {
    return this.#code === undefined ? undefined : `${origin}/#bootstrap=${this.#code}`
  }

  /** Makes the first account for the right code. Of two that come at once, one wins. */
  async claim(what: { code: string; name: string; password: string }, place: Place): Promise<SignedIn | Problem> {
    const { limits, newAccounts, log, clock, proofs } = this.#ports
    if (this.#code === undefined) return over()
    const taken = await limits.takeFrom(place.network)
    if (!taken.ok) return tooMany(taken.waitMs)
    if (this.#code === undefined) return over()
    if (!sameDigest(sha256(what.code), sha256(this.#code))) {
      return problem('wrong_credentials', 'This is not the code. It is printed where the server was started.')
    }
    const row = await newAccounts.rowOf({ name: what.name, password: what.password, admin: true })
    if ('code' in row) return row
    if (this.#code === undefined) return over()
    const { token, row: session } = newSession(row.account, place.device, { clock, ids: this.#ports.ids })
    const written = await log.write({
      actor: { kind: 'person', id: row.account },
      channel: `web:${token.id}`,
      address: place.address,
      events: [
        created(row),
        { type: 'account.signed_in', subject: subjectOf(row.account), data: { account: row.account, key: token.id } },
      ],
      rows: [
        { table: 'facts', insert: { name: firstAccountFact, value: row.account } },
        { table: 'accounts', insert: row },
        session,
      ],
    })
    if (!written.ok) return written.reason === 'conflict' ? over() : storeProblem(written)
    proofs.note(token.id, row.account, proofs.changes)
    this.#cancel()
    await this.#end('closed')
    return { account: row.account, session: token, mark: markBrowser(row, clock.wallMs()) }
  }

  /** Forgets the timer; the code dies with the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel()
    if (this.#code !== undefined) await this.#end('closed')
  }

  async #end(state: 'expired' | 'closed'): Promise<void> {
    this.#code = undefined
    this.#state = state
    await removeSecretFile(fileIn(this.#ports.dataDir))
  }
}

function over(): Problem {
  return problem(
    'bootstrap_closed',
    'The first account exists, or the code is older than 30 minutes. Sign in, or start the server again for a new code.',
  )
}

function fileIn(dataDir: string): string {
  return join(dataDir, 'bootstrap-code')
}
