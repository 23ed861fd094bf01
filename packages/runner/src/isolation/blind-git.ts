import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { BranchLock, type BranchMove } from './branch-lock.ts'
import type { Repository } from './repository.ts'
import { runGit } from './run-git.ts'

/** Bytes of a list of patterns, or of attributes, that are taken. */
const patternsBytes = 1024 * 1024

/** The branches of the repository are seen, and can be moved. */
export interface SeenBranches {
  /** The one that counts as checked out, and the git directory that keeps the log of that; absent: none. */
  head?: { branch: string; gitDir: string } | undefined
}

/**
 * Git that sees the files and the objects of a repository through a directory of ours: with no configuration but how the
 * file system is, without hooks, and without programs for what attributes name. So nothing that a repository says is ever
 * run, and line ends come out all the same as its attributes want them.
 */
export class BlindGit {
  readonly #program: string
  readonly #folder: string

  private constructor(program: string, folder: string) {
    this.#program = program
    this.#folder = folder
  }

  /**
   * `head`: the commit that counts as checked out; `indexOf`: the git directory whose index is looked at, where one is; `sees`:
   * what it sees of branches, otherwise none.
   */
  static async with<T>(
    program: string,
    scratch: string,
    { common, settings, excludesFile }: Pick<Repository, 'common' | 'settings' | 'excludesFile'>,
    { head, indexOf, sees }: { head: string; indexOf?: string | undefined; sees?: SeenBranches | undefined },
    work: (git: BlindGit) => Promise<T>,
  ): Promise<T> {
    mkdirSync(scratch, { recursive: true, mode: 0o700 })
    const folder = mkdtempSync(join(scratch, 'git-'))
    try {
      for (const inside of ['objects/info', 'info', 'empty', sees ? 'logs' : 'refs']) {
        mkdirSync(join(folder, inside), { recursive: true })
      }
      if (sees) linkBranches(common, folder, sees)
      // Quoted as git quotes: whatever the folder is called, it is one line.
      writeFileSync(join(folder, 'objects/info/alternates'), `${JSON.stringify(join(common, 'objects'))}\n`)
      writeFileSync(join(folder, 'HEAD'), sees?.head ? `ref: refs/heads/${sees.head.branch}\n` : `${head}\n`)
      writeFileSync(join(folder, 'config'), configOf(head, settings))
      const patterns = [excludesFile, join(common, 'info/exclude')].map(readPatterns)
      writeFileSync(join(folder, 'info/exclude'), patterns.join('\n'))
      writeFileSync(join(folder, 'info/attributes'), readPatterns(join(common, 'info/attributes')))
      if (indexOf !== undefined) copyIndex(indexOf, folder)
      return await work(new BlindGit(program, folder))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** A folder without files, for what shall look at none. */
  get emptyFolder(): string {
    return join(this.#folder, 'empty')
  }

  /**
   * `workTree`: the files that it looks at; `index`: another one than the copy of ours; `objects`: where new ones go, if they
   * shall stay. Throws `GitRefusal`.
   */
  run(
    args: readonly string[],
    at: {
      workTree: string
      index?: string
      objects?: string
      input?: string | Uint8Array
      env?: Readonly<Record<string, string>>
      answers?: readonly number[]
      timeoutMs: number
      signal?: AbortSignal | undefined
    },
  ): Promise<string> {
    const { workTree, index, objects, input, env, answers, timeoutMs, signal } = at
    const files = {
      ...(index === undefined ? {} : { GIT_INDEX_FILE: index }),
      ...(objects === undefined ? {} : { GIT_OBJECT_DIRECTORY: objects }),
    }
    const around = { ...this.#around(workTree), ...files, ...env }
    return runGit({ program: this.#program, args, cwd: workTree, env: around, input, answers, timeoutMs, signal })
  }

  /** Takes a branch that it sees, to move it. Throws `GitRefusal` where it is not where it is thought to be. */
  async lockBranch(move: Omit<BranchMove, 'program' | 'cwd' | 'env'>): Promise<BranchLock> {
    const cwd = this.#folder
    return await BranchLock.take({ ...move, program: this.#program, cwd, env: this.#around(this.emptyFolder) })
  }

  #around(workTree: string): Record<string, string> {
    return { GIT_DIR: this.#folder, GIT_WORK_TREE: workTree, HOME: this.#folder, XDG_CONFIG_HOME: this.#folder }
  }
}

/** Branches and their logs are those of the repository itself; git locks them as it always does. */
function linkBranches(common: string, folder: string, { head }: SeenBranches): void {
  link(join(common, 'refs'), join(folder, 'refs'))
  link(join(common, 'packed-refs'), join(folder, 'packed-refs'))
  if (existsSync(join(common, 'logs/refs'))) link(join(common, 'logs/refs'), join(folder, 'logs/refs'))
  const log = head && join(head.gitDir, 'logs/HEAD')
  if (log !== undefined && existsSync(log)) link(log, join(folder, 'logs/HEAD'))
}

/** Where links of files are not to be had, a copy of what is only read does it. */
function link(from: string, to: string): void {
  if (process.platform !== 'win32') symlinkSync(from, to)
  else if (statSync(from, { throwIfNoEntry: false })?.isDirectory()) symlinkSync(from, to, 'junction')
  else if (existsSync(from)) copyFileSync(from, to)
}

function configOf(head: string, settings: Repository['settings']): string {
  const isLong = head.length > 40
  const lines = settings.map(([name, value]) => `\t${name.replace('core.', '')} = ${value}`)
  // The other half of a split index would go where nobody looks for it.
  const whole = ['untrackedCache = false', 'splitIndex = false']
  const core = ['bare = false', 'fsmonitor = false', 'hooksPath = /dev/null', ...whole]
  const version = `\trepositoryformatversion = ${isLong ? 1 : 0}`
  const text = ['[core]', version, ...lines, ...core.map((line) => `\t${line}`)]
  return `${[...text, ...(isLong ? ['[extensions]', '\tobjectFormat = sha256'] : [])].join('\n')}\n`
}

/** With the time that it has: git trusts what it noted of a file only where the index is younger. */
function copyIndex(gitDir: string, folder: string): void {
  const index = join(gitDir, 'index')
  if (!existsSync(index)) return
  const { atime, mtime } = statSync(index)
  copyFileSync(index, join(folder, 'index'))
  utimesSync(join(folder, 'index'), atime, mtime)
  for (const name of readdirSync(gitDir)) {
    if (name.startsWith('sharedindex.')) copyFileSync(join(gitDir, name), join(folder, name))
  }
}

function readPatterns(file: string | undefined): string {
  if (file === undefined || !existsSync(file)) return ''
  const stats = statSync(file)
  return stats.isFile() && stats.size <= patternsBytes ? readFileSync(file, 'utf8') : ''
}
