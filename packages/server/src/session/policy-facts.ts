import { askKey } from '@hotline/core/account/ask-key'
import { placeKey, type ReadPlace } from '@hotline/core/account/read-mark'
import type { Context } from '@hotline/core/decision'
import { openApprovals, type SessionState } from '@hotline/core/session/state'
import type { Command } from '@hotline/protocol/command'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import { asKnown } from '@hotline/protocol/known-event'
import { splitStream } from '@hotline/protocol/stream'
import type { LogStore } from '../log/log-store.ts'
import { readEvent } from '../log/read-event.ts'
import type { AskedNow } from './asked-now.ts'
import { boardFor, cardsFor } from './board-facts.ts'
import { readSaid } from './read-said.ts'
import { readUploads } from './read-uploads.ts'
import type { Standing } from './decide-batch.ts'
import type { QueuePorts } from './stream-queue.ts'

/** What the rules are told beside the state of a stream. */
export type Facts = Pick<
  Context,
  'rules' | 'asked' | 'openAsks' | 'approvalTimeouts' | 'board' | 'cards' | 'said' | 'readTo' | 'uploads' | 'strangers'
>

/** What commands need beside the state of their stream: of rules that could have a say, of what is to be put aside, or of the board. */
export async function factsFor(
  {
    store,
    lists,
    policyOf,
    askOf,
    placeOf,
    isAccount,
    now,
  }: Pick<QueuePorts, 'store' | 'lists' | 'policyOf' | 'askOf' | 'placeOf' | 'isAccount' | 'now'>,
  stream: string,
  { state }: Standing,
  batch: readonly { command: Command }[],
): Promise<Facts> {
  if (state?.kind !== 'session') {
    const { kind } = splitStream(stream)
    if (kind === 'task') return boardFor(lists, state, batch)
    if (kind === 'session') return cardsFor(lists, batch)
    return {
      ...(batch.some(putsAside) ? { openAsks: await readOpen(askOf, batch) } : {}),
      ...(await readPlaces(placeOf, batch)),
      ...(await readStrangers(isAccount, batch)),
    }
  }
  const said = await readSaid(store, stream, batch)
  const uploads = await readUploads(lists, stream, batch, now())
  return { ...said, ...uploads, ...(await policyFacts(store, policyOf, state, batch)) }
}

async function policyFacts(
  store: LogStore,
  policyOf: QueuePorts['policyOf'],
  state: SessionState,
  batch: readonly { command: Command }[],
): Promise<Facts> {
  const decided = batch.flatMap(({ command }) =>
    command.type === 'approval.decide' && command.data.verdict !== 'deny' ? [command.data.approval] : [],
  )
  const isJudged = batch.some(({ command }) => command.type === 'approval.judge')
  const isRuled = decided.length > 0 || isJudged || batch.some(({ command }) => asks(command))
  // Whatever ends an approval lets one come up that waits.
  if (!isRuled && state.waiting === undefined) return {}
  const { rules, timeouts: approvalTimeouts } = await policyOf(state.project)
  if (!isRuled) return { approvalTimeouts }
  const open = isJudged && rules.length > 0 ? openApprovals(state).map(({ approval }) => approval) : []
  const isDenied = rules.some(({ effect }) => effect === 'deny')
  const needed = [...decided.filter((id) => isDenied || !isWeighed(state, id, batch)), ...open]
  return { rules, approvalTimeouts, asked: await readAsked(store, `session:${state.session}`, needed) }
}

/** How much harm it could do is known: the server has looked when it was asked, and nothing else is put in its place. */
function isWeighed({ approvals }: SessionState, id: string, batch: readonly { command: Command }[]): boolean {
  const isChanged = batch.some(
    ({ command }) =>
      command.type === 'approval.decide' && command.data.approval === id && command.data.verdict === 'modify',
  )
  return !isChanged && approvals.some(({ approval, risk }) => approval === id && risk !== undefined)
}

function putsAside({ command }: { command: Command }): boolean {
  return command.type === 'ask.snooze'
}

async function readOpen(
  askOf: QueuePorts['askOf'],
  batch: readonly { command: Command }[],
): Promise<NonNullable<Context['openAsks']>> {
  const open = new Map<string, AskedNow>()
  for (const { command } of batch) {
    if (command.type !== 'ask.snooze') continue
    const { session, ask } = command.data
    const found = await askOf(session, ask)
    if (found) open.set(askKey(session, ask), found)
  }
  return open
}

async function readPlaces(
  placeOf: QueuePorts['placeOf'],
  batch: readonly { command: Command }[],
): Promise<Pick<Context, 'readTo'>> {
  const places = new Map<string, ReadPlace>()
  for (const { command } of batch) {
    if (command.type !== 'read.mark') continue
    const { session, seq } = command.data
    const found = await placeOf(session, seq)
    if (found) places.set(placeKey(session, seq), found)
  }
  return places.size === 0 ? {} : { readTo: places }
}

/** Who is to become a member and has no account. */
async function readStrangers(
  isAccount: QueuePorts['isAccount'],
  batch: readonly { command: Command }[],
): Promise<Pick<Context, 'strangers'>> {
  const strangers = new Set<string>()
  for (const { command } of batch) {
    if (command.type !== 'member.add' || !isAccount) continue
    const { account } = command.data
    if (!(await isAccount(account))) strangers.add(account)
  }
  return strangers.size === 0 ? {} : { strangers }
}

function asks(command: Command): boolean {
  return command.type === 'agent.report' && command.data.events.some(({ type }) => type === 'approval.requested')
}

async function readAsked(
  store: LogStore,
  stream: string,
  approvals: readonly string[],
): Promise<ReadonlyMap<string, ApprovalRequest>> {
  const asked = new Map<string, ApprovalRequest>()
  for (const approval of new Set(approvals)) {
    const [first] = await store.readSubjects(stream, [`approval:${approval}`], 0, 1)
    const event = first && asKnown(readEvent(first))
    if (event?.type === 'approval.requested' && event.body) asked.set(approval, event.body)
  }
  return asked
}
