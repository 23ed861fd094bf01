import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'
import { gitQuiet } from '../process/git-quiet.ts'
import type { Identity } from './commit-words.ts'
import { GitRefusal } from './run-git.ts'

/** The files of a large branch are written while it is held. When it passes, git is ended and the branch stays. */
const lockMs = 600_000
const complaintChars = 2_000

/** Where a branch is, and where it is to be. */
export interface BranchMove {
  program: string
  cwd: string
  env: Readonly<Record<string, string>>
  branch: string
  from: string
  to: string
  /** Written to the log of the branch. */
  reason: string
  who: Identity
}

/**
 * A branch that nobody else can move, as git locks it (git-update-ref(1), `prepare`). It is moved at once or, with whoever
 * holds it, let go as it was: git gives the lock back when nobody speaks to it any more, however we ended.
 */
export class BranchLock implements AsyncDisposable {
  readonly #stdin: Writable
  readonly #lines: AsyncIterator<string>
  readonly #ended: Promise<void>
  #complaint = ''

  private constructor({ program, cwd, env, reason, who }: BranchMove) {
    const child = spawn(program, ['--no-pager', 'update-ref', '-m', reason, '--stdin'], {
      cwd,
      env: { ...gitQuiet, ...env, GIT_COMMITTER_NAME: who.name, GIT_COMMITTER_EMAIL: who.email },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
      signal: AbortSignal.timeout(lockMs),
      killSignal: 'SIGTERM',
    })
    this.#stdin = child.stdin
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    child.stderr.on('data', (part: Buffer) => {
      if (this.#complaint.length < complaintChars) this.#complaint += part.toString()
    })
    this.#stdin.on('error', () => undefined)
    this.#ended = new Promise((resolve) => {
      child.once('error', () => resolve())
      child.once('close', () => resolve())
    })
  }

  /** Throws `GitRefusal` where the branch is not at `from`, or somebody else has it. */
  static async take(move: BranchMove): Promise<BranchLock> {
    const lock = new BranchLock(move)
    const ref = `refs/heads/${move.branch}`
    try {
      await lock.#say(`start\noption no-deref\nupdate ${ref} ${move.to} ${move.from}\nprepare\n`, ['start', 'prepare'])
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
    return lock
  }

  /** Moves it. Throws `GitRefusal`, and has not moved it then. */
  async move(): Promise<void> {
    await this.#say('commit\n', ['commit'])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stdin.end()
    await this.#ended
  }

  async #say(words: string, answers: readonly string[]): Promise<void> {
    this.#stdin.write(words)
    for (const answer of answers) {
      const line = await this.#lines.next()
      if (line.done !== true && line.value === `${answer}: ok`) continue
      this.#stdin.end()
      await this.#ended
      throw new GitRefusal(`git update-ref: ${this.#complaint.trim().slice(0, complaintChars)}`)
    }
  }
}
