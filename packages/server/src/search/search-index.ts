import type { Actor } from '@hotline/protocol/actor'
import type { SearchKind } from '@hotline/protocol/search'
import type { Terms } from './terms.ts'

/** Something that was said, as it is looked for: one event may give several. */
export interface Piece {
  seq: number
  /** 0, 1, … of one event. */
  part: number
  /** Milliseconds since 1970. */
  atMs: number
  subject: string | undefined
  kind: SearchKind
  /** Programs and tools said it: it goes where output is kept for a time only. */
  isOutput: boolean
  actor: Actor
  text: string
}

/** What is not to be found any more: of one subject, only what programs and tools said, or all, up to a position. */
export interface Erasure {
  erase: { subject: string | undefined; kind?: 'output' | undefined; upTo: number }
}

/** What a stream belongs to. */
export interface About {
  project: string
  task: string | undefined
  agent: string | undefined
}

/** How far a stream was read, and what it is. */
export interface StreamPlace {
  epoch: string
  seq: number
  about: About
}

/** What the events of a stretch of a stream come to. */
export interface Stretch {
  stream: string
  epoch: string
  /** The stretch begins after this position; it is not taken where the index is elsewhere. */
  after: number
  upTo: number
  about: About
  changes: readonly (Piece | Erasure)[]
}

/** What is looked for. Nothing is found outside of `projects`. */
export interface IndexQuery {
  terms: Terms
  projects: readonly string[]
  session?: string | undefined
  task?: string | undefined
  kind?: SearchKind | undefined
  /** Ids or kinds of actors; one of them. */
  authors?: readonly string[] | undefined
  agent?: string | undefined
  /** Milliseconds since 1970. */
  sinceMs?: number | undefined
  untilMs?: number | undefined
  /** No piece after this one. */
  upTo?: number | undefined
  limit: number
}

/** A piece that was found. `id` grows with the time at which it was said. */
export interface FoundPiece extends Omit<Piece, 'part' | 'isOutput'>, About {
  id: number
  stream: string
}

/**
 * The index of what was said: derived from the log, and made anew where it is lost. What it answers may be behind the log,
 * and is never ahead of it. All of it throws `StoreUnavailable` where its database cannot be had.
 */
export interface SearchIndex extends AsyncDisposable {
  /** What is damaged is thrown away: the log has to be gone through from its beginning. */
  mend(): Promise<void>
  /** How far a stream was read; undefined for one that is not in it. */
  position(stream: string): Promise<StreamPlace | undefined>
  /**
   * Takes out a bounded piece of what this stretch erases of those before it, and answers whether there was any. The log has
   * said it already, so it may be gone before the stretch is taken; what a crash leaves of it goes with the stretch.
   */
  eraseSome(stretch: Stretch): Promise<boolean>
  /** Takes a stretch, whole or not at all; one that it has already changes nothing. */
  index(stretch: Stretch): Promise<void>
  /** The newest that fit, newest first. */
  find(query: IndexQuery): Promise<readonly FoundPiece[]>
  /** Nothing of this stream is found any more, and none of its words is kept. */
  forget(stream: string): Promise<void>
  /** Names of streams that are in it after this one, in the order of their bytes. */
  streams(after: string, limit: number): Promise<readonly string[]>
}

/** The version of what is kept, and of how words are made: where it is another one, the index is made anew. */
export const indexVersion = 2

/** Pieces of one millisecond have so many places in the order of time; where there are more, the next ones are used. */
export const placesPerMs = 1_024

/** Words by which a piece is told apart besides those of its text: they look like none of a text. */
export function facetsOf(stream: string, { project, task }: About, kind: SearchKind): readonly string[] {
  return [projectFacet(project), streamFacet(stream), kindFacet(kind), ...(task === undefined ? [] : [taskFacet(task)])]
}

/** What each query is narrowed by, as groups of facets of which one has to fit. */
export function facetGroups({ projects, session, task, kind }: IndexQuery): readonly (readonly string[])[] {
  return [
    projects.map(projectFacet),
    ...(session === undefined ? [] : [[streamFacet(`session:${session}`)]]),
    ...(task === undefined ? [] : [[taskFacet(task)]]),
    ...(kind === undefined ? [] : [[kindFacet(kind)]]),
  ]
}

const projectFacet = (project: string): string => `p${hex(project)}`
const streamFacet = (stream: string): string => `s${hex(stream)}`
const taskFacet = (task: string): string => `t${hex(task)}`
const kindFacet = (kind: SearchKind): string => `k${hex(kind)}`

/** Letters and digits alone, upper and lower case told apart. */
function hex(id: string): string {
  return Buffer.from(id).toString('hex')
}
