import type { Readable } from 'node:stream'

/** Bytes under their own name: the hex SHA-256 of the content. */
export interface Blob {
  digest: string
  sizeBytes: number
}

/** `too-large`: nothing was kept. `unavailable`: nothing was kept (disk full, read-only). */
export type PutResult =
  | { ok: true; blob: Blob }
  | { ok: false; reason: 'too-large' }
  | { ok: false; reason: 'unavailable'; detail: string }

/**
 * Content that is too large for an event, apart for each project: a digest that one project knows opens nothing in another.
 * What `put` resolved with is on disk. A project or digest that is not well formed throws a RangeError.
 */
export interface BlobStore extends AsyncDisposable {
  /** Reads the content to its end or to the limit. Rejects with the error of the content itself. */
  put(project: string, content: Uint8Array | AsyncIterable<Uint8Array>, maxBytes: number): Promise<PutResult>
  /**
   * A stream to be read or destroyed by the caller; undefined where there is none. The stream fails at its end with
   * `BlobDamaged` when the bytes do not give the digest.
   */
  get(project: string, digest: string): Promise<{ sizeBytes: number; content: Readable } | undefined>
  /** True where it was there. */
  delete(project: string, digest: string): Promise<boolean>
  /** All that there is when it is asked for, in no order; what comes or goes meanwhile may be among it. */
  all(): AsyncIterable<{ project: string; digest: string }>
  /** Deletes everything of a project. */
  deleteProject(project: string): Promise<void>
}

/** The bytes on the disk are not those that were put. */
export class BlobDamaged extends Error {
  override readonly name = 'BlobDamaged'
}
