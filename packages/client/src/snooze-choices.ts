/** A time until which something can be put aside. */
export interface SnoozeChoice {
  name: string
  /** Wall milliseconds. */
  atMs: number
}

/** The hour at which a morning begins, and until which a night belongs to the day before. */
const morning = 8
const nightEnds = 4

/** What is offered, the nearest first; mornings are those of the clock here. */
export function snoozeChoices(nowMs: number): readonly SnoozeChoice[] {
  return [
    { name: '15 minutes', atMs: nowMs + 15 * 60_000 },
    { name: '1 hour', atMs: nowMs + 60 * 60_000 },
    { name: 'Tomorrow morning', atMs: nextMorningMs(nowMs) },
  ]
}

function nextMorningMs(nowMs: number): number {
  const now = new Date(nowMs)
  const days = now.getHours() < nightEnds ? 0 : 1
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, morning).getTime()
}
