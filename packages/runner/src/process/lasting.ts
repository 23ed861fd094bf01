import type { Holder } from './holder.ts'

/** On what terms a process is kept beyond the life of this one. */
export interface KeepTerms {
  /** What a later life needs to know to take it up again. It stays in memory. */
  memo: string
  /** Bytes of its output that nobody has released; past it, it waits. */
  unreleasedBytes: number
  /** The same of what nobody has read. */
  unreadBytes: number
  /** `all`: everything that goes into it is recorded, so that its whole conversation can be gone through once more. */
  inputs: 'all' | 'last'
}

/** A process that is being kept, for the one who works with it. */
export interface Keeping {
  /** Starts it, once; or, of one that was found, answers it in place of a start. */
  readonly holder: Holder
  /** Word of what is about to be done to it, in its place among what goes into it. */
  note(note: unknown): void
  /** Output before these offsets will not be read again. */
  release(offsets: { out?: number; err?: number }): void
  /** What it leaves on the disk is removed; it has ended, or is ended now. */
  forget(): Promise<void>
}

/** Where to begin to read a process that was found. */
export interface AttachFrom {
  out: number
  err: number
  /** Its conversation is gone through once more from there: what went into it is expected to be said again, word by word. */
  again: boolean
  /** No piece of its output reaches from before this byte to behind it. */
  cut?: number | undefined
}

/** What goes through the past of a process. */
export interface Replay {
  /** Resolves when everything that was heard so far is dealt with. */
  idle(): Promise<void>
  /** Does again what was done at this point. */
  call(note: unknown): void
}

/** A process of an earlier life, taken up. */
export interface Attachment extends Keeping {
  /** Rejects with `Diverged` where its past cannot be gone through as it was. It never resolves. */
  readonly failed: Promise<never>
  /** Goes through the past; resolves when it is the present, and everything that was there by then is dealt with. */
  replay(through: Replay): Promise<void>
}

/** A process that an earlier life of this one has left in good hands. */
export interface Survivor {
  readonly session: string
  readonly pid: number
  readonly memo: string
  /** What was noted of it, oldest first; of some, only the last. */
  readonly notes: readonly unknown[]
  /** The first bytes of its output that are still there. */
  readonly from: { out: number; err: number }
  attach(from: AttachFrom): Attachment
  /** Ends it and forgets it. */
  end(graceMs: number): Promise<void>
}

/** Keeps processes such that they go on when this one dies. */
export interface Lasting {
  keep(terms: KeepTerms): Keeping
  /** Undefined where there is none, or it was taken up already. */
  find(session: string): Survivor | undefined
  /** Sessions of which there is a survivor that nobody has taken up. */
  readonly sessions: readonly string[]
}

/** The past of a process went another way than it was recorded. */
export class Diverged extends Error {
  override readonly name = 'Diverged'
}
