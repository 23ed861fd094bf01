const stored = 'hotline.typingMs'

/** For how long somebody who types is shown after the last sign of it, in milliseconds; 0: never. */
export const typingChoices: readonly number[] = [30_000, 10_000, 60_000, 0]

/** What this browser's person has chosen; the first choice where they have not. */
export function typingMs(): number {
  const chosen = Number(localStorage.getItem(stored) ?? Number.NaN)
  return typingChoices.find((choice) => choice === chosen) ?? 30_000
}

/** Keeps it for this browser. */
export function chooseTypingMs(ms: number): void {
  localStorage.setItem(stored, String(ms))
}
