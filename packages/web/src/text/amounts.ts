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

/** `312 B`, `4.1 kB`, `1.2 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  const text = shortNumber(bytes)
  return `${text.slice(0, -1)} ${text.endsWith('k') ? 'kB' : 'MB'}`
}

/** `$0.32`, `€1.20`, `0.004 XYZ`: cents, and more digits below one. */
export function costText(amount: number, currency: string): string {
  const digits = amount !== 0 && amount < 0.01 ? 4 : 2
  const symbol = { USD: '$', EUR: '€', GBP: '£' }[currency.toUpperCase()]
  return symbol === undefined ? `${amount.toFixed(digits)} ${currency}` : `${symbol}${amount.toFixed(digits)}`
}

/** A long word or path shortened in its middle, so that beginning and end stay readable. Whole code points. */
export function breakMiddle(text: string, maxChars: number): string {
  const points = Array.from(text)
  if (points.length <= maxChars) return text
  const tail = Math.ceil((maxChars - 1) / 2)
  return `${points.slice(0, maxChars - 1 - tail).join('')}…${points.slice(-tail).join('')}`
}
