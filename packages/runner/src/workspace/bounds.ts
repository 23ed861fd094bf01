import type { WhySkipped } from '@hotline/protocol/events/checkpoint'

/** What a snapshot may take. Past it there is none, and it is said why. */
export interface Bounds {
  files: number
  /** Of one file; a larger one is named and not kept. */
  fileBytes: number
  /** Of all files that were not kept before. */
  bytes: number
  timeMs: number
  /** Folders in folders. */
  depth: number
}

/** Enough for a large repository; what is past it is rather a disk than a project. */
export const standardBounds: Bounds = {
  files: 250_000,
  fileBytes: 16 * 1024 * 1024,
  bytes: 1024 * 1024 * 1024,
  timeMs: 30_000,
  depth: 128,
}

/** There is no snapshot, and that is no fault of ours. The message is for people. */
export class Skipped extends Error {
  override readonly name = 'Skipped'
  readonly why: WhySkipped

  constructor(why: WhySkipped, message: string) {
    super(message)
    this.why = why
  }
}
