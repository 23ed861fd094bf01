/** The middle of several samples and their extremes. */
export interface Spread {
  median: number
  min: number
  max: number
}

/** The value at quantile `q` (0 to 1) of an ascending list, without interpolation; NaN for an empty one. */
export function quantile(ascending: ArrayLike<number>, q: number): number {
  if (ascending.length === 0) return Number.NaN
  return ascending[Math.min(ascending.length - 1, Math.floor(q * ascending.length))] ?? Number.NaN
}

/** Median (of an even count the mean of the two in the middle) with the extremes; undefined where there is no sample. */
export function spreadOf(samples: readonly number[]): Spread | undefined {
  const sorted = samples.filter((sample) => Number.isFinite(sample)).toSorted((a, b) => a - b)
  const min = sorted[0]
  const max = sorted.at(-1)
  const low = sorted[Math.floor((sorted.length - 1) / 2)]
  const high = sorted[Math.floor(sorted.length / 2)]
  if (min === undefined || max === undefined || low === undefined || high === undefined) return undefined
  return { median: (low + high) / 2, min, max }
}
