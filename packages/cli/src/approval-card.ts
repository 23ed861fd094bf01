import { createHash } from 'node:crypto'
import { approvalDigest, inputDigest } from '@hotline/core/approval-digest'
import { policyRequest } from '@hotline/core/policy/deed'
import { type WordToType, wordToType } from '@hotline/core/policy/shape'
import type { EventOf } from '@hotline/protocol/events'
import { exactLines } from './exact-lines.ts'
import { plainText } from './plain-text.ts'

/** An approval as it is shown before somebody decides: all that will run, and whether the digest is really its own. */
export interface ApprovalCard {
  approval: string
  digest: string
  event: EventOf<'approval.requested'>
  /** The exact text that the card shows; absent where there is none, or not the right one. */
  input?: string
  /** Lines without their ends. */
  lines: readonly string[]
  /** True where something on it could deceive the eye. */
  grave?: boolean
  /** What a person types before it is allowed; absent where a yes is enough. */
  word?: WordToType
  /** What keeps it from being decided here: nothing else was shown than what is on the card. */
  unfit?: string
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** The input of a request that is too long for its event, as it was fetched, or why it could not be. */
export type FetchedInput = { text: string } | { missing: string }

/** Until when it can be answered, where that is another time than its event says. */
export interface Deadline {
  expiresAt: string
  /** The session is paused: its time does not pass. */
  stands: boolean
}

/** What is known of a request beside its event. */
export interface BesideRequest {
  /** What lies beside its event, where that was asked for: without it nothing can be allowed. */
  fetched?: FetchedInput | undefined
  /** As it is now; pauses move it. */
  deadline?: Deadline | undefined
  /** The step for which it is asked, where that is a sub-agent's. */
  subAgent?: string | undefined
}

/** The card of a request. `label` names it where it is decided. */
export function approvalCard(
  event: EventOf<'approval.requested'>,
  label: string,
  { fetched, subAgent, deadline = { expiresAt: event.data.expiresAt, stands: false } }: BesideRequest = {},
): ApprovalCard {
  const { approval, digest, contextDigest, strength, scopes, risk } = event.data
  const longer = scopes.filter((scope) => scope !== 'once')
  const request = event.body
  if (!request) {
    const unfit = 'What it asked was erased; it cannot be decided any more.'
    return { approval, digest, event, lines: [`${label} ${unfit}`], unfit }
  }
  const facts = [
    ...(risk === undefined ? [] : [`${risk} risk`]),
    ...(subAgent === undefined ? [] : [`sub-agent ${inLine(subAgent)}`]),
    `tool ${inLine(request.tool)}`,
    ...(request.cwd === undefined ? [] : [`in ${inLine(request.cwd)}`]),
    ...(request.envNames?.length ? [`with ${inLine(request.envNames.join(', '))}`] : []),
    (request.plan ? ofPlan : strengths)[strength],
    deadline.stands
      ? 'its time stands still while the session is paused'
      : `${event.data.agentUntil === undefined ? '' : 'its agent waits only '}until ${dayAndTimeOf(deadline.expiresAt, new Date())}`,
  ]
  const input = request.content === undefined ? request.input : fetched && 'text' in fetched ? fetched.text : undefined
  const exact = exactLines(input ?? '')
  const lines = [
    `${label} ${inLine(request.title)}`,
    `(${facts.join('; ')})`,
    ...(input === undefined ? [`(${request.content?.bytes ?? 0} bytes, not shown here)`] : []),
    ...(exact.warning === undefined ? [] : [`Look closely: ${exact.warning}`]),
    ...exact.lines.map((line) => `| ${line}`),
    ...(request.redacted ? ['A secret is masked in this.'] : []),
    ...(request.lasting === undefined ? [] : [`for longer (--for ${longer.join(', ')}): ${inLine(request.lasting)}`]),
    ...(request.reason === undefined
      ? []
      : plainText(request.reason)
          .split('\n')
          .map((line) => `the agent says: ${line}`)),
  ]
  if (input === undefined && fetched && 'missing' in fetched) {
    const unfit = `What would run could not be fetched: ${inLine(fetched.missing)} It can be denied, not allowed.`
    return { approval, digest, event, lines: [...lines, unfit], unfit }
  }
  if (input === undefined) {
    return {
      approval,
      digest,
      event,
      lines,
      unfit: `It is too long to be shown here. Read it with: hotline approve ${approval}`,
    }
  }
  const digestOfInput = inputDigest({ input }, sha256)
  const isWhole = digestOfInput !== undefined && digestOfInput === inputDigest(request, sha256)
  if (isWhole && approvalDigest(contextDigest, digestOfInput, sha256) === digest)
    return { approval, digest, event, input, lines, grave: exact.grave, ...withWord(wordFor(event, input)) }
  const unfit = 'What is shown is not what the decision would be about. Do not decide; tell whoever runs this server.'
  return { approval, digest, event, lines: [...lines, unfit], unfit }
}

/** What is typed before this runs, as it was asked or in its place. What the agent is called changes nothing of that. */
export function wordFor({ body, data }: EventOf<'approval.requested'>, input: string): WordToType | undefined {
  if (!body) return undefined
  return wordToType(policyRequest('', body, input), data.risk)
}

function withWord(word: WordToType | undefined): { word?: WordToType } {
  return word === undefined ? {} : { word }
}

const strengths = {
  enforced: 'runs exactly this',
  mediated: 'runs in a sandbox',
  advisory: 'the agent promises to keep to it',
  observe_only: 'only watching',
} as const

/** A yes to a plan runs nothing: what it binds is whether the agent goes on. */
const ofPlan = {
  ...strengths,
  enforced: 'begins only with your yes',
  mediated: 'begins only with your yes',
} as const

/** Text that must not begin a line of its own. */
export function inLine(text: string): string {
  return plainText(text).replaceAll('\n', '\\n')
}

/** The time here, with the day where it is another one. */
export function dayAndTimeOf(at: string, now: Date): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime()) || date.toDateString() === now.toDateString()) return timeOf(at)
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0'))
  return `${day.join('-')} ${timeOf(at)}`
}

/** The time of day here. */
export function timeOf(at: string): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? '--:--:--' : date.toLocaleTimeString('en-GB')
}
