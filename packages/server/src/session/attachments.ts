import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Readable } from 'node:stream'
import type { UploadedAttachment } from '@hotline/protocol/attachment'
import { type Problem, problem } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import type { BlobStore } from '../blob/blob-store.ts'
import type { AttachmentRows } from '../log/attachment-rows.ts'
import type { LogStore } from '../log/log-store.ts'
import type { AttachmentTable, RowChange } from '../log/tables.ts'
import { type Clock, repeat } from '../machine/clock.ts'
import { fileType, headBytes } from './file-type.ts'

/** For so long a file waits for the message that names it. */
export const unsentMs = 24 * 60 * 60 * 1_000
/** Later than that, so that no message that names a file is being written when the file goes. */
const removedMs = unsentMs + 60 * 60 * 1_000
const sweepMs = 60 * 60 * 1_000
/** Rows that are looked at together. */
const sweepRows = 500

/** What it needs of the world. */
export interface AttachmentPorts {
  /** A store of its own: content of events is deleted by other rules. */
  blobs: BlobStore
  store: Pick<LogStore, 'append'>
  lists: AttachmentRows
  clock: Clock
  fault: (error: unknown) => void
}

/** Where a file belongs, and whose it is. */
export interface Upload {
  session: string
  project: string
  /** As `senderKey` says it. */
  by: string
  name: string
}

/** A file that is read; the stream is to be read or destroyed. */
export interface ReadAttachment {
  row: AttachmentTable
  content: Readable
  sizeBytes: number
}

/**
 * Files of messages: the bytes under their digest, apart for each project, and a row for each upload that says to which session
 * they belong. A message can name only what has a row of its sender. What nobody sends goes after a day.
 */
export class Attachments implements AsyncDisposable {
  readonly #ports: AttachmentPorts
  readonly #stop: () => void
  /** Whoever notes a file and whoever removes bytes take turns: bytes that a new row names are not removed. */
  #turn: Promise<unknown> = Promise.resolve()
  #sweeping: Promise<void>
  #isClosed = false

  constructor(ports: AttachmentPorts) {
    this.#ports = ports
    this.#sweeping = this.#sweep().then(() => this.#sweepBytes())
    this.#stop = repeat(ports.clock, sweepMs, () => {
      this.#sweeping = this.#sweeping.then(() => this.#sweep())
    })
  }

  /** Keeps a file. Rejects with the error of the content itself. */
  async put(upload: Upload, content: AsyncIterable<Uint8Array>): Promise<UploadedAttachment | Problem> {
    const { blobs, lists, store, clock } = this.#ports
    const { session, project, by, name } = upload
    if ((await lists.unsentCount(session, by)) >= limits.unsentAttachments) {
      const detail = `${limits.unsentAttachments} files wait already for the message that they belong to. Send one first.`
      return problem('queue_full', detail, { limit: limits.unsentAttachments })
    }
    const head: Buffer[] = []
    const put = await blobs.put(project, noting(content, head), limits.attachmentBytes)
    if (!put.ok && put.reason === 'unavailable') return notWritten()
    if (!put.ok) {
      const detail = `A file may have ${limits.attachmentBytes} bytes. Send a smaller one, or say where it lies.`
      return problem('too_large', detail, { limit: limits.attachmentBytes })
    }
    const { digest, sizeBytes } = put.blob
    const type = fileType(name, Buffer.concat(head))
    const row: AttachmentTable = {
      session,
      digest,
      name,
      uploader: by,
      project,
      type,
      bytes: sizeBytes,
      uploaded_at: new Date(clock.wallMs()).toISOString(),
      sent_at: null,
    }
    return this.#inTurn(async () => {
      if (sizeBytes === 0) {
        await this.#removeUnnamed(project, digest)
        return problem('invalid_request', 'The file is empty.')
      }
      const there = await blobs.get(project, digest)
      there?.content.destroy()
      if (!there) return notWritten()
      const written = await store.append([appendTo(session, [await this.#renewed(row)])])
      return written.ok ? { digest, name, type, bytes: sizeBytes } : notWritten()
    })
  }

  /** A file of a session that was sent, or is the reader's own; under this name, or the first that it had. */
  async get(session: string, digest: string, by: string, name?: string): Promise<ReadAttachment | undefined> {
    const { blobs, lists } = this.#ports
    const rows = await lists.attachments(session, [digest])
    const row = rows.find(
      (one) => (one.sent_at !== null || one.uploader === by) && (name === undefined || one.name === name),
    )
    const found = row && (await blobs.get(row.project, digest))
    return row && found ? { row, ...found } : undefined
  }

  /** Removes files of a session, and their bytes where nothing else of the project names them. */
  async forget(session: string, project: string, isGone: (digest: string) => boolean): Promise<void> {
    await this.#inTurn(async () => {
      const rows = (await this.#ports.lists.attachments(session, 'all')).filter(({ digest }) => isGone(digest))
      await this.#remove(rows)
      for (const digest of new Set(rows.map((row) => row.digest))) await this.#removeUnnamed(project, digest)
    })
  }

  /** The same for digests of which no row may be left. */
  async forgetBytes(project: string, digests: Iterable<string>): Promise<void> {
    await this.#inTurn(async () => {
      for (const digest of digests) await this.#removeUnnamed(project, digest)
    })
  }

  /** Waits for what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#stop()
    await this.#sweeping
    await this.#turn
  }

  async #sweep(): Promise<void> {
    const { lists, clock, fault } = this.#ports
    try {
      while (!this.#isClosed) {
        const before = new Date(clock.wallMs() - removedMs).toISOString()
        const rows = await this.#inTurn(async () => {
          const unsent = await lists.unsentBefore(before, sweepRows)
          await this.#remove(unsent)
          for (const { project, digest } of unsent) await this.#removeUnnamed(project, digest)
          return unsent
        })
        if (rows.length < sweepRows) return
        await nextTurn()
      }
    } catch (error) {
      fault(error)
    }
  }

  /** A server that was killed between the bytes and their row, either way, has left bytes that nothing names. */
  async #sweepBytes(): Promise<void> {
    try {
      for await (const { project, digest } of this.#ports.blobs.all()) {
        if (this.#isClosed) return
        await this.#inTurn(() => this.#removeUnnamed(project, digest))
      }
    } catch (error) {
      this.#ports.fault(error)
    }
  }

  /** Uploaded again it counts from now, and what was sent stays sent. */
  async #renewed(row: AttachmentTable): Promise<RowChange> {
    const { session, digest, name, uploader } = row
    const rows = await this.#ports.lists.attachments(session, [digest])
    const before = rows.find((one) => one.name === name && one.uploader === uploader)
    return { table: 'attachments', put: { ...row, sent_at: before?.sent_at ?? null } }
  }

  async #remove(rows: readonly AttachmentTable[]): Promise<void> {
    for (const { session, digest, name, uploader } of rows) {
      const drop = { session, digest, name, uploader }
      const written = await this.#ports.store.append([appendTo(session, [{ table: 'attachments', drop }])])
      if (!written.ok) throw new Error(`the row of a file could not be removed: ${written.reason}`)
    }
  }

  async #removeUnnamed(project: string, digest: string): Promise<void> {
    if (!(await this.#ports.lists.isAttached(project, digest))) await this.#ports.blobs.delete(project, digest)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

/** Rows are written beside the stream that they belong to; the stream itself does not grow. */
function appendTo(session: string, rows: readonly RowChange[]): Parameters<LogStore['append']>[0][number] {
  return { stream: `session:${session}`, expect: 'any', events: [], rows }
}

function notWritten(): Problem {
  return problem('storage_unavailable', 'The file could not be kept now. Send it again in a moment.', {
    retryAfterMs: 1_000,
  })
}

/** The same content; what it begins with is noted. */
async function* noting(
  content: AsyncIterable<Uint8Array>,
  head: Buffer[],
): AsyncGenerator<Uint8Array, void, undefined> {
  let noted = 0
  for await (const chunk of content) {
    if (noted < headBytes) {
      const piece = Buffer.from(chunk.subarray(0, headBytes - noted))
      head.push(piece)
      noted += piece.length
    }
    yield chunk
  }
}
