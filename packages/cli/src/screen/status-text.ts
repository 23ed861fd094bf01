import type { ConnectionState } from '@hotline/client/link'
import { openApprovals, type SessionState } from '@hotline/core/session/state'
import { plainText } from '../plain-text.ts'

/** What the last line of a screen says. */
export interface Standing {
  state: SessionState | undefined
  connection: ConnectionState
  /** The name of this window's keyboard. */
  own: string
  names: ReadonlyMap<string, string>
  /** What has just happened, before everything else. */
  notice: string | undefined
  /** The program's screen does not fit: its size. */
  larger: { cols: number; rows: number } | undefined
}

/** How to leave, said at the start and then always. */
export const howToLeave = 'Ctrl-] q leaves'

/** The last line: who types, how to leave, and what one has to know beside. */
export function statusText({ state, connection, own, names, notice, larger }: Standing): string {
  const held = state?.keyboard
  const takesKeys = state?.capabilities?.input === 'keys'
  const isMine = held?.keyboard === own
  const parts = [
    howToLeave,
    ...(notice === undefined ? [] : [notice]),
    ...(connection.status === 'open' ? [] : ['Out of contact: keys go nowhere']),
    whoTypes(state, own, names),
    ...(larger ? [`${larger.cols}x${larger.rows}, shown in part`] : []),
    ...(takesKeys ? [isMine ? 'Ctrl-] k gives the keyboard back' : 'Ctrl-] k takes the keyboard'] : []),
    ...asks(state),
    state?.title ?? '',
  ]
  return ` ${parts
    .map((part) => plainText(part).replaceAll('\n', ' '))
    .filter((part) => part !== '')
    .join(' | ')}`
}

function whoTypes(state: SessionState | undefined, own: string, names: ReadonlyMap<string, string>): string {
  if (!state) return 'Loading'
  if (state.staleSince !== undefined) return 'Its machine is out of contact'
  if (state.status === 'interrupted') return 'The program is gone'
  if (state.status !== 'active') return `It is ${state.status}`
  if (state.capabilities?.input !== 'keys') return 'Only watching'
  const held = state.keyboard
  if (!held) return 'Nobody has the keyboard'
  if (held.keyboard === own) return 'You have the keyboard'
  return `${nameOf(held.by, names)} has the keyboard`
}

/** Who it is, as others are called here. */
export function nameOf(by: { kind: string; id: string }, names: ReadonlyMap<string, string>): string {
  return by.kind === 'person' ? (names.get(by.id) ?? 'Somebody') : 'A program'
}

function asks(state: SessionState | undefined): string[] {
  const open = state ? openApprovals(state).length + state.questions.length : 0
  return open === 0 ? [] : [`asks you ${open}: hotline asks`]
}
