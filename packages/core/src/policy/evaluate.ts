import type { HeldRule, PolicyEffect } from '@hotline/protocol/policy'
import type { PolicyMode } from '@hotline/protocol/policy-mode'
import type { Risk } from '@hotline/protocol/risk'
import { type Deed, type PolicyRequest, readDeed } from './deed.ts'
import { fits, type ReadRequest } from './match.ts'
import { readPaths } from './named-path.ts'
import { onlyLooks } from './programs.ts'
import { readRisk } from './risk.ts'

/** What counts for a project: the rules of the server and its own, each in their order. */
export interface Policy {
  rules: readonly HeldRule[]
  mode: PolicyMode
}

/** What becomes of a request, by which rule or mode, and why, in words. */
export interface Evaluation {
  effect: PolicyEffect
  /** The rule that decided; absent where none did. */
  rule?: HeldRule
  /** The mode that allowed it. */
  mode?: PolicyMode['mode']
  why: string
  risk: Risk
  /** What makes the risk more than low. */
  riskWhy: readonly string[]
  deed: Deed
}

/** From the strictest to the mildest. */
const effects: readonly PolicyEffect[] = ['deny', 'ask', 'allow']

/**
 * What a policy says of a request at some time (`now`: RFC 3339, UTC). A rule that denies wins over all others, wherever it
 * stands; of the others the first that fits counts, in each of the two lists, and of what these say the stricter; where none
 * fits, the mode; and where that says nothing, a person is asked.
 */
export function evaluate(
  policy: Policy,
  request: PolicyRequest,
  { now, sha256 }: { now: string; sha256: (text: string) => string },
): Evaluation {
  const deed = readDeed(request)
  const { risk, why: riskWhy } = readRisk(request, deed)
  const inputDigest = request.input === undefined ? undefined : sha256(request.input)
  const read: ReadRequest = { request, deed, risk, inputDigest }
  const facts = { risk, riskWhy, deed }
  const standing = policy.rules.filter((rule) => !isOver(rule.until, now) && fits(rule, read))
  const rule = stricter(
    saying(standing.filter(({ of }) => of === 'server')),
    saying(standing.filter(({ of }) => of === undefined)),
  )
  if (rule) return { effect: rule.effect, rule, why: 'A rule says so.', ...facts }
  const mode = modeAllowing(policy.mode, read, now)
  if (mode) return { effect: 'allow', mode: mode.mode, why: mode.why, ...facts }
  return { effect: 'ask', why: whyAsked(deed), ...facts }
}

/** The rule that counts in one list. */
function saying(standing: readonly HeldRule[]): HeldRule | undefined {
  return standing.find(({ effect }) => effect === 'deny') ?? standing[0]
}

/** The server's, where both say the same. */
function stricter(ofServer: HeldRule | undefined, ofProject: HeldRule | undefined): HeldRule | undefined {
  if (!ofServer || !ofProject) return ofServer ?? ofProject
  return effects.indexOf(ofProject.effect) < effects.indexOf(ofServer.effect) ? ofProject : ofServer
}

/** True where the time of something is over; what has none lasts. */
export function isOver(until: string | undefined, now: string): boolean {
  return until !== undefined && Date.parse(until) <= Date.parse(now)
}

function modeAllowing(
  mode: PolicyMode,
  read: ReadRequest,
  now: string,
): { mode: PolicyMode['mode']; why: string } | undefined {
  if (mode.mode === 'ask' || (mode.mode === 'hands_free' && isOver(mode.until, now))) return undefined
  if (isFreeLook(read)) return { mode: mode.mode, why: 'It only looks at the folder of the session.' }
  if (isFreeEdit(read)) return { mode: mode.mode, why: 'Changes to files in the folder of the session are free now.' }
  if (mode.mode === 'edits_free') return undefined
  const isBearable = read.risk !== 'high' && read.deed.does !== 'other' && read.deed.does !== 'plan'
  return isBearable ? { mode: mode.mode, why: `Hands-free until ${mode.until}.` } : undefined
}

/** In the folder as it is written and as it is on the machine; and no file that others run, or that holds what is secret. */
function isFreeEdit({ request, deed, risk }: ReadRequest): boolean {
  if (deed.does !== 'edit' || risk !== 'low') return false
  const named = readPaths(request, deed.paths)
  const isFree = named.every((one) => one.inside !== undefined && one.odd === undefined && one.protected === undefined)
  return named.length > 0 && isFree
}

/** A file of the folder that is like any other, or a command that tells what is there and can do nothing else. */
function isFreeLook({ deed, risk }: ReadRequest): boolean {
  if (deed.does === 'read') return risk === 'low'
  return deed.does === 'run' && risk !== 'high' && deed.argv !== undefined && onlyLooks(deed.argv)
}

function whyAsked(deed: Deed): string {
  if (deed.does === 'other') return `No rule fits; ${deed.why}.`
  if (deed.does === 'run' && deed.argv === undefined) return `No rule fits; ${deed.why}.`
  return 'No rule fits.'
}
