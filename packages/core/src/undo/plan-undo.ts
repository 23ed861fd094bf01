import type { WhyAsk } from '@hotline/protocol/events/checkpoint'

/**
 * What a file was, as one text that is the same for the same bytes, mode and kind. Undefined: there was none. What it
 * says is nobody's business here.
 */
export type FileState = string | undefined

/** One file that was another one after a stretch of time. */
export interface FileStep {
  path: string
  before: FileState
  after: FileState
}

/**
 * Who had the files between two snapshots. `agent`: its turn, or its step; `undo`: Hotline put files back; `other`: the
 * agent was at rest; `unsure`: both may have been at work, for example because a snapshot between them was skipped.
 */
export type Holder = 'agent' | 'undo' | 'other' | 'unsure'

/** What happened between two snapshots that follow each other. */
export interface Stretch {
  by: Holder
  steps: readonly FileStep[]
}

/** A file that goes back from `now` to `to`. */
export interface FileUndo {
  path: string
  now: FileState
  to: FileState
  /** Absent: everything that would go is the agent's. */
  ask?: WhyAsk
}

interface Track {
  /** Before the agent first touched it. */
  to: FileState
  /** As the agent left it last. */
  left: FileState
  isMixed: boolean
  isUnsure: boolean
}

/**
 * What going back means for each file, from the stretches since then, oldest first, up to now. Only files that the agent
 * changed are in it. A file goes back to what it was before the agent first touched it, so what others wrote before that
 * stays; where others wrote between the agent's changes, or after them, the file is asked about.
 */
export function planUndo(stretches: readonly Stretch[]): readonly FileUndo[] {
  const tracks = new Map<string, Track>()
  const now = new Map<string, FileState>()
  for (const { by, steps } of stretches) {
    for (const { path, before, after } of steps) {
      now.set(path, after)
      if (by === 'other') continue
      const track = tracks.get(path)
      const isUnsure = by === 'unsure'
      if (!track) tracks.set(path, { to: before, left: after, isMixed: false, isUnsure })
      else {
        track.isMixed ||= track.left !== before
        track.isUnsure ||= isUnsure
        track.left = after
      }
    }
  }
  const plan: FileUndo[] = []
  for (const [path, track] of tracks) {
    const is = now.get(path)
    if (is === track.to) continue
    const ask = whyAsk(track, is)
    plan.push({ path, now: is, to: track.to, ...(ask === undefined ? {} : { ask }) })
  }
  return plan.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

function whyAsk({ left, isMixed, isUnsure }: Track, now: FileState): WhyAsk | undefined {
  if (left !== now) return 'changed_since'
  if (isMixed) return 'mixed'
  return isUnsure ? 'unsure' : undefined
}

/** The same for the same target and the same bytes: what a person agrees to. */
export function undoDigest(target: string, plan: readonly FileUndo[], sha256: (text: string) => string): string {
  return sha256(
    JSON.stringify([target, plan.map(({ path, now, to, ask }) => [path, now ?? null, to ?? null, ask ?? null])]),
  )
}
