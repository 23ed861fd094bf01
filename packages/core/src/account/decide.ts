import type { Command, CommandOf } from '@hotline/protocol/command'
import { limits } from '@hotline/protocol/limits'
import { splitStream } from '@hotline/protocol/stream'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import { askKey } from './ask-key.ts'
import { placeKey } from './read-mark.ts'
import { snoozeEndMs } from './snooze-end.ts'
import { type AccountState, snoozeOf } from './state.ts'

/** What a command means for what a person settles for themselves. That it is theirs was looked at before. */
export function decideAccount(state: AccountState | undefined, command: Command, context: Context): Decision {
  if (command.type === 'account.begin') {
    if (state) return accept()
    return accept({ type: 'account.begun', data: { account: splitStream(command.stream).id } })
  }
  if (command.type === 'ask.snooze') return snooze(state, command, context)
  if (command.type === 'ask.unsnooze') {
    const { session, ask } = command.data
    if (!snoozeOf(state, command.data, context.now)) return accept()
    return accept({ type: 'ask.unsnoozed', subject: `ask:${ask}`, data: { session, ask } })
  }
  if (command.type === 'read.mark') return markRead(state, command, context)
  return refuse('invalid_request', `"${command.type}" is not a command for what is one person's own.`)
}

/** Only ever forward: what another device has read is read. */
function markRead(
  state: AccountState | undefined,
  { data: { session, seq } }: CommandOf<'read.mark'>,
  { readTo }: Context,
): Decision {
  const place = readTo?.get(placeKey(session, seq))
  if (!place) return refuse('not_found', 'There is no session with this id.')
  if (seq > place.head) {
    return refuse('invalid_request', `The session has ${place.head} events so far.`, { head: place.head })
  }
  const before = state?.read?.find((one) => one.session === session)
  if (before && before.seq >= seq) return accept()
  const { project, messages, createdAt } = place
  const data = { project, session, seq, messages, createdAt }
  return accept({ type: 'read.marked', subject: `read:${session}`, data })
}

/** Puts aside what is open, for a time that leaves some to answer in. */
function snooze(
  state: AccountState | undefined,
  { data: { session, ask, until } }: CommandOf<'ask.snooze'>,
  { now, openAsks }: Context,
): Decision {
  const nowMs = Date.parse(now)
  const wantedMs = Date.parse(until)
  if (wantedMs <= nowMs) return refuse('invalid_request', 'The time until which it is put aside is over already.')
  if (wantedMs > nowMs + limits.snoozeMs) {
    return refuse('invalid_request', `It can be put aside for ${limits.snoozeMs / 86_400_000} days at most.`)
  }
  const open = openAsks?.get(askKey(session, ask))
  if (!open) return refuse('already_resolved', 'Nothing is asked under this id now; it may have been answered.')
  const endMs = snoozeEndMs(wantedMs, nowMs, open.endsMs)
  if (endMs === 'too late') {
    return refuse('invalid_request', 'Its time is over in less than two minutes: it cannot be put aside any more.')
  }
  const others = (state?.snoozed ?? []).filter((one) => one.until > now && (one.session !== session || one.ask !== ask))
  if (others.length >= limits.snoozes) {
    return refuse('queue_full', `${limits.snoozes} asks are put aside. Bring some back, or answer them.`)
  }
  const end = new Date(endMs).toISOString()
  const data = { project: open.project, session, ask, until: end }
  return { ok: true, events: [{ type: 'ask.snoozed', subject: `ask:${ask}`, data }], facts: { until: end } }
}
