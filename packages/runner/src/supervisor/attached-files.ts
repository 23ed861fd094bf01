import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Attachment } from '@hotline/protocol/attachment'
import { limits } from '@hotline/protocol/limits'
import type { FileTransfer } from '../file-transfer.ts'

/** A file that takes longer is tried once more. */
const transferMs = 120_000

/** Bytes that the name of a file may have on every disk, with room for what is put before it. */
const nameBytesMax = 200

/** What is no name of a file everywhere, or could be taken for a path. */
const unnamable = /[\u0000-\u001f\u007f"*/:<>?\\|]/gu

/** A file of a message on this machine; or why it is not there. */
export type GivenFile = Pick<Attachment, 'name' | 'type' | 'bytes'> & ({ path: string } | { why: string })

/** What fetching works with. */
export interface AttachedFilesPorts {
  session: string
  /** A folder that the agent can read and, behind a fence, not write. */
  folder: string
  transfer: FileTransfer
}

/** Brings the files of messages to where the agent of their session can read them. */
export class AttachedFiles {
  readonly #ports: AttachedFilesPorts

  constructor(ports: AttachedFilesPorts) {
    this.#ports = ports
  }

  /** Those of one message, in their order. Rejects where the server cannot be asked now; what it does not have is said. */
  async fetch(message: string, attachments: readonly Attachment[]): Promise<readonly GivenFile[]> {
    const given: GivenFile[] = []
    for (const [at, attachment] of attachments.entries()) {
      const { name, type, bytes } = attachment
      const folder = join(this.#ports.folder, fileName(message), String(at + 1))
      const there = await this.#bring(attachment, folder)
      given.push({ name, type, bytes, ...there })
    }
    return given
  }

  async #bring(attachment: Attachment, folder: string): Promise<{ path: string } | { why: string }> {
    const { digest, name, bytes } = attachment
    const path = join(folder, fileName(name))
    if ((await digestOf(path)) === digest) return { path }
    if (bytes > limits.attachmentBytes) return { why: 'It is larger than a file may be.' }
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const signal = AbortSignal.timeout(transferMs)
    const opened = await this.#ports.transfer.open(this.#ports.session, { digest, name }, signal)
    if (!opened.ok) {
      // Whether it is there can only be said by who has it.
      if (opened.problem.code === 'not_found') return { why: 'It is not there any more.' }
      throw new Error(opened.problem.detail)
    }
    const partial = join(folder, '.partial')
    const hash = createHash('sha256')
    let left = bytes
    const counted = new Transform({
      transform: (chunk: Buffer, _, done) => {
        left -= chunk.length
        hash.update(chunk)
        done(left < 0 ? new Error('More came than the file has.') : null, chunk)
      },
    })
    try {
      await pipeline(opened.value.body ?? [], counted, createWriteStream(partial, { mode: 0o600 }))
      if (hash.digest('hex') !== digest) return { why: 'What came is not what was sent.' }
      await rename(partial, path)
      return { path }
    } finally {
      await rm(partial, { force: true })
    }
  }
}

/** A name for the disk: nothing that leads elsewhere, and not too long; what comes after the last dot stays. */
function fileName(name: string): string {
  const plain = name.replaceAll(unnamable, '_').replace(/^\.+$/, '_')
  const end = extname(plain)
  const kept = Buffer.byteLength(end) < nameBytesMax ? end : ''
  let start = plain.slice(0, plain.length - kept.length)
  while (Buffer.byteLength(start + kept) > nameBytesMax) start = start.slice(0, -1).replace(/[\ud800-\udbff]$/, '')
  return `${start}${kept}` || '_'
}

/** Undefined where there is no such file, or it cannot be read. */
async function digestOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
    return hash.digest('hex')
  } catch {
    return undefined
  }
}

/** What an agent is told before the words of a message. */
export function filesNote(files: readonly GivenFile[]): string {
  const lines = files.map((file) => {
    const what = `${JSON.stringify(file.name)}, ${file.type}, ${file.bytes} bytes`
    return 'path' in file ? `- ${file.path} (${what})` : `- not here: ${what}. ${file.why}`
  })
  return `The person sends ${files.length === 1 ? 'a file' : `${files.length} files`} with this message:\n${lines.join('\n')}`
}

/** What is typed into a program for its files: their paths, as terminals type what is dropped on them. */
export function typedPaths(files: readonly GivenFile[]): string {
  const paths = files.flatMap((file) => ('path' in file ? [file.path] : []))
  return paths
    .map((path) => (/^[\w%+,./:=@-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`))
    .join(' ')
}
