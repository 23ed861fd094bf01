import { elapsedText } from '@hotline/core/elapsed'
import { countText } from './amounts.ts'

/** How long ago: `now`, `12 s`, `5 m`, `2 h`, `3 d`. Times ahead of this clock count as now. */
export function ageText(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 3) return 'now'
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} m`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h`
  return `${Math.floor(hours / 24)} d`
}

/** The same as part of a sentence: `just now`, `12 s ago`. */
export function agoText(ms: number): string {
  const age = ageText(ms)
  return age === 'now' ? 'just now' : `${age} ago`
}

/** How long something took, with tenths where it was less than a second: `0.4s`, `45s`, `5m 3s`, `2h 10m`. */
export function durationText(ms: number): string {
  return ms > 0 && ms < 1_000 ? `${(Math.floor(ms / 100) / 10).toString()}s` : elapsedText(ms)
}

/** A time that somebody chose: `1 day`, `3 days`, `8 hours`, `30 minutes`; where it is none of these as it took: `1h 30m`. */
export function spanText(ms: number): string {
  const minutes = ms / 60_000
  for (const [noun, each] of [
    ['day', 1_440],
    ['hour', 60],
    ['minute', 1],
  ] as const) {
    const count = minutes / each
    if (count >= 1 && Number.isInteger(count)) return countText(count, noun)
    if (count >= 1) break
  }
  return elapsedText(ms)
}

/** What is left of a time: `23:41`, `4 h 5 m`, `2 d 3 h`; `0:00` when it is over. Seconds are only of interest near the end. */
export function countdownText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000))
  const two = (value: number): string => value.toString().padStart(2, '0')
  const hours = Math.floor(seconds / 3_600)
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`
  const minutes = Math.floor((seconds % 3_600) / 60)
  if (hours > 0) return `${hours} h ${minutes} m`
  return `${minutes}:${two(seconds % 60)}`
}

/** The hour of a time on this person's clock, with the day where it is not today's: `12:04`, `Tue 12:04`, `3 Nov 12:04`. */
export function clockText(at: string, nowMs: number): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return 'unknown time'
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  const days = (startOfDay(nowMs) - startOfDay(date.getTime())) / 86_400_000
  if (Math.round(days) === 0) return time
  if (days > 0 && days < 6.5) return `${date.toLocaleDateString('en-GB', { weekday: 'short' })} ${time}`
  return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${time}`
}

function startOfDay(ms: number): number {
  const date = new Date(ms)
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
}

/** The exact time, for a tooltip. */
export function exactText(at: string): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return at
  return date.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
}
