import { setImmediate as nextTurn } from 'node:timers/promises'
import { ChainHasher } from './chain-hasher.ts'

/** A body as it is stored, with what its digest was made of. */
export interface StoredBody {
  seq: number
  salt: Uint8Array
  body: Uint8Array
}

/** The two statements that erasing needs of a database. */
export interface BodyStore {
  /** Bodies after a position that are to go, in order. */
  bodies(after: number, limit: number): Promise<readonly StoredBody[]>
  /** Puts the digests in the place of these bodies, in one transaction. */
  replace(digests: readonly { seq: number; digest: Uint8Array }[]): Promise<void>
}

/** Bodies in one transaction; other commits go on between two. */
const chunkBodies = 200

/** Erases what `bodies` gives. Each chunk counts for itself: what was cut off goes on when it is asked for again. */
export async function eraseBodies(store: BodyStore): Promise<number> {
  const hasher = new ChainHasher()
  let erased = 0
  let after = 0
  for (;;) {
    const chunk = await store.bodies(after, chunkBodies)
    const last = chunk.at(-1)
    if (last === undefined) return erased
    await store.replace(
      chunk.map(({ seq, salt, body }) => ({ seq, digest: Uint8Array.from(hasher.digestBody(salt, body)) })),
    )
    erased += chunk.length
    after = last.seq
    await nextTurn()
  }
}
