import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Repository } from './repository.ts'
import { runGit } from './run-git.ts'

/** Bytes of a list of patterns that are taken. */
const patternsBytes = 1024 * 1024

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

  /** `head`: the commit that counts as checked out; `indexOf`: the git directory whose index is looked at, where one is. */
  static async with<T>(
    program: string,
    scratch: string,
    { common, settings, excludesFile }: Pick<Repository, 'common' | 'settings' | 'excludesFile'>,
    { head, indexOf }: { head: string; indexOf?: string | undefined },
    work: (git: BlindGit) => Promise<T>,
  ): Promise<T> {
    mkdirSync(scratch, { recursive: true, mode: 0o700 })
    const folder = mkdtempSync(join(scratch, 'git-'))
    try {
      for (const inside of ['objects/info', 'refs', 'info']) mkdirSync(join(folder, inside), { recursive: true })
      // Quoted as git quotes: whatever the folder is called, it is one line.
      writeFileSync(join(folder, 'objects/info/alternates'), `${JSON.stringify(join(common, 'objects'))}\n`)
      writeFileSync(join(folder, 'HEAD'), `${head}\n`)
      writeFileSync(join(folder, 'config'), configOf(head, settings))
      const patterns = [excludesFile, join(common, 'info/exclude')].map(readPatterns)
      writeFileSync(join(folder, 'info/exclude'), patterns.join('\n'))
      if (indexOf !== undefined) copyIndex(indexOf, folder)
      return await work(new BlindGit(program, folder))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
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
    return runGit({
      program: this.#program,
      args,
      cwd: workTree,
      env: {
        GIT_DIR: this.#folder,
        GIT_WORK_TREE: workTree,
        HOME: this.#folder,
        XDG_CONFIG_HOME: this.#folder,
        ...(index === undefined ? {} : { GIT_INDEX_FILE: index }),
        ...(objects === undefined ? {} : { GIT_OBJECT_DIRECTORY: objects }),
        ...env,
      },
      input,
      answers,
      timeoutMs,
      signal,
    })
  }
}

function configOf(head: string, settings: Repository['settings']): string {
  const isLong = head.length > 40
  const lines = settings.map(([name, value]) => `\t${name.replace('core.', '')} = ${value}`)
  const core = ['bare = false', 'fsmonitor = false', 'hooksPath = /dev/null', 'untrackedCache = false']
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
