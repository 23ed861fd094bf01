/** `1 file`, `3 files`. */
export function countText(count: number, noun: string, nouns = `${noun}s`): string {
  return `${groupDigits(count)} ${count === 1 ? noun : nouns}`
}

/** `12 345` with thin spaces, so that digits align and are read in groups. */
export function groupDigits(value: number): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+(?!\d))/g, '\u202f')
}

/** `999`, `41k`, `1.2M`: for what nobody counts exactly. */
export function shortCount(value: number): string {
  if (value < 1_000) return String(Math.round(value))
  const large = value >= 999_500
  const amount = value / (large ? 1_000_000 : 1_000)
  return `${amount < 10 ? Math.floor(amount * 10) / 10 : Math.floor(amount)}${large ? 'M' : 'k'}`
}

/** The size of a file, in few letters. */
export function sizeText(bytes: number): string {
  if (bytes < 1_000) return bytes === 1 ? '1 byte' : `${bytes} bytes`
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

/** `830 kB`, `12 MB`, `1.4 GB`. */
export function memoryText(bytes: number): string {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}

/** `$0.32`, `€12.00`, `< $0.01` for what is not nothing; an unknown currency stands behind the amount. */
export function moneyText({ amount, currency }: { amount: number; currency: string }): string {
  if (!/^[A-Z]{3}$/.test(currency)) return `${amount.toFixed(2)} ${currency}`
  const inMoney = new Intl.NumberFormat('en', { style: 'currency', currency })
  const smallest = 10 ** -(inMoney.resolvedOptions().maximumFractionDigits ?? 2)
  return amount > 0 && amount < smallest ? `< ${inMoney.format(smallest)}` : inMoney.format(amount)
}
