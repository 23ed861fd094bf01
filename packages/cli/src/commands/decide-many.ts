import type { OneDecision, OneOutcome } from '@hotline/client/decide-many'
import { kindOf, exitCodes, type Problem } from '@hotline/protocol/error'
import type { SessionRow } from '@hotline/protocol/http'
import { inLine } from '../approval-card.ts'
import { askBack } from '../ask-back.ts'
import type { Server } from '../ask-server.ts'
import { withWinner } from '../decide-approval.ts'
import { Failure, fail } from '../failure.ts'
import { openAsks } from '../open-asks.ts'
import { compareDigest, type FoundApproval, readCards } from '../read-asks.ts'
import type { CommandContext } from './context.ts'

/** What several are answered with. */
export interface ManyOptions {
  verdict: 'allow' | 'deny'
  reason?: string | undefined
  /** One for each, in their order. */
  digests?: readonly string[] | undefined
}

/** What becomes of one that is not sent at all. */
type Held = { card: FoundApproval; held: Problem } | { card: FoundApproval; held?: undefined }

/**
 * Answers several approvals, each by itself: what is of high risk, deceives the eye or could not be shown is left out and named.
 * All that is allowed has been on this screen, or is named by its digest.
 */
export async function decideSeveral(
  context: CommandContext,
  server: Server,
  texts: readonly string[],
  { verdict, reason, digests }: ManyOptions,
): Promise<void> {
  const found = await findCards(server, texts)
  if (digests !== undefined && digests.length !== texts.length) {
    throw fail('invalid_request', `Give as many --digest as approvals, in their order: ${texts.length}.`)
  }
  const all = found.map((card, at): Held => {
    const held = verdict === 'allow' ? whyNot(card, digests?.[at]) : undefined
    return held ? { card, held } : { card }
  })
  const sent = all.filter(({ held }) => held === undefined).map(({ card }) => card)
  const lines = sent.flatMap(({ card }) => [...card.lines, ''])
  if (digests === undefined && lines.length > 0) context.note(lines.join('\n'))
  if (verdict === 'allow' && digests === undefined && sent.length > 0) {
    const ids = sent.map(({ card }) => card.approval)
    await askBack(context, {
      what: sent.length === 1 ? 'Allow exactly this?' : `Allow exactly these ${sent.length}, each as it is shown?`,
      lines,
      otherwise: `hotline approve ${ids.join(' ')} ${ids.map(() => '--digest <digest>').join(' ')}`,
    })
  }
  const decisions = sent.map(({ session, card }): OneDecision => ({
    session,
    approval: card.approval,
    digest: card.digest,
    verdict,
    ...(reason === undefined ? {} : { reason }),
  }))
  const outcomes = decisions.length === 0 ? [] : await server.decideMany(decisions)
  await tell(context, server, verdict, all, outcomes)
}

/** What became of each, in the order in which they were named. The first refusal is the exit code. */
async function tell(
  context: CommandContext,
  server: Server,
  verdict: 'allow' | 'deny',
  all: readonly Held[],
  outcomes: readonly OneOutcome[],
): Promise<void> {
  let refused: Problem | undefined
  for (const { card, held } of all) {
    const { approval } = card.card
    const outcome = outcomes.find((one) => one.approval === approval)
    const refusal = held ?? (outcome?.ok === false ? outcome.problem : undefined)
    const problem = refusal && (await withWinner(server, new Failure(refusal))).problem
    refused ??= problem
    const text = problem ? `not decided: ${inLine(problem.detail)}` : verdict === 'allow' ? 'allowed' : 'denied'
    context.print({ approval, ok: problem === undefined, ...(problem ? { problem } : {}) }, `${approval}  ${text}\n`)
  }
  if (refused) context.exit(exitCodes[kindOf(refused.code)])
}

/** Why one cannot be allowed together with others; undefined where it can. */
function whyNot({ card }: FoundApproval, digest: string | undefined): Problem | undefined {
  if (card.unfit !== undefined) return fail('digest_mismatch', card.unfit).problem
  const alone = `Decide it by itself: hotline approve ${card.approval}`
  if (card.word) return fail('forbidden', `${card.word.why} ${alone}`).problem
  if (digest === undefined) return undefined
  try {
    compareDigest(card, digest)
    return undefined
  } catch (error) {
    if (error instanceof Failure) return error.problem
    throw error
  }
}

/** Each that is named; the same one twice counts once. Throws a `Failure` for a name that means none or several. */
async function findCards(server: Server, texts: readonly string[]): Promise<readonly FoundApproval[]> {
  const rows = await server.sessions()
  const asked = texts.map((text) => openOne(rows, text))
  const cards = await readCards(server, asked)
  const missing = asked.find(({ id }) => !cards.some(({ card }) => card.approval === id))
  if (missing) throw fail('not_found', `${missing.id} was answered, or is not asked any more. Nothing was decided.`)
  return cards
}

function openOne(rows: readonly SessionRow[], text: string): { session: string; id: string } {
  const [only, ...further] = openAsks(rows, text)?.approvals ?? []
  if (!only) throw fail('not_found', `"${text}" names nothing that is to be allowed or denied. See: hotline asks`)
  if (further.length === 0) return only
  const all = [only, ...further].map(({ id }) => id)
  throw fail('invalid_request', `"${text}" asks several things; name them: ${all.join(' ')}`)
}
