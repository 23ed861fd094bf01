/** `1 file`, `3 files`. */
export function countText(count: number, noun: string, nouns = `${noun}s`): string {
  return `${groupDigits(count)} ${count === 1 ? noun : nouns}`
}

/** `12 345` with thin spaces, so that digits align and are read in groups. */
export function groupDigits(value: number): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+(?!\d))/g, '\u202f')
}
