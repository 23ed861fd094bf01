import { constants } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { basename, isAbsolute, join, sep } from 'node:path'
import { AttachmentName } from '@hotline/protocol/attachment'
import { limits } from '@hotline/protocol/limits'
import type { AgentEvent } from '../adapters/adapter.ts'
import type { DeskSent } from '../desk/desk-protocol.ts'
import type { Desk, FileEvent } from '../desk/desk.ts'
import type { FileTransfer } from '../file-transfer.ts'
import type { Redactor } from '../redact.ts'
import type { Reporter } from './reporter.ts'

/** A file that takes longer is refused: whoever sent it can try again. */
const transferMs = 120_000

/** What pictures are called by, by what they are. */
const endings: ReadonlyMap<string, string> = new Map([
  ['image/png', 'png'],
  ['image/jpeg', 'jpg'],
  ['image/gif', 'gif'],
  ['image/webp', 'webp'],
])

/** What sending works with. */
export interface SentFilesPorts {
  session: string
  /** The folders that the agent works in. */
  folders: readonly string[]
  transfer: Pick<FileTransfer, 'put'>
  redactor: Pick<Redactor, 'text'>
  reporter: Pick<Reporter, 'say'>
  desk?: Pick<Desk, 'sent'> | undefined
}

/** Files that an agent's programs show people at its desk. They become messages of the agent. */
export class SentFiles {
  readonly #ports: SentFilesPorts

  constructor(ports: SentFilesPorts) {
    this.#ports = ports
  }

  async heard({ file, path, text }: FileEvent): Promise<void> {
    const sent = await this.#send(file, path, text).catch((error: unknown): DeskSent => {
      const why = error instanceof Error ? error.message : String(error)
      return { outcome: 'refused', why: `The file could not be read: ${why}` }
    })
    this.#ports.desk?.sent(file, sent)
  }

  /** A picture among what an agent says. */
  async picture({ message, type, base64 }: Extract<AgentEvent, { t: 'picture' }>): Promise<void> {
    const { session, transfer, reporter } = this.#ports
    const bytes = Buffer.from(base64, 'base64')
    const name = `picture.${endings.get(type) ?? 'bin'}`
    const content = new Blob([Uint8Array.from(bytes)])
    const answer = await transfer.put(session, { name, content }, AbortSignal.timeout(transferMs))
    if (!answer.ok) return reporter.say(message, `[A picture could not be kept. ${answer.problem.detail}]`)
    const { digest, type: found, bytes: size } = answer.value
    reporter.say(message, '', [{ digest, name, type: found, bytes: size }])
  }

  async #send(message: string, path: string, text: string): Promise<DeskSent> {
    const { session, transfer, redactor, reporter, folders } = this.#ports
    const read = await readInside(path, folders)
    if ('why' in read) return { outcome: 'refused', why: read.why }
    const { bytes, name } = read
    // What was handed to the agent is for nobody to read, in a file no more than in words.
    const words = bytes.toString('utf8')
    if (redactor.text(words) !== words) {
      return { outcome: 'refused', why: 'The file holds a secret that this session was trusted with. Take it out.' }
    }
    const content = new Blob([Uint8Array.from(bytes)])
    const answer = await transfer.put(session, { name, content }, AbortSignal.timeout(transferMs))
    if (!answer.ok) return { outcome: 'refused', why: answer.problem.detail }
    const { digest, type, bytes: size } = answer.value
    reporter.say(message, text, [{ digest, name, type, bytes: size }])
    return { outcome: 'sent', name, type, bytes: size }
  }
}

/**
 * A file in one of these folders, whole. What it leads to is looked at after it was opened, and has to be what was opened: by
 * no link, whenever it is made, comes anything from elsewhere.
 */
async function readInside(
  path: string,
  folders: readonly string[],
): Promise<{ bytes: Buffer; name: string } | { why: string }> {
  const asked = isAbsolute(path) ? path : join(folders[0] ?? '', path)
  // Where nobody writes into a pipe, opening one would wait for ever.
  const file = await open(asked, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(() => undefined)
  if (!file) return { why: `There is no file "${path}" that can be read.` }
  try {
    return await readOpened(file, { asked, path, folders })
  } finally {
    await file.close()
  }
}

async function readOpened(
  file: FileHandle,
  { asked, path, folders }: { asked: string; path: string; folders: readonly string[] },
): Promise<{ bytes: Buffer; name: string } | { why: string }> {
  const opened = await file.stat()
  const real = await realpath(asked)
  const there = await stat(real)
  const roots = await Promise.all(folders.map((folder) => realpath(folder)))
  const isInside = roots.some((root) => real.startsWith(`${root}${sep}`))
  if (!isInside || there.ino !== opened.ino || there.dev !== opened.dev) {
    return { why: `Only a file in the folder that you work in can be sent (${folders[0] ?? ''}). Copy it there.` }
  }
  if (!opened.isFile()) return { why: `"${path}" is no file.` }
  if (opened.nlink > 1) return { why: `"${path}" has another name elsewhere (a hard link). Copy it.` }
  if (opened.size === 0) return { why: 'The file is empty.' }
  if (opened.size > limits.attachmentBytes) {
    return { why: `The file has ${opened.size} bytes; ${limits.attachmentBytes} are the limit.` }
  }
  const name = basename(real)
  if (!AttachmentName.safeParse(name).success) return { why: 'The name of the file cannot be shown. Rename it.' }
  const bytes = Buffer.alloc(opened.size)
  let at = 0
  while (at < bytes.length) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  return { bytes: bytes.subarray(0, at), name }
}
