import { approvalDigest, contextDigest } from '@hotline/core/approval-digest'
import type { EventOf } from '@hotline/protocol/events'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import type { PolicyModeName } from '@hotline/protocol/policy-mode'
import { limits } from '@hotline/protocol/limits'
import type { AgentSession, AnswerResult, Ask, Verdict } from '../adapters/adapter.ts'
import type { Redactor } from '../redact.ts'
import { sha256 } from '../sha256.ts'
import type { Spool } from '../spool/spool.ts'
import { head } from './fit-report.ts'
import { openedPaths } from './opened-paths.ts'
import type { Reporter } from './reporter.ts'
import { told } from './report-of.ts'
import { sendable } from './sendable.ts'

/** A request as it was shown. The same bytes are compared again before the answer goes to the agent. */
interface Frozen {
  readonly request: ApprovalRequest & { input: string }
  readonly digest: string
  /** Where the paths that it names led when it was shown; absent where it names none. */
  opened: Record<string, string> | undefined
  answering: boolean
  /** An earlier life has put it to people. */
  isTold: boolean
}

/** Characters of the agent's own words about a request. */
const reasonChars = 2_000

/** JSON bytes of file contents that are shown beside a request. */
const changesBytes = 96 * 1024

/** What the agent is told where no person has said no. */
const byNobody = {
  recalled: {
    because: 'recalled',
    reason: 'It was allowed first, and taken back before you were told.',
  },
  timed_out: {
    because: 'timed_out',
    reason: 'Nobody answered in time. No person has refused it.',
  },
  queue_full: {
    because: 'queue_full',
    reason: 'Nobody was asked: too many requests of this session wait already (queue full). No person has refused it.',
  },
} as const

/** What approvals need to know of their session. */
export interface ApprovalContext {
  session: string
  /** The profile's name, which the digest covers. */
  agent: string
  cwd: string
  envNames: readonly string[]
  agentSession: Pick<AgentSession, 'answer' | 'dismiss' | 'capabilities'>
  reporter: Reporter
  redactor: Redactor
  spool: Pick<Spool, 'intend' | 'conclude'>
  turn: () => string | undefined
  /** Whether the log, as far as it is known here, has taken back since what a mode allowed there. */
  isTakenBack: (answer: { mode: PolicyModeName; seq: number }) => boolean
  /** Whether somebody has taken back that it was allowed, as far as the log is known here. */
  isRecalled: (approval: string) => boolean
  /** It was refused with a reason, by a person or without one, and the agent did not hear that. */
  onReason: (title: string, reason: string, by: 'person' | 'hotline') => void
}

/** Asks of one agent on their way to people, and the answers on their way back. At most one answer reaches the agent. */
export class Approvals {
  readonly #context: ApprovalContext
  readonly #open = new Map<string, Frozen>()
  /** Those that an earlier life has answered; what became of that is told from what was noted. */
  readonly #answered = new Set<string>()
  /** Where the paths lead of what is about to be asked. */
  readonly #seen = new Map<string, Record<string, string>>()

  constructor(context: ApprovalContext) {
    this.#context = context
  }

  /** Looks where the paths lead that it is going to ask about: before it is heard, since nothing waits in the middle of that. */
  async look({ ask, tool, input }: Ask): Promise<void> {
    const { agent, cwd } = this.#context
    const opened = await openedPaths({ agent, tool, input, cwd })
    if (opened) this.#seen.set(ask, sendable(opened) as Record<string, string>)
  }

  /** The agent asks. */
  async request(ask: Ask): Promise<void> {
    const { reporter, redactor, agentSession, agent, session, turn } = this.#context
    const { request, isRedacted } = this.#freeze(ask, redactor)
    const inputBytes = Buffer.byteLength(request.input)
    if (inputBytes > limits.contentBytes) {
      const text = `The agent asked to run "${head(ask.title, 200)}" with an input of ${inputBytes} bytes. More than ${limits.contentBytes} cannot be shown whole, so it was refused.\n`
      reporter.output('log', text)
      await agentSession.answer(ask.ask, { verdict: 'deny' })
      return
    }
    const context = contextDigest(session, agent, request, sha256)
    const digest = approvalDigest(context, sha256(request.input), sha256)
    const seen = this.#seen.get(ask.ask)
    this.#seen.delete(ask.ask)
    // A path may hold what was masked.
    const opened = isRedacted ? undefined : seen
    this.#open.set(ask.ask, { request, digest, opened, answering: false, isTold: false })
    const fate = await reporter.ask({
      type: 'approval.requested',
      data: told({
        approval: ask.ask,
        step: ask.step,
        turn: turn(),
        digest,
        contextDigest: context,
        // Whoever changes it would change what is masked as well.
        verdicts: isRedacted ? ask.verdicts.filter((verdict) => verdict !== 'modify') : ask.verdicts,
        scopes: ask.scopes,
        strength: ask.strength ?? 'advisory',
      }),
      body: {
        ...request,
        ...(opened ? { opened } : {}),
        ...(isRedacted ? { redacted: true } : {}),
      },
    })
    const frozen = this.#open.get(ask.ask)
    if (fate === 'told' && frozen) frozen.isTold = true
    if (fate === 'kept' || fate === 'lost' || fate === 'told') return
    // Nobody will ever see it, so nobody can allow it.
    this.#open.delete(ask.ask)
    const isFull = typeof fate === 'object' && fate.dropped === 'queue_full'
    const verdict: Verdict = { verdict: 'deny', ...(isFull ? byNobody.queue_full : {}) }
    this.#tellUnheard(ask.title, verdict, await agentSession.answer(ask.ask, verdict))
  }

  /** It waits for an answer, or got one. */
  knows(ask: string): boolean {
    return this.#open.has(ask) || this.#answered.has(ask)
  }

  /** An earlier life has answered it. Answers what it was about. */
  wasAnswered(ask: string): string | undefined {
    const title = this.#open.get(ask)?.request.title
    this.#open.delete(ask)
    this.#answered.add(ask)
    return title
  }

  /** What an earlier life has put to people and the log does not have, nobody will ever answer. */
  async denyUnknown(known: readonly { approval: string }[]): Promise<void> {
    for (const [ask, { isTold, answering }] of this.#open) {
      if (!isTold || answering || known.some(({ approval }) => approval === ask)) continue
      this.#open.delete(ask)
      await this.#context.agentSession.answer(ask, { verdict: 'deny' })
    }
  }

  /** The agent no longer asks. */
  closed(ask: string, reason: 'agent_withdrew' | 'turn_ended'): void {
    const frozen = this.#open.get(ask)
    if (!frozen || frozen.answering) return
    this.#open.delete(ask)
    this.#context.reporter.put({ type: 'approval.cancelled', data: { approval: ask, reason } })
  }

  /** A person has decided. */
  async resolved({ data, body, seq }: EventOf<'approval.resolved'>): Promise<void> {
    const frozen = this.#begin(data.approval)
    if (!frozen) return
    const { agentSession, reporter, session, agent } = this.#context
    const { approval } = data
    const context = contextDigest(session, agent, frozen.request, sha256)
    const isSame =
      frozen.digest === data.digest && approvalDigest(context, sha256(frozen.request.input), sha256) === data.digest
    const input = body?.input
    const isSameChange =
      data.outcome !== 'allowed_modified' ||
      (input !== undefined && approvalDigest(context, sha256(input), sha256) === data.modifiedDigest)
    // A rule or a mode has allowed the files that were meant then.
    const isByPolicy = data.rule !== undefined || data.mode !== undefined
    const isSwapped = isByPolicy && !(await isOpenedSame(frozen, agent))
    const isStale = data.mode !== undefined && this.#context.isTakenBack({ mode: data.mode.mode, seq })
    if (!isSame || !isSameChange || isSwapped || isStale) {
      const reason = isSame && isSameChange && !isSwapped ? 'stale' : 'digest_mismatch'
      reporter.put({ type: 'approval.dispatch_refused', data: { approval, reason } })
      this.#open.delete(approval)
      await agentSession.answer(approval, { verdict: 'deny' })
      return
    }
    const reason = body?.reason ? { reason: body.reason } : {}
    const verdict: Verdict =
      data.outcome === 'denied'
        ? { verdict: 'deny', ...reason, ...(data.rule === undefined ? {} : { because: 'rule' }) }
        : data.outcome === 'allowed'
          ? { verdict: 'allow', scope: data.scope, ...reason }
          : { verdict: 'modify', input: input ?? '', ...reason }
    const digest = data.modifiedDigest ?? data.digest
    const result = await this.#dispatch(approval, verdict, digest)
    this.#tellUnheard(frozen.request.title, verdict, result)
  }

  /** Nobody answered in time: for the agent that is a no, and no person's. */
  async timedOut(approval: string): Promise<void> {
    const frozen = this.#begin(approval)
    if (!frozen) return
    const verdict: Verdict = { verdict: 'deny', ...byNobody.timed_out }
    this.#tellUnheard(frozen.request.title, verdict, await this.#dispatch(approval, verdict, frozen.digest))
  }

  /** It was closed elsewhere; the agent is told that no answer comes. */
  async cancelled(approval: string): Promise<void> {
    if (!this.#open.delete(approval)) return
    await this.#context.agentSession.dismiss(approval)
  }

  #freeze(ask: Ask, redactor: Redactor): Pick<Frozen, 'request'> & { isRedacted: boolean } {
    const { cwd, envNames } = this.#context
    const shown = ask.changes === undefined ? 0 : Buffer.byteLength(JSON.stringify(ask.changes))
    // The digest is of what the server will read.
    const request = sendable(
      told({
        tool: head(ask.tool, 200),
        title: head(ask.title, 500),
        input: ask.input,
        cwd,
        envNames: envNames.toSorted(),
        reason: ask.reason === undefined ? undefined : head(ask.reason, reasonChars),
        plan: ask.plan,
        lasting: ask.lasting === undefined ? undefined : head(ask.lasting, reasonChars),
        changes: shown > changesBytes ? undefined : ask.changes,
      }),
    ) as Frozen['request']
    const masked = redactor.value(request)
    return { request: masked, isRedacted: masked !== request }
  }

  /** Undefined where it is unknown, or an answer to it is on its way already. */
  #begin(approval: string): Frozen | undefined {
    const frozen = this.#open.get(approval)
    if (!frozen || frozen.answering) return undefined
    frozen.answering = true
    return frozen
  }

  /** A reason that the agent did not hear with the answer it hears later. */
  #tellUnheard(title: string, verdict: Verdict, result: AnswerResult | 'unknown'): void {
    const { agentSession, onReason } = this.#context
    const isUnheard = result === 'reason_unheard' || (result === 'applied' && !agentSession.capabilities.denyReason)
    if (!isUnheard || verdict.verdict !== 'deny' || !verdict.reason) return
    onReason(title, verdict.reason, verdict.because === undefined ? 'person' : 'hotline')
  }

  /** Says what became of the answer; `unknown` where the agent ended while it was given. */
  async #dispatch(approval: string, verdict: Verdict, digest: string): Promise<AnswerResult | 'unknown'> {
    const { spool, agentSession, reporter, isRecalled } = this.#context
    const intent = await spool.intend({ what: 'answer', approval })
    // Nothing waits between this look and the deed.
    if (verdict.verdict !== 'deny' && isRecalled(approval)) {
      const denied: Verdict = { verdict: 'deny', ...byNobody.recalled }
      const title = this.#open.get(approval)?.request.title ?? ''
      this.#open.delete(approval)
      reporter.put({ type: 'approval.dispatch_refused', data: { approval, reason: 'recalled' } })
      spool.conclude(intent)
      const heard = await agentSession.answer(approval, denied).catch(() => 'unknown' as const)
      this.#tellUnheard(title, denied, heard)
      return heard
    }
    const result = await agentSession.answer(approval, verdict).catch(() => 'unknown' as const)
    this.#open.delete(approval)
    if (result === 'applied' || result === 'reason_unheard' || result === 'reason_heard') {
      reporter.put({ type: 'approval.dispatched', data: { approval, digest } })
    } else if (result === 'unknown') reporter.put({ type: 'approval.dispatch_unknown', data: { approval } })
    else reporter.put({ type: 'approval.dispatch_refused', data: { approval, reason: result } })
    spool.conclude(intent)
    if (result === 'unsupported') await agentSession.answer(approval, { verdict: 'deny' })
    return result
  }
}

async function isOpenedSame({ request, opened }: Frozen, agent: string): Promise<boolean> {
  if (!opened) return true
  const now = sendable(await openedPaths({ ...request, agent }))
  return JSON.stringify(now) === JSON.stringify(opened)
}
