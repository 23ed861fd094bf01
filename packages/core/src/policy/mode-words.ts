import type { PolicyModeName } from '@hotline/protocol/policy-mode'

const minuteMs = 60_000

/** What a mode is called where a person chooses it. */
export const modeNames: Record<PolicyModeName, string> = {
  ask: 'Ask for everything',
  edits_free: 'Edits are free',
  hands_free: 'Hands-free',
}

/** What it means, in a sentence. */
export const modeMeanings: Record<PolicyModeName, string> = {
  ask: 'What no rule answers is asked.',
  edits_free:
    'Changes to files in its folder are not asked, nor what only looks there; but files are that others run, that hold secrets or that say what agents may do.',
  hands_free:
    'For a while commands, changes and web pages are not asked, unless they could do lasting harm or a rule says so. It ends by itself.',
}

/**
 * A mode in a few words, for a mark in a list; undefined where everything is asked, or its time is over. `nowMs`: since 1970.
 */
export function modeMark(
  said: { mode: PolicyModeName; until?: string | undefined } | null | undefined,
  nowMs: number,
): string | undefined {
  if (!said || said.mode === 'ask') return undefined
  if (said.mode === 'edits_free') return 'edits are free'
  const leftMs = said.until === undefined ? 0 : Date.parse(said.until) - nowMs
  if (leftMs <= 0) return undefined
  return leftMs < minuteMs
    ? 'hands-free, less than a minute left'
    : `hands-free, ${Math.ceil(leftMs / minuteMs)} min left`
}

/** The mode that gave an answer, in the middle of a line; whose it was is said beside it. */
export function modeAnswered(mode: PolicyModeName): string {
  return mode === 'hands_free' ? 'hands-free' : 'edits are free'
}
