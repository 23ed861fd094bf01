import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { gitQuiet } from '../process/git-quiet.ts'
import { Skipped } from './bounds.ts'

/** Characters of a complaint of git that are kept. */
const complaintChars = 2_000

/** The program, by an absolute path; undefined where there is none. */
export function findGit(path: string | undefined): string | undefined {
  for (const folder of (path ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue
    for (const name of ['git', 'git.exe']) {
      try {
        accessSync(join(folder, name), constants.X_OK)
        return join(folder, name)
      } catch {
        // Not there; the next folder may have it.
      }
    }
  }
  return undefined
}

/**
 * A git directory that is ours alone, used as a store of content: there is no work tree, so nothing of a workspace is ever
 * read by git: no configuration, no attributes, no hooks. Its environment is empty but for what turns everything off that
 * could come from the machine or the person.
 */
export class ShadowGit {
  readonly #program: string
  readonly folder: string
  #isTidy = false

  constructor(program: string, folder: string) {
    this.#program = program
    this.folder = folder
  }

  /** Makes the directory where it is not there. One that was begun and not finished is made anew. */
  async open(): Promise<void> {
    const done = join(this.folder, 'hotline-ready')
    try {
      accessSync(done)
      if (!this.#isTidy) this.#tidy()
      this.#isTidy = true
      return
    } catch {
      rmSync(this.folder, { recursive: true, force: true })
    }
    mkdirSync(this.folder, { recursive: true, mode: 0o700 })
    await this.run(['init', '--quiet', '--bare', '--template=', '.'])
    writeFileSync(done, '')
  }

  /** What an earlier life left half done would stand in the way, or only take room. Nobody else works here. */
  #tidy(): void {
    const left: readonly [folder: string, isLeft: (name: string) => boolean][] = [
      ['.', (name) => name.endsWith('.lock') || name.startsWith('fast_import_crash_')],
      ['refs/hotline', (name) => name.endsWith('.lock')],
      ['objects/pack', (name) => name.startsWith('tmp_') || name.startsWith('.tmp')],
    ]
    for (const [folder, isLeft] of left) {
      const path = join(this.folder, folder)
      if (!existsSync(path)) continue
      for (const name of readdirSync(path).filter(isLeft)) rmSync(join(path, name), { force: true })
    }
  }

  /** Starts git on the store. The arguments are ours; what comes from outside goes in by the standard input. */
  start(args: readonly string[]): ChildProcess {
    return spawn(this.#program, [...fixed, ...args], {
      cwd: this.folder,
      env: {
        GIT_DIR: this.folder,
        ...gitQuiet,
        GIT_CEILING_DIRECTORIES: this.folder,
        HOME: this.folder,
        XDG_CONFIG_HOME: this.folder,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    })
  }

  /** Runs git to its end and answers what it printed. Every exit code but 0 throws: a stale answer would cost somebody's work. */
  async run(args: readonly string[], input?: string | Uint8Array): Promise<Buffer> {
    const child = this.start(args)
    const parts: Buffer[] = []
    child.stdout?.on('data', (part: Buffer) => parts.push(part))
    const ended = endOf(child, args[0] ?? '')
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
    await ended
    return Buffer.concat(parts)
  }
}

const fixed = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'gc.auto=0',
  '-c',
  'core.fsync=reference,pack',
  '--no-pager',
]

/** Resolves when it has ended well. */
export function endOf(child: ChildProcess, what: string): Promise<void> {
  let complaint = ''
  child.stderr?.on('data', (part: Buffer) => {
    if (complaint.length < complaintChars) complaint += part.toString()
  })
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Skipped('no_git', `git could not be started (${error.message}).`)))
    child.once('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`git ${what} ended with ${signal ?? code}: ${complaint.slice(0, complaintChars).trim()}`))
    })
  })
}
