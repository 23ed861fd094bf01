import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { endOf, type ShadowGit } from './git.ts'

/** What git answered at the end of an import. */
export interface Imported {
  commit: string
  tree: string
}

/** Writes one commit with its contents in a single process; nothing of it is there unless all of it is. */
export class ImportStream {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #printed: Buffer[] = []
  #isBroken = false

  constructor(git: ShadowGit) {
    this.#child = git.start(['fast-import', '--quiet', '--done', '--date-format=raw'])
    this.#child.stdout?.on('data', (part: Buffer) => this.#printed.push(part))
    this.#child.stdin?.on('error', () => {
      this.#isBroken = true
    })
    this.#ended = endOf(this.#child, 'fast-import')
    this.#ended.catch(() => undefined)
  }

  async blob(bytes: Uint8Array): Promise<void> {
    await this.write(`blob\ndata ${bytes.length}\n`)
    await this.write(bytes)
    await this.write('\n')
  }

  async write(part: string | Uint8Array): Promise<void> {
    const { stdin } = this.#child
    if (this.#isBroken || !stdin) return this.#ended
    if (!stdin.write(part)) await Promise.race([once(stdin, 'drain'), this.#ended])
  }

  /** Resolves when everything is on the disk. */
  async finish(): Promise<Imported> {
    await this.write('ls :1 ""\nget-mark :1\ndone\n')
    this.#child.stdin?.end()
    await this.#ended
    const [tree = '', commit = ''] = Buffer.concat(this.#printed).toString().split('\n')
    const oid = /^040000 tree ([0-9a-f]{40})\t$/.exec(tree)?.[1]
    // An empty tree is not listed.
    if (!/^[0-9a-f]{40}$/.test(commit || tree)) throw new Error('git did not say what it wrote')
    return { commit: commit || tree, tree: oid ?? emptyTree }
  }

  /** Nothing is written. */
  async abandon(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended.catch(() => undefined)
  }
}

/** The name that git gives to a folder without anything in it. */
export const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

/** A path as an import reads it, whatever bytes are in it. */
export function quoted(path: string): string {
  let text = '"'
  for (const char of path) {
    if (char === '"' || char === '\\') text += `\\${char}`
    // oxlint-disable-next-line no-control-regex
    else if (/[\u0000-\u001f\u007f]/.test(char)) text += `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`
    else text += char
  }
  return `${text}"`
}
