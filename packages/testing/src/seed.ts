import { randomInt } from 'node:crypto'

/** The environment variable that fixes every seed of a run: a whole number from 0 to 4294967295. */
export const seedVariable = 'HOTLINE_TEST_SEED'

/** A source of randomness that gives the same values for the same seed on every machine. */
export interface SeededRandom {
  /** The seed that it was made from. */
  readonly seed: number
  /** A number from 0 up to, but not including, 1. */
  float(): number
  /** A whole number from `min` to `max`, both included; throws a RangeError when there is none. */
  int(min: number, max: number): number
  /** True with the given probability (0 to 1). */
  chance(probability: number): boolean
  /** One of the items; throws a RangeError when there are none. */
  pick<T>(items: readonly T[]): T
  /** A shuffled copy; the argument stays as it is. */
  shuffle<T>(items: readonly T[]): T[]
  /** That many random bytes. */
  bytes(sizeBytes: number): Buffer
  /** An independent source with a seed derived from this seed and the name, whatever was drawn before. */
  fork(name: string): SeededRandom
}

/** FNV-1a over UTF-16 code units, 32 bits. */
function hashName(name: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < name.length; at += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193) >>> 0
  }
  return hash
}

/** sfc32 (Chris Doty-Humphrey's "small fast counting" generator), 32 bits a call. */
function sfc32(seed: number): () => number {
  let a = 0
  let b = seed | 0
  let c = 0
  let counter = 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // The first outputs of near seeds resemble each other: they are thrown away, as the author advises.
  for (let round = 0; round < 12; round += 1) next()
  return next
}

/** Starts a random source from a seed (a whole number from 0 to 4294967295; throws a RangeError otherwise). */
export function seededRandom(seed: number): SeededRandom {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) throw new RangeError(`not a seed: ${seed}`)
  const next = sfc32(seed)
  // 53 random bits, so that `int` is even over the whole range of safe integers.
  const float = (): number => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000
  const int = (min: number, max: number): number => {
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min > max) {
      throw new RangeError(`no whole number from ${min} to ${max}`)
    }
    return min + Math.floor(float() * (max - min + 1))
  }
  return {
    seed,
    float,
    int,
    chance: (probability) => float() < probability,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) throw new RangeError('nothing to pick from')
      return items[int(0, items.length - 1)] as T
    },
    shuffle<T>(items: readonly T[]): T[] {
      const shuffled = [...items]
      for (let at = shuffled.length - 1; at > 0; at -= 1) {
        const other = int(0, at)
        const moved = shuffled[at] as T
        shuffled[at] = shuffled[other] as T
        shuffled[other] = moved
      }
      return shuffled
    },
    bytes(sizeBytes) {
      const bytes = Buffer.alloc(sizeBytes)
      for (let at = 0; at < sizeBytes; at += 1) bytes[at] = next() >>> 24
      return bytes
    },
    // The seed goes through the generator first: mixed as it is, near seeds and near names would meet.
    fork: (name) => seededRandom((sfc32(seed)() ^ hashName(name)) >>> 0),
  }
}

/**
 * Chooses the seed of a random test and prints it with what to set to run it again. `HOTLINE_TEST_SEED` overrides
 * the choice; throws a RangeError when that variable holds no seed. `label` says which test the line is about.
 */
export function randomSeed(label: string): number {
  const fixed = process.env[seedVariable]
  if (fixed !== undefined && fixed !== '') {
    if (!/^\d{1,10}$/.test(fixed) || Number(fixed) > 0xffffffff) {
      throw new RangeError(`${seedVariable} must be a whole number from 0 to 4294967295`)
    }
    console.log(`${label}: seed ${fixed} (from ${seedVariable})`)
    return Number(fixed)
  }
  const seed = randomInt(0, 0x100000000)
  console.log(`${label}: seed ${seed} (again with ${seedVariable}=${seed})`)
  return seed
}
