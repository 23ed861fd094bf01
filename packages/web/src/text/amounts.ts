/** `1 file`, `3 files`. */
export function countText(count: number, noun: string, nouns = `${noun}s`): string {
  return `${groupDigits(count)} ${count === 1 ? noun : nouns}`
}

/** `950`, `4.1k`, `41k`, `1.2M`. */
export function shortNumber(value: number): string {
  if (value < 1_000) return Math.round(value).toString()
  const [scaled, unit] = value < 999_500 ? [value / 1_000, 'k'] : [value / 1_000_000, 'M']
  return `${scaled < 9.95 ? (Math.round(scaled * 10) / 10).toString() : Math.round(scaled).toString()}${unit}`
}

/** `12 345` with thin spaces, so that digits align and are read in groups. */
export function groupDigits(value: number): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+(?!\d))/g, '\u202f')
}
